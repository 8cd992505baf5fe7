"""A caller in a file: speaks recordings to a realtime server at real pace, and listens.

Times are ms since the conversation's start, on this machine's clock. The response latency of a turn
runs from the last voiced sample of its recording to the first audible sample (-45 dBFS) that comes
back, laid on the clock as a sound card would play it.
"""

import asyncio
import base64
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec
import websockets
from websockets.asyncio.client import ClientConnection

from server import wav
from server.heard import Heard
from server.microphone import SoundCard
from server.web import is_here

REALTIME = "/v1/realtime"
RATE_HZ = 24_000
FRAME_MS = 20
FRAME_SAMPLES = RATE_HZ * FRAME_MS // 1000
ROOM = b"\x07\x00\xfa\xff" * (FRAME_SAMPLES // 2)
"""One frame of a quiet room, -73 dBFS: no microphone delivers digital silence."""

QUIET_MS = 700
"""A turn is over when the agent has been silent for so long: a reply may come in two responses."""

STAGES = {
    "input_audio_buffer.speech_started": "speech_started",
    "input_audio_buffer.speech_stopped": "speech_stopped",
    "conversation.item.input_audio_transcription.completed": "transcript",
    "response.created": "response_created",
    "response.output_audio.delta": "first_audio",
    "response.done": "done",
}


class Wanted(msgspec.Struct, frozen=True):
    """What the caller asks of the server; empty or None: as the server has it.

    `url` is the server's address, with `REALTIME` or another path, or without any.
    """

    url: str
    recordings: tuple[Path, ...] = ()
    api_key: str = ""
    voice: str = ""
    instructions: str = ""
    agent: str = ""
    wait_s: float = 30.0
    half_duplex: bool = False


class Turn(msgspec.Struct):
    """One recording and what it led to."""

    recording: str
    first_voiced_ms: float = 0.0
    last_voiced_ms: float = 0.0
    caller: str = ""
    agent: str = ""
    response_latency_ms: float | None = None
    cut: bool = False
    timeline: dict[str, float] = {}


class Report(msgspec.Struct):
    """What a conversation was, as `--json` prints it."""

    url: str
    answered: bool
    turns: list[Turn]
    errors: list[dict[str, Any]]


def realtime_url(address: str, agent: str = "") -> str:
    """Where the server at `address` is talked to: `REALTIME`, unless it names a path. A web address
    will do. `agent` is who is to answer, by its id.
    """
    parts = urlsplit(address)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    path = REALTIME if parts.path in ("", "/") else parts.path
    asked = [*parse_qsl(parts.query), *([("agent", agent)] if agent else [])]
    return urlunsplit(parts._replace(scheme=scheme, path=path, query=urlencode(asked)))


class TalkError(Exception):
    """The conversation cannot be held; the text says why."""


class Talk:
    """One conversation with a realtime server; `live` gets lines for a person as things happen."""

    def __init__(self, wanted: Wanted, live: Callable[[str], None]) -> None:
        self.wanted = wanted
        self.live = live
        self.heard = Heard(RATE_HZ)
        self.said = bytearray()
        self.turns: list[Turn] = []
        self.errors: list[dict[str, Any]] = []
        self._active: set[str] = set()
        self._changed_ms = 0.0
        self._clip = b""
        self._over = asyncio.Event()
        self._answered = asyncio.Event()
        self._greeted = asyncio.Event()
        self._responses = 0
        self._begun_s = 0.0
        self._card: SoundCard | None = None
        self._ended_well = False

    async def hold(self) -> Report:
        """Speak all recordings, or without any the microphone until cancelled. Raises TalkError."""
        clips = [(path, wav.read(path, RATE_HZ)) for path in self.wanted.recordings]
        if not clips:
            self._card = SoundCard(RATE_HZ, FRAME_SAMPLES)  # before anybody is called
        try:
            async with websockets.connect(
                realtime_url(self.wanted.url, self.wanted.agent),
                additional_headers=self._headers(),
                max_size=None,
                compression=None,
                proxy=None if is_here(self.wanted.url) else True,
            ) as socket:
                try:
                    await socket.send(msgspec.json.encode(self._session()).decode())
                    await self._converse(socket, clips)
                except websockets.ConnectionClosed:
                    await self._hear_out(socket)
                    if not self._ended_well:
                        raise
                finally:
                    await socket.close()  # a goodbye: otherwise the server keeps our place
        except (OSError, websockets.WebSocketException, TimeoutError) as error:
            raise TalkError(f"{self.wanted.url}: {reason(error)}") from error
        return self.report()

    def report(self) -> Report:
        """What has happened so far."""
        for turn in self.turns:
            first = self.heard.first_audible_ms(turn.first_voiced_ms)
            turn.cut = first is not None and first < turn.last_voiced_ms
            answer = self.heard.first_audible_ms(turn.last_voiced_ms)
            if answer is not None and "first_audio" in turn.timeline:
                turn.response_latency_ms = round(answer - turn.last_voiced_ms, 1)
        heard = [turn.response_latency_ms is not None for turn in self.turns]
        answered = all(heard) and bool(heard or self.heard.played)
        return Report(self.wanted.url, answered, self.turns, self.errors)

    def _headers(self) -> dict[str, str]:
        key = self.wanted.api_key
        return {"Authorization": f"Bearer {key}"} if key else {}

    def _session(self) -> dict[str, Any]:
        """The session.update that opens the conversation."""
        pcm = {"type": "audio/pcm", "rate": RATE_HZ}
        output: dict[str, Any] = {"format": pcm}
        if self.wanted.voice:
            output["voice"] = self.wanted.voice
        listening = {"format": pcm, "transcription": {"model": "whisper-1"}}
        session: dict[str, Any] = {
            "type": "realtime",
            "output_modalities": ["audio"],
            "audio": {"input": listening, "output": output},
        }
        if self.wanted.instructions:
            session["instructions"] = self.wanted.instructions
        return {"type": "session.update", "session": session}

    async def _converse(self, socket: ClientConnection, clips: list[tuple[Path, bytes]]) -> None:
        self._begun_s = asyncio.get_running_loop().time()
        work = [self._listen(socket)]
        work += (
            [self._speak(socket), self._take_turns(clips)] if clips else [self._speak_live(socket)]
        )
        tasks = [asyncio.create_task(one) for one in work]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    def _now_ms(self) -> float:
        return (asyncio.get_running_loop().time() - self._begun_s) * 1000

    # ---- speaking ----------------------------------------------------------------------------

    async def _take_turns(self, clips: list[tuple[Path, bytes]]) -> None:
        await self._happens(self._greeted, self.wanted.wait_s)
        for path, pcm in clips:
            self._begin_turn(path, pcm)
            patience_s = len(pcm) / 2 / RATE_HZ + self.wanted.wait_s
            if await self._happens(self._answered, patience_s):
                await self._over.wait()
            else:
                self.live(f"no answer within {self.wanted.wait_s:g} s")

    async def _happens(self, event: asyncio.Event, within_s: float) -> bool:
        try:
            async with asyncio.timeout(within_s):
                await event.wait()
        except TimeoutError:
            return False
        return True

    def _begin_turn(self, path: Path, pcm: bytes) -> None:
        """The recording begins with the next frame: `said` is where the caller's channel stands."""
        voiced = wav.audible(pcm)
        if voiced is None:
            raise TalkError(f"{path}: nothing audible in it (no sample above -45 dBFS)")
        begin = len(self.said) // 2
        first, last = ((begin + sample) * 1000 / RATE_HZ for sample in voiced)
        self.turns.append(Turn(str(path), round(first, 1), round(last, 1)))
        self._clip = pcm
        self._over.clear()
        self._answered.clear()

    def _turn_is_over(self) -> bool:
        """The recording is said, an answer came, and both sides are quiet."""
        quiet_from = max(self.heard.end_ms, self._changed_ms) + QUIET_MS
        return (
            not self._clip
            and not self._active
            and "done" in self.turns[-1].timeline
            and self._now_ms() > quiet_from
        )

    def _greeting_is_over(self) -> bool:
        """It has been said, and heard."""
        quiet_from = self.heard.end_ms + QUIET_MS
        return bool(self._responses) and not self._active and self._now_ms() > quiet_from

    async def _speak(self, socket: ClientConnection) -> None:
        """Send one frame every 20 ms, when a microphone would have it: at the frame's end."""
        while True:
            frame = self._clip[: FRAME_SAMPLES * 2]
            self._clip = self._clip[FRAME_SAMPLES * 2 :]
            frame += ROOM[len(frame) :]
            self.said += frame
            due_ms = len(self.said) / 2 * 1000 / RATE_HZ
            await asyncio.sleep(max(0.0, due_ms - self._now_ms()) / 1000)
            await send_audio(socket, frame)
            if not self.turns and self._greeting_is_over():
                self._greeted.set()
            if self.turns and self._turn_is_over():
                self._over.set()

    async def _speak_live(self, socket: ClientConnection) -> None:
        """Send what the microphone hears; in half duplex, a quiet room while the agent speaks."""
        card = self._card
        assert card is not None  # without recordings there is one
        with contextlib.closing(card):
            card.start()
            self.live("Speak now; Ctrl-C ends. Use a headset, or --half-duplex with loudspeakers.")
            while True:
                frame = await card.frame()
                if self.wanted.half_duplex and self._now_ms() < self.heard.end_ms:
                    frame = ROOM
                self.said += frame
                await send_audio(socket, frame)

    # ---- listening ---------------------------------------------------------------------------

    async def _listen(self, socket: ClientConnection) -> None:
        async for message in socket:
            event = msgspec.json.decode(message)
            for answer in self._take(event):
                await socket.send(msgspec.json.encode(answer).decode())
        if not self._ended_well:
            raise TalkError(f"{self.wanted.url}: the server ended the conversation")

    async def _hear_out(self, socket: ClientConnection) -> None:
        """What the server said before it closed the connection: why, perhaps."""
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                self._take(msgspec.json.decode(await socket.recv()))

    def _take(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Note one server event. Returns what a client answers to it."""
        kind = event["type"]
        now_ms = self._now_ms()
        if kind in STAGES:
            self._changed_ms = now_ms
            if self.turns:
                self.turns[-1].timeline.setdefault(STAGES[kind], round(now_ms, 1))
        match kind:
            case "session.created":
                own = event["session"].get("voiceforge") or {}
                if not own.get("greeting"):  # else a caller hears it out
                    self._greeted.set()
            case "response.created":
                self._active.add(event["response"]["id"])
            case "response.output_audio.delta":
                self._play(base64.b64decode(event["delta"]), event["item_id"], now_ms)
            case "response.done":
                self._finish(event["response"])
            case "response.output_audio_transcript.done":
                self._note("agent", event["transcript"])
            case "conversation.item.input_audio_transcription.completed":
                self._note("caller", event["transcript"])
            case "conversation.item.done" if event["item"]["type"] == "mcp_call":
                self._note_call(event["item"])
            case "voiceforge.session.ended" if event["reason"] == "agent_ended":
                self._ended_well = True
                self.live("the agent ended the conversation")
            case "error":
                self._fail(event["error"])
            case "input_audio_buffer.speech_started":
                return self._interrupt(now_ms)
        return []

    def _play(self, pcm: bytes, item_id: str, now_ms: float) -> None:
        self.heard.play(pcm, item_id, now_ms)
        self._answered.set()
        if self._card is not None:
            self._card.play(pcm)

    def _interrupt(self, now_ms: float) -> list[dict[str, Any]]:
        """The caller speaks: stop playing, and tell the server what was heard."""
        cut = self.heard.silence(now_ms)
        if cut is None:
            return []
        if self._card is not None:
            self._card.silence()
        item_id, heard_ms = cut
        truncate = {"type": "conversation.item.truncate", "item_id": item_id, "content_index": 0}
        return [{**truncate, "audio_end_ms": heard_ms}]

    def _note(self, who: str, text: str) -> None:
        self.live(f"{who}: {text.strip()}")
        if self.turns:
            before = getattr(self.turns[-1], who)
            setattr(self.turns[-1], who, f"{before} {text}".strip())

    def _note_call(self, item: dict[str, Any]) -> None:
        """A tool that the server ran has answered."""
        error = item.get("error")
        came = f"failed: {error['message']}" if error else item.get("output")
        self.live(f"tool: {item['name']} {item['arguments']} -> {came}")

    def _finish(self, response: dict[str, Any]) -> None:
        self._active.discard(response["id"])
        self._responses += 1
        details = response.get("status_details") or {}
        if response["status"] == "failed":
            self._fail(details.get("error") or {"code": "response_failed"})

    def _fail(self, error: dict[str, Any]) -> None:
        told = ("type", "code", "message", "param")
        kept = {name: error[name] for name in told if error.get(name)}
        self.errors.append(kept)
        self.live(f"error: {kept.get('code', '')} {kept.get('message', '')}".rstrip())


async def send_audio(socket: ClientConnection, pcm: bytes) -> None:
    """Append one frame to the server's input buffer."""
    audio = base64.b64encode(pcm).decode()
    await socket.send('{"type":"input_audio_buffer.append","audio":"' + audio + '"}')


def reason(error: BaseException) -> str:
    """Why a connection failed, for a person."""
    if isinstance(error, websockets.InvalidStatus):
        body = (error.response.body or b"").decode(errors="replace").strip()
        return f"the server answered {error.response.status_code} {body}".rstrip()
    if isinstance(error, websockets.ConnectionClosed) and error.rcvd is not None:
        return f"the server ended the conversation ({error.rcvd.reason or error.rcvd.code})"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there; start it with `voiceforge serve`"
    return str(error) or type(error).__name__
