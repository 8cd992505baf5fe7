"""What the caller hears: agent audio laid on the clock as a sound card plays it."""

import msgspec

from server import wav


class Played(msgspec.Struct):
    """A stretch of agent audio that begins `at_samples` after the conversation's start."""

    at_samples: int
    pcm: bytes
    item_id: str

    @property
    def end_samples(self) -> int:
        return self.at_samples + len(self.pcm) // 2


class Heard:
    """The agent's channel. Audio plays when it arrives, or when what came before has ended."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.played: list[Played] = []

    @property
    def end_ms(self) -> float:
        """When the last sample that came so far has been heard."""
        return self.played[-1].end_samples * 1000 / self.rate_hz if self.played else 0.0

    def play(self, pcm: bytes, item_id: str, now_ms: float) -> None:
        """Take audio that arrived now."""
        now = int(now_ms * self.rate_hz / 1000)
        after = self.played[-1].end_samples if self.played else 0
        self.played.append(Played(max(now, after), pcm, item_id))

    def silence(self, now_ms: float) -> tuple[str, int] | None:
        """Stop what plays. Returns the item that was cut and how many ms of it were heard."""
        now = int(now_ms * self.rate_hz / 1000)
        if not self.played or self.played[-1].end_samples <= now:
            return None
        item_id = self.played[-1].item_id
        self.played = [piece for piece in self.played if piece.at_samples < now]
        if self.played and self.played[-1].end_samples > now:
            last = self.played[-1]
            last.pcm = last.pcm[: (now - last.at_samples) * 2]
        samples = sum(len(piece.pcm) // 2 for piece in self.played if piece.item_id == item_id)
        return item_id, samples * 1000 // self.rate_hz

    def first_audible_ms(self, from_ms: float) -> float | None:
        """When the first audible sample at or after `from_ms` was heard."""
        start = int(from_ms * self.rate_hz / 1000)
        for piece in self.played:
            skipped = max(0, start - piece.at_samples)
            found = wav.audible(piece.pcm[skipped * 2 :])
            if found is not None:
                return (piece.at_samples + skipped + found[0]) * 1000 / self.rate_hz
        return None

    def pcm(self) -> bytes:
        """The whole channel from the conversation's start, silence where nothing was said."""
        channel = bytearray()
        for piece in self.played:
            channel += bytes(piece.at_samples * 2 - len(channel)) + piece.pcm
        return bytes(channel)
