"""What is kept of conversations with a real server, whatever dies meanwhile."""

import asyncio
import base64
import contextlib
import io
import json
import urllib.request
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from websockets.exceptions import ConnectionClosed

from tests.server.program import Server
from tests.server.test_access import asked, begun, line, made
from tests.server.wire import Wire, until

pytestmark = pytest.mark.models

HZ = 24_000
QUESTION = Path(__file__).parents[1] / "data" / "question.wav"
TEXT: dict[str, Any] = {"output_modalities": ["text"], "max_output_tokens": 8}
RECORDED: dict[str, Any] = {"voiceforge": {"record": True}, "max_output_tokens": 12}
SOON_S = 15.0


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(VOICEFORGE_GATEWAYS="2") as server:
        yield server.until_ready()


async def record(server: Server, session: str) -> Any:
    status, text = await asyncio.to_thread(server.ask, "GET", f"/v1/sessions/{session}")
    return json.loads(text) if status == 200 else None


async def until_record(server: Server, session: str, fits: Any) -> Any:
    """The record, once it is as it should be."""
    found: Any = None

    async def right() -> bool:
        nonlocal found
        found = await record(server, session)
        return found is not None and fits(found)

    try:
        await until(right, SOON_S)
    except TimeoutError:
        raise AssertionError(found) from None
    return found


async def sound(server: Server, session: str, form: str = "wav") -> bytes:
    def get() -> bytes:
        url = f"{server.url}/v1/sessions/{session}/recording?format={form}"
        with urllib.request.urlopen(urllib.request.Request(url, headers=server.headers)) as answer:
            body: bytes = answer.read()
            return body

    return await asyncio.to_thread(get)


def sides(body: bytes) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    with wave.open(io.BytesIO(body)) as file:
        both = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    return both[:, 0], both[:, 1]


def over(found: Any) -> bool:
    return found["end_reason"] is not None


