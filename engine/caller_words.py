"""What the client is told of the caller's words."""

from collections.abc import Callable

from engine.frames import (
    CallerTranscript,
    CallerTranscriptDelta,
    CallerTranscriptFailed,
    Failure,
    Frame,
    ItemWords,
    WordsFailed,
)
from engine.inference import kind_of


class CallerWords:
    """Tells stable words as they come, and of each turn its transcript, or why there is none.

    `wanted`: whether the client asked for transcripts.
    """

    def __init__(self, send: Callable[[Frame], None]) -> None:
        self.wanted = False
        self._send = send
        self._told = ""  # the stable words that the client has
        self._failed: WordsFailed | None = None

    def begin(self) -> None:
        """The client knows of a new utterance."""
        self._told = ""

    def forget(self) -> None:
        """The utterance is over."""
        self._failed = None

    def recognised(self, failure: WordsFailed | None = None) -> None:
        """The present hush was transcribed, or could not be."""
        self._failed = failure

    def tell_stable(self, item_id: str, stable: str) -> None:
        """Pass on the words that will not change."""
        if self.wanted and len(stable) > len(self._told) and stable.startswith(self._told):
            delta, self._told = stable[len(self._told) :], stable
            self._send(CallerTranscriptDelta(item_id, delta))

    def tell_turn(self, item_id: str, words: str, seconds: float) -> None:
        """The caller's turn has ended with these words."""
        if self._failed is not None:
            self._tell_failed(item_id, self._failed.code, self._failed.message)
        elif self.wanted:
            self._send(CallerTranscript(item_id, words, max(0.0, seconds)))

    def tell_recording(self, frame: ItemWords) -> None:
        """A recorded item was transcribed, or could not be."""
        if frame.text is None:
            self._tell_failed(frame.item_id, frame.code, frame.message)
        elif self.wanted:
            self._send(CallerTranscript(frame.item_id, frame.text, frame.seconds))

    def _tell_failed(self, item_id: str, code: str, message: str) -> None:
        """As an error of its own to clients that want no transcripts."""
        if self.wanted:
            self._send(CallerTranscriptFailed(item_id, code, message))
        else:
            self._send(Failure(kind_of(code), code, message))
