"""Text that is spoken while it is still written, with a scripted voice."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from engine.capabilities import Speech, Utterance
from engine.inference import InferenceError
from engine.meter import Watch
from server.access.caller import AS, Caller
from server.eleven.stream_input import StreamInput
from server.metering.collector import Collector
from server.speech.dictionaries import Dictionaries
from server.speech.reading import AHEAD
from server.speech.speaking import Speaking
from tests.scripted import Scripted, spoken, tts
from tests.server.speech.test_speakers import speakers
from transports.handshake import Refused

HZ = 16_000
CALLER = Caller("acc_1", "key_1", ("speech",))
ENDS = {"text": ""}


class Line:
    """One connection. `spent`: after so many questions the month is used up."""

    def __init__(
        self, voice: Scripted[Utterance, Speech] | None = None, spent: int | None = None
    ) -> None:
        self.voice = voice or tts(0.0)
        self.told: list[dict[str, Any]] = []
        self.closed: int | None = None
        self.collector = Collector(lambda used: None)
        self.room = asyncio.Event()
        self.room.set()
        self._asked = 0
        self._spent = spent
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._messages.put_nowait({"type": "websocket.connect"})

    async def check(self, caller: Caller) -> None:
        self._asked += 1
        if self._spent is not None and self._asked > self._spent:
            raise Refused("the month is used up", 60, "insufficient_quota", 429)

    def write(self, *texts: dict[str, Any]) -> None:
        for text in texts:
            self._messages.put_nowait({"type": "websocket.receive", "text": json.dumps(text)})

    def leave(self) -> None:
        self._messages.put_nowait({"type": "websocket.disconnect", "code": 1006})

    async def send(self, message: Any) -> None:
        await self.room.wait()
        if message["type"] == "websocket.send":
            self.told.append(json.loads(message["text"]))
        elif message["type"] == "websocket.close":
            self.closed = message["code"]

    @contextlib.asynccontextmanager
    async def open(
        self, query: str = "", voice_id: str = "joe"
    ) -> AsyncIterator["asyncio.Task[None]"]:
        scope = {
            "type": "websocket",
            "path": f"/v1/text-to-speech/{voice_id}/stream-input",
            "path_params": {"voice_id": voice_id},
            "query_string": f"output_format=pcm_{HZ}{query}".encode(),
            "headers": [],
            AS: CALLER,
        }

        def voices(watch: Watch) -> Any:
            return watch(self.voice, "tts")

        unused: Any = None
        speaking = Speaking(voices, self, self.collector, speakers(), Dictionaries(unused))
        application = StreamInput(speaking)
        serving = asyncio.create_task(application(scope, self._messages.get, self.send))
        try:
            yield serving
        finally:
            serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await serving

    async def served(self, query: str = "", voice_id: str = "joe") -> None:
        async with self.open(query, voice_id) as serving, asyncio.timeout(5):
            await serving

    @property
    def audio(self) -> bytes:
        return b"".join(base64.b64decode(one.get("audio") or "") for one in self.told)

    @property
    def characters(self) -> str:
        return "".join(
            char for one in self.told if one.get("alignment") for char in one["alignment"]["chars"]
        )


async def until(true: Callable[[], object]) -> None:
    """Wait for it."""
    while not true():  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.005)


async def test_all_of_the_text_is_said_and_timed_and_the_end_is_told() -> None:
    line = Line()
    line.write({"text": " "}, {"text": "Good mor"}, {"text": "ning to you. And"}, {"text": " bye"})
    line.write(ENDS)
    await line.served()
    assert line.audio == spoken("Good morning to you. And bye", HZ)
    assert line.characters == "Good morning to you. And bye"
    assert line.told[-1] == {
        "audio": None,
        "isFinal": True,
        "normalizedAlignment": None,
        "alignment": None,
    }
    assert line.closed == 1000


@pytest.mark.parametrize(
    ("voice_id", "query", "speak"),
    [
        ("joe", "", ["en_US-joe-medium"]),
        ("espeak-de", "", ["espeak-de"]),
        ("alloy", "", ["espeak-de"]),
        ("alloy", "&language_code=fr", ["espeak-fr-be"]),
    ],
)
async def test_who_speaks_is_chosen_as_for_other_routes(
    voice_id: str, query: str, speak: list[str]
) -> None:
    line = Line()
    line.write({"text": "Guten Morgen, wie geht es Ihnen heute? "}, {"text": "Ja."}, ENDS)
    await line.served(query, voice_id)
    assert line.closed == 1000
    assert list(dict.fromkeys(asked.voice for asked in line.voice.asked)) == speak


async def test_a_voice_that_cannot_read_it_is_told_at_once_or_when_it_comes() -> None:
    line = Line()
    await line.served("&language_code=ru")
    assert line.told == []
    assert line.closed == 1008
    line = Line()
    line.write({"text": "Где находится ближайшая аптека? "}, ENDS)
    await line.served()
    assert line.told[-1]["error"] == "wrong_language"


@pytest.mark.parametrize(
    ("query", "text"),
    [("", {"text": "half a", "flush": True}), ("&auto_mode=true", {"text": "It is done. "})],
)
async def test_what_is_flushed_is_said_before_more_comes(query: str, text: dict[str, Any]) -> None:
    line = Line()
    async with line.open(query), asyncio.timeout(5):
        line.write({"text": " "}, text)
        await until(lambda: line.characters == text["text"])
        assert line.audio == spoken(text["text"], HZ)
        assert line.closed is None


async def test_no_more_is_asked_for_than_is_soon_heard() -> None:
    line = Line()
    line.room.clear()
    line.write({"text": "Here is a sentence. " * 100}, ENDS)
    async with line.open(), asyncio.timeout(5):
        line.room.set()
        await until(lambda: line.told)
        line.room.clear()
        await asyncio.sleep(0.1)
        assert len(line.voice.requests) <= len(line.told) + AHEAD + 2
        line.room.set()
        await until(lambda: line.closed)
    assert len(line.voice.requests) >= 100


async def test_a_client_that_leaves_stops_the_work_and_its_meter() -> None:
    line = Line(tts(30.0))
    async with line.open() as serving, asyncio.timeout(5):
        line.write({"text": "Here is a sentence. And another one. "})
        await until(lambda: line.voice.requests)
        line.leave()
        await serving
    for request in line.voice.requests:
        with pytest.raises(StopAsyncIteration):  # it was cancelled
            await anext(request)
    line.collector.collect()
    assert len(line.collector) == 0


async def test_who_has_used_up_the_month_hears_what_was_paid_for() -> None:
    line = Line(spent=2)
    line.write({"text": "One is here. "}, {"text": "Two is not. "}, ENDS)
    await line.served()
    assert line.audio == spoken("One is here.", HZ)
    assert line.told[-1]["error"] == "insufficient_quota"
    assert line.closed == 1008


async def test_a_voice_that_fails_is_told() -> None:
    async def script(utterance: Utterance) -> AsyncIterator[Speech]:
        yield Speech(b"\0\0" * 100, HZ, ())
        raise InferenceError("worker_lost", "it died")

    line = Line(Scripted(script))
    line.write({"text": "Hello there. "}, ENDS)
    await line.served()
    assert line.told[-1] == {"message": "it died", "error": "worker_lost", "code": 1011}
    assert line.closed == 1011