class Caller:
    """Speaks at real pace; keeps what it hears."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.heard = b""

    async def speak(self, pcm: bytes) -> None:
        for start in range(0, len(pcm), HZ // 25):
            audio = base64.b64encode(pcm[start : start + HZ // 25]).decode()
            await self.wire.send({"type": "input_audio_buffer.append", "audio": audio})
            await asyncio.sleep(0.02)

    async def listen(self) -> None:
        while (event := json.loads(await self.wire.socket.recv()))["type"] != "response.done":
            if event["type"] == "response.output_audio.delta":
                self.heard += base64.b64decode(event["delta"])


def question() -> bytes:
    """At 24 kHz, and some silence behind it."""
    with wave.open(str(QUESTION)) as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        at = np.arange(round(len(pcm) * HZ / file.getframerate())) * file.getframerate() / HZ
    voice: bytes = np.interp(at, np.arange(len(pcm)), pcm).astype("<i2").tobytes()
    return voice + bytes(2 * HZ)


async def test_a_spoken_exchange_is_kept_as_words_and_as_sound(server: Server) -> None:
    account = (await asked(server, "POST", "/v1/admin/accounts", {"name": "Bakery"}))["id"]
    _, key = await made(server, account_id=account)
    async with line(server, key, max_size=None, max_queue=None) as socket:
        wire, session = await begun(socket)
        ident = session["id"]
        await wire.configure(**RECORDED)
        caller = Caller(wire)
        speaking = asyncio.create_task(caller.speak(question() + bytes(8 * HZ)))
        await caller.listen()
        await speaking
    found = await until_record(server, ident, over)
    said, answer = found["turns"]
    assert (said["kind"], answer["kind"]) == ("caller", "agent")
    assert "mountain" in said["text"].lower()
    assert answer["text"]
    assert answer["first_audio_ms"] > 0
    assert found["recorded"]
    left, right = sides(await sound(server, ident))
    spoken = np.frombuffer(caller.heard, "<i2")
    begins = int(np.flatnonzero(right)[0]) - int(np.flatnonzero(spoken)[0])
    assert np.array_equal(right[begins : begins + len(spoken)], spoken)  # as it was sent
    quiet_from = int(np.flatnonzero(np.abs(left.astype(int)) > 1000)[-1])
    waited_ms = (int(np.flatnonzero(right)[0]) - quiet_from) / HZ * 1000
    assert waited_ms == pytest.approx(answer["first_audio_ms"], abs=400)
    assert (await sound(server, ident, "opus")).startswith(b"OggS")
    status, text = await asyncio.to_thread(
        server.ask, "POST", f"/v1/sessions/{ident}/recording/link", {}
    )
    assert status == 201
    url = json.loads(text)["url"]
    linked = await asyncio.to_thread(lambda: urllib.request.urlopen(url).read())
    assert linked == await sound(server, ident)
    told = await asked(server, "GET", f"/v1/analytics?account={account}&to=2999-01-01")
    assert told["total"]["latency"]["answers"] == 1
    assert "mountain" not in "".join(server.err).lower()


async def test_the_database_dies_under_load_and_no_word_is_lost_or_doubled(server: Server) -> None:
    account = (await asked(server, "POST", "/v1/admin/accounts", {"name": "Mill"}))["id"]
    _, key = await made(server, account_id=account)
    sessions: dict[str, int] = {}

    async def talk(number: int) -> None:
        async with line(server, key, max_size=None, max_queue=None) as socket:
            wire, session = await begun(socket)
            await wire.configure(**TEXT)
            for turn in range(6):
                await wire.ask(f"Name a colour, caller {number}, turn {turn}.")
                await asyncio.sleep(0.3)
            sessions[session["id"]] = number

    talking = [asyncio.create_task(talk(number)) for number in range(4)]
    for _ in range(3):
        await asyncio.sleep(2)
        for process in server.family():
            if process.name() == "postgres":
                process.kill()
    await asyncio.gather(*talking)
    for ident, number in sessions.items():
        found = await until_record(server, ident, over)
        said = [turn["text"] for turn in found["turns"] if turn["kind"] == "caller"]
        assert said == [f"Name a colour, caller {number}, turn {turn}." for turn in range(6)]
        answers = [turn for turn in found["turns"] if turn["kind"] == "agent"]
        assert len(answers) == found["responses"] == 6
        assert all(turn["text"] for turn in answers)
    page = await asked(server, "GET", f"/v1/sessions?account={account}")
    assert {session["id"] for session in page["data"]} == set(sessions)


async def test_a_killed_gateway_loses_a_second_of_words_and_of_sound(server: Server) -> None:
    _, key = await made(server)
    async with line(server, key, max_size=None, max_queue=None) as socket:
        wire, session = await begun(socket)
        ident = session["id"]
        index = ident.split("_")[1]
        await wire.configure(**RECORDED)
        await wire.ask("Say hello.")
        caller = Caller(wire)
        speech = question()[: 2 * HZ * 2]
        for _ in range(2):
            await caller.speak(speech)
        [gateway] = [p for p in await gateways(server) if p["index"] == int(index)]
        psutil.Process(gateway["pid"]).kill()
        with contextlib.suppress(ConnectionClosed):
            while True:
                await wire.socket.recv()
    found = await until_record(server, ident, over)
    assert found["end_reason"] == "lost"
    assert found["turns"][0]["text"] == "Say hello."
    assert found["turns"][1]["text"]
    left, _ = sides(await sound(server, ident))
    last = int(np.flatnonzero(np.abs(left.astype(int)) > 0)[-1]) - int(np.flatnonzero(left)[0])
    assert last > (4.0 - 1.0) * HZ
    assert (await sound(server, ident, "opus")).startswith(b"OggS")
    folders = [path.name for path in (server.state / "journals").iterdir()]
    assert len(folders) == 2


async def gateways(server: Server) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = (await asked(server, "GET", "/v1/system"))["gateways"]
    return told
