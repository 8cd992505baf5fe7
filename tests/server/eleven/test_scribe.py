"""Speech that is transcribed while it is spoken, with a scripted recogniser."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import pytest

from actors.stenographer import AHEAD_S, Hearing
from engine.capabilities import Clip, Transcript
from engine.inference import InferenceError
from engine.meter import Watch
from server.access.caller import AS, Caller
from server.door import AnyPlace
from server.eleven import scribe
from server.eleven.scribe import Scribe
from server.eleven.scribe_messages import MOST_BYTES
from server.metering.collector import Collector
from server.transcription.metered import Transcriptions
from storage.usage import Amounts, Subject
from tests.scripted import NOISE, WINDOW_SAMPLES, Scripted, silence, spoken, stt
from transports.g711 import pcm_to_mu_law
from transports.handshake import Refused
from transports.outbox import Outbox

CALLER = Caller("acc_1", "key_1", ("speech",))


class LoudSlots:
    """Stands for `VadSlots`: loud windows are voiced. `free` is how many streams there may be."""

    def __init__(self, free: int = 1) -> None:
        self.free = free
        self.closed = 0
        self.stuck = False

    def open(
        self, hear: Callable[[float, float], None], failed: Callable[[BaseException], None]
    ) -> "LoudSlots":
        self._hear = hear
        self.fail = failed
        self._pcm = b""
        return self

    def feed(self, pcm: bytes) -> None:
        self._pcm += pcm
        while not self.stuck and len(self._pcm) >= 2 * WINDOW_SAMPLES:
            window, self._pcm = self._pcm[: 2 * WINDOW_SAMPLES], self._pcm[2 * WINDOW_SAMPLES :]
            loud = float(np.mean(np.frombuffer(window, np.int16) >= NOISE))
            self._hear(loud, -10.0 if loud else -90.0)

    def close(self) -> None:
        self.closed += 1


class Line:
    """One connection. `spent`: after so many questions the answer is `no`, or that the month is
    used up.
    """

    def __init__(
        self,
        recogniser: Scripted[Clip, Transcript] | None = None,
        *,
        caller: Caller = CALLER,
        spent: int | None = None,
        no: Refused | None = None,
        full: bool = False,
    ) -> None:
        self.stt = recogniser or stt(0.0)
        self.slots = LoudSlots()
        self.told: list[dict[str, Any]] = []
        self.closed: tuple[int, str] | None = None
        self.used: list[Amounts] = []
        self.collector = Collector(self._tell)
        self.places = 0
        self._caller = caller
        self._full = full
        self.asked = 0
        self._spent = spent
        self._no = no or Refused("the month is used up", 60, "insufficient_quota", 429)
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._messages.put_nowait({"type": "websocket.connect"})

    def _tell(self, used: dict[Subject, Amounts]) -> None:
        self.used += used.values()

    async def check(self, caller: Caller) -> None:
        self.asked += 1
        if self._spent is not None and self.asked > self._spent:
            raise self._no

    async def enter(self, caller: Caller) -> "Line":
        await self.check(caller)
        if self._full:
            raise Refused("no session fits", 10)
        self.places += 1
        return self

    def mark(self, *, away: bool) -> None:
        AnyPlace().mark(away=away)

    def give_back(self) -> None:
        self.places -= 1

    def write(self, text: str) -> None:
        self._messages.put_nowait({"type": "websocket.receive", "text": text})

    def says(self, audio: bytes = b"", **more: Any) -> None:
        data = base64.b64encode(audio).decode()
        chunk = {"message_type": "input_audio_chunk", "audio_base_64": data, "commit": False}
        self.write(json.dumps({**chunk, **more}))

    def leave(self) -> None:
        self._messages.put_nowait({"type": "websocket.disconnect", "code": 1000})

    async def send(self, message: Any) -> None:
        if message["type"] == "websocket.send":
            self.told.append(json.loads(message["text"]))
        elif message["type"] == "websocket.close":
            self.closed = message["code"], message["reason"]

    def _hearing(self, watch: Watch) -> Hearing | None:
        live: Any = watch(self.stt, "stt")
        slots: Any = self.slots
        return Hearing(slots, live)

    @contextlib.asynccontextmanager
    async def open(self, query: str = "") -> AsyncIterator["asyncio.Task[None]"]:
        scope = {
            "type": "websocket",
            "path": "/v1/speech-to-text/realtime",
            "query_string": f"model_id=scribe_v2_realtime{query}".encode(),
            "headers": [],
            AS: self._caller,
        }
        transcriptions = Transcriptions(lambda watch, by: self.stt, self, self.collector)
        application = Scribe(self._hearing, self, transcriptions)
        serving = asyncio.create_task(application(scope, self._messages.get, self.send))
        try:
            async with asyncio.timeout(5):
                yield serving
        finally:
            serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await serving

    async def served(self, query: str = "") -> None:
        async with self.open(query) as serving:
            await serving

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.told if one["message_type"] == kind]

    async def until(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        while len(self.all(kind)) < count:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.005)
        return self.all(kind)


async def test_the_first_message_says_what_holds() -> None:
    line = Line()
    async with line.open("&audio_format=pcm_24000&language_code=eng&keyterms=Ann&keyterms=Bob"):
        [started] = await line.until("session_started")
    config = started["config"]
    assert started["session_id"].startswith("scribe_")
    assert (config["sample_rate"], config["audio_format"]) == (24_000, "pcm_24000")
    assert (config["commit_strategy"], config["keyterms"]) == ("manual", ["Ann", "Bob"])


async def test_what_is_committed_is_told_and_counted() -> None:
    line = Line()
    async with line.open("&language_code=eng&keyterms=Ann") as serving:
        line.says(silence(200) + spoken("one two"), sample_rate=16_000, previous_text="Before.")
        line.says(spoken("three"), commit=True)
        line.says(commit=True)
        committed = await line.until("committed_transcript", 2)
        assert [one["text"] for one in committed] == ["one two three", ""]
        assert line.places == 1
        line.leave()
        await serving
    assert (line.places, line.slots.closed) == (0, 1)
    assert (line.stt.asked[-1].language, line.stt.asked[-1].terms) == ("en", ("Ann",))
    line.collector.collect()
    assert sum(one.audio_in_ms for one in line.used) == pytest.approx(980, abs=1)


async def test_silence_commits_where_that_is_asked_for() -> None:
    line = Line()
    async with line.open("&commit_strategy=vad&vad_silence_threshold_secs=0.3&language_code=en"):
        for count, text in enumerate(("one two three", "four five six"), 1):
            guesses = len(line.all("partial_transcript"))
            line.says(silence(300) + spoken(text))
            await line.until("partial_transcript", guesses + 1)
            line.says(silence(700))
            await line.until("committed_transcript", count)
    assert [one["text"] for one in line.all("committed_transcript")] == [
        *("one two three", "four five six")
    ]


async def test_times_and_language_are_told_once_more() -> None:
    line = Line()
    more = "&include_timestamps=true&include_language_detection=true&language_code=en"
    async with line.open(more):
        line.says(spoken("one two"), commit=True)
        [told] = await line.until("committed_transcript_with_timestamps")
    assert told["text"] == "one two"
    assert line.stt.asked[-1].words
    assert set(told) == {"message_type", "text", "language_code", "words"}


@pytest.mark.parametrize(
    ("name", "encode", "rate_hz"),
    [
        ("pcm_8000", bytes, 8_000),
        ("pcm_22050", bytes, 22_050),
        ("pcm_44100", bytes, 44_100),
        ("pcm_48000", bytes, 48_000),
        ("ulaw_8000", pcm_to_mu_law, 8_000),
    ],
)
async def test_other_formats_are_heard_at_their_length(
    name: str, encode: Callable[[bytes], bytes], rate_hz: int
) -> None:
    line = Line()
    async with line.open(f"&audio_format={name}"):
        line.says(encode(silence(1000, rate_hz)))
        line.says(encode(silence(1000, rate_hz)), commit=True)
        await line.until("committed_transcript")
    line.collector.collect()
    assert sum(one.audio_in_ms for one in line.used) == pytest.approx(2000, abs=2)


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("&audio_format=mp3_44100", "audio_format"),
        ("&commit_strategy=never", "commit_strategy"),
        ("&vad_threshold=7", "vad_threshold"),
        ("&vad_silence_threshold_secs=0.1", "vad_silence_threshold_secs"),
        ("&min_speech_duration_ms=5", "min_speech_duration_ms"),
        ("&language_code=klingon", "language_code is 'klingon'"),
        ("&model_id=scribe_v9", "no model 'scribe_v9'"),
        ("&model_id=moonshine-tiny-en&language_code=de", "knows English only"),
        ("&model_id=moonshine-tiny-en&include_timestamps=true", "no times of words"),
        ("&entity_detection=all", "entity_detection"),
        ("&transcript_edit=make+it+rhyme", "transcript_edit"),
        ("&no_verbatim=true", "no_verbatim"),
        ("&token=sutkn_1", "no single-use tokens"),
        ("&keyterms=" + "x" * 60, "keyterms"),
    ],
)
async def test_an_address_that_asks_for_what_cannot_be_is_told(query: str, error: str) -> None:
    line = Line()
    await line.served(query)
    [told] = line.told
    assert told["message_type"] == "invalid_request"
    assert error in told["error"]
    assert line.closed == (1008, "invalid_request")
    assert line.places == 0


CHUNK = {"message_type": "input_audio_chunk", "audio_base_64": ""}


@pytest.mark.parametrize(
    ("text", "kind", "error"),
    [
        ("{", "input_error", "no input_audio_chunk"),
        ("[" * 9999, "input_error", "no input_audio_chunk"),
        (json.dumps({"message_type": "hello"}), "input_error", "hello"),
        (json.dumps({"message_type": "input_audio_chunk"}), "input_error", "audio_base_64"),
        (json.dumps({**CHUNK, "audio_base_64": "no base64"}), "input_error", "base64"),
        (json.dumps({**CHUNK, "audio_base_64": "AAAA"}), "input_error", "even number"),
        (json.dumps({**CHUNK, "sample_rate": 8000}), "input_error", "sample_rate is 8000"),
        (
            json.dumps(
                {**CHUNK, "audio_base_64": base64.b64encode(bytes(MOST_BYTES + 2)).decode()}
            ),
            "chunk_size_exceeded",
            "send it in several chunks",
        ),
    ],
)
async def test_a_message_that_cannot_be_taken_is_told(text: str, kind: str, error: str) -> None:
    line = Line()
    line.write(text)
    await line.served()
    assert (line.told[-1]["message_type"], line.closed) == (kind, (1008, kind))
    assert error in line.told[-1]["error"]


async def test_the_text_before_comes_first_or_not_at_all() -> None:
    line = Line()
    line.says(previous_text="Before.")
    line.says(previous_text="Before.")
    await line.served()
    assert "previous_text" in line.told[-1]["error"]


async def test_a_client_that_says_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scribe, "IDLE_S", 0.05)
    line = Line()
    await line.served()
    assert line.closed == (1008, "insufficient_audio_activity")


async def test_who_may_not_or_has_no_place_is_told() -> None:
    for line, error, code in (
        (Line(caller=Caller("acc_1", "key_1", ("realtime",))), "auth_error", 1008),
        (Line(spent=0), "quota_exceeded", 1008),
        (Line(full=True), "resource_exhausted", 1013),
    ):
        await line.served()
        assert [one["message_type"] for one in line.told] == [error]
        assert line.closed == (code, error)
    line = Line()
    line.slots.free = 0
    await line.served()
    assert (line.closed, line.places) == ((1013, "resource_exhausted"), 0)


@pytest.mark.parametrize("commit", [True, False])
async def test_who_has_used_up_the_month_hears_what_was_paid_for(
    monkeypatch: pytest.MonkeyPatch, commit: bool
) -> None:
    monkeypatch.setattr(scribe, "ASKED_AGAIN_MS", 1000)
    line = Line(stt(0.01), spent=2)
    for text in ("one two three", "four five six", "seven eight nine", "ten eleven", "twelve"):
        line.says(spoken(text), commit=commit)
    await line.served()
    assert " ".join(one["text"] for one in line.all("committed_transcript")).strip() == (
        "one two three four five six seven eight nine ten eleven"
    )
    assert [one["message_type"] for one in line.told[-2:]] == [
        *("committed_transcript", "quota_exceeded")
    ]
    assert line.closed == (1008, "quota_exceeded")


async def test_a_supervisor_that_does_not_answer_ends_nobodys_speech(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scribe, "ASKED_AGAIN_MS", 1000)
    line = Line(spent=1, no=Refused("the server is too busy to answer", 5, reason="unanswered"))
    async with line.open():
        for count in (1, 2):
            line.says(spoken("one two three four"), commit=True)
            await line.until("committed_transcript", count)
    assert line.asked == 3


async def test_a_recogniser_that_fails_is_told() -> None:
    async def script(clip: Clip) -> AsyncIterator[Transcript]:
        raise InferenceError("worker_lost", "it died")
        yield Transcript("")

    line = Line(Scripted(script))
    line.says(spoken("one"), commit=True)
    await line.served()
    assert line.told[-1] == {"message_type": "transcriber_error", "error": "it died"}
    assert line.closed == (1011, "transcriber_error")


async def test_a_client_that_leaves_stops_the_work_and_its_meter() -> None:
    line = Line(stt(30.0))
    async with line.open() as serving:
        line.says(spoken("one"), commit=True)
        while not line.stt.requests:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.005)
        line.leave()
        await serving
    for request in line.stt.requests:
        with pytest.raises(StopAsyncIteration):  # it was cancelled
            await anext(request)
    line.collector.collect()
    assert len(line.collector) == 0


async def test_whatever_else_fails_is_told_and_logged_without_what_was_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    line = Line()
    line.slots.stuck = True
    async with line.open() as serving:
        line.says(silence(AHEAD_S * 1000 + 1000))
        line.says(silence(1000))
        await line.until("session_started")
        await asyncio.sleep(0.05)
        line.slots.fail(ValueError("somebody said this"))
        await serving
    assert line.told[-1]["message_type"] == "transcriber_error"
    assert "somebody" not in line.told[-1]["error"]
    assert (line.closed, line.places) == ((1011, "transcriber_error"), 0)
    [logged] = [one for one in caplog.records if one.levelname == "ERROR"]
    assert vars(logged)["error"] == "ValueError"
    assert "somebody" not in caplog.text


async def test_a_client_is_seen_to_leave_while_there_is_no_room_for_what_it_said() -> None:
    line = Line()
    line.slots.stuck = True
    async with line.open() as serving:
        for _ in range(AHEAD_S + 20):
            line.says(silence(1000))
        await line.until("session_started")
        await asyncio.sleep(0.05)
        line.leave()
        await serving
    assert (line.closed, line.places) == (None, 0)


async def test_a_handshake_is_ended_though_the_client_left_at_the_door(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever had been said to it was not sent yet."""
    monkeypatch.setattr(Outbox, "put", lambda outbox, text: None)
    line = Line()
    line.leave()
    await line.served()
    assert line.closed == (1011, "")
