"""Models and endpoints that die, hang or talk nonsense, beside conversations that go on."""

import asyncio
import base64
import json
from collections.abc import Iterator

import psutil
import pytest

from tests.server.failing_llm import FailingLlm
from tests.server.local_server import LocalServer
from tests.server.program import Server
from tests.server.sound import at_24_khz, clip, stream
from tests.server.undisturbed import undisturbed
from tests.server.wire import Wire, connected, failure, typed, until

pytestmark = pytest.mark.models

STORY = "Tell me a long story about a lighthouse."
AT_LENGTH = "You tell long stories."


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server.until_ready()


def worker(server: Server, family: str) -> psutil.Process:
    """The process that runs this family of models."""
    return next(process for process in server.family() if family in process.cmdline())


async def replaced(server: Server, family: str, pid: int) -> None:
    """Wait until another process serves these models."""
    up = f'voiceforge_pool_up{{pool="{family}"}} 1.0'

    async def serves() -> bool:
        alive = [p.pid for p in server.family() if family in p.cmdline()]
        return pid not in alive and up in (await asyncio.to_thread(server.get, "/metrics"))[1]

    await until(serves, 60)


async def heard(wire: Wire, deltas: int) -> None:
    for _ in range(deltas):
        await wire.until("response.output_audio.delta")


async def test_an_llm_killed_in_mid_sentence_fails_its_response_and_comes_back(
    server: Server,
) -> None:
    session = {"output_modalities": ["text"], "instructions": AT_LENGTH}
    async with connected(server, **session) as wire:
        await wire.send(typed(STORY))
        await wire.send({"type": "response.create"})
        await wire.until("response.output_text.delta")
        killed = worker(server, "llm")
        killed.kill()
        done = await wire.until("response.done")
        assert done["response"]["status"] == "failed"
        assert failure(done["response"]) == "worker_lost"
        assert done["response"]["output"][0]["content"][0]["text"]
        await replaced(server, "llm", killed.pid)
        await wire.configure(max_output_tokens=12)
        assert (await wire.ask("Say hello."))["status"] in ("completed", "incomplete")


async def test_an_ear_killed_while_the_caller_speaks_misses_nothing(server: Server) -> None:
    hears = {"audio": {"input": {"transcription": {"model": "whisper-1"}}}}
    answers = {"output_modalities": ["text"], "max_output_tokens": 12}
    async with undisturbed(server), connected(server, **hears, **answers) as wire:
        pcm = at_24_khz(clip("What is the largest ocean on earth?")) + bytes(2 * 24_000 * 4)
        speaking = asyncio.create_task(stream(wire, pcm))
        await wire.until("input_audio_buffer.speech_started")
        killed = worker(server, "stt")
        killed.kill()
        told = await wire.until("conversation.item.input_audio_transcription.completed")
        assert "ocean" in told["transcript"].lower()
        done = await wire.until("response.done")
        assert done["response"]["status"] in ("completed", "incomplete")
        await speaking
        await replaced(server, "stt", killed.pid)


@pytest.fixture(scope="module")
def llm() -> Iterator[LocalServer]:
    with FailingLlm() as llm:
        yield llm


@pytest.fixture(scope="module")
def served_by(llm: LocalServer) -> Iterator[Server]:
    address = f"http://127.0.0.1:{llm.port}/v1"
    with Server(VOICEFORGE_LLM__BASE_URL=address, VOICEFORGE_LLM__MODEL="m") as server:
        yield server.until_ready()


async def spoken(wire: Wire) -> bytes:
    """The audio of the response that is being made."""
    pcm = b""
    while True:
        event = json.loads(await asyncio.wait_for(wire.socket.recv(), 60))
        if event["type"] == "response.output_audio.delta":
            pcm += base64.b64decode(event["delta"])
        if event["type"] == "response.done":
            assert event["response"]["status"] == "completed", event["response"]
            return pcm


async def test_a_voice_killed_in_mid_sentence_goes_on_where_it_was(served_by: Server) -> None:
    async with undisturbed(served_by, listening=False), connected(served_by) as wire:
        await wire.send(typed("breath"))
        await wire.send({"type": "response.create"})
        await heard(wire, 1)  # and the rest of the sentence is still being made
        killed = worker(served_by, "tts")
        killed.kill()
        disturbed = await spoken(wire)
        await replaced(served_by, "tts", killed.pid)
    async with connected(served_by) as wire:
        await wire.send(typed("breath"))
        await wire.send({"type": "response.create"})
        await heard(wire, 1)
        assert await spoken(wire) == disturbed  # not a sample is missing, twice or another


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("busy", "llm_overloaded"),
        ("garbage", "llm_failed"),
        ("cut", "llm_cut"),
        ("slow", "llm_timeout"),
    ],
)
async def test_an_endpoint_that_fails_is_told_and_the_next_turn_works(
    served_by: Server, asked: str, code: str
) -> None:
    async with undisturbed(served_by), connected(served_by, output_modalities=["text"]) as wire:
        response = await wire.ask(asked)
        assert (response["status"], failure(response)) == ("failed", code)
        assert response["status_details"]["error"]["message"]
        [item] = response["output"] if asked == "cut" else [None]
        if item is not None:
            assert item["content"][0]["text"] == "Hello there, caller."
            assert item["status"] == "incomplete"
        assert (await wire.ask("Hello?"))["status"] == "completed"


async def test_an_endpoint_that_is_down_is_found_again(served_by: Server, llm: LocalServer) -> None:
    async with connected(served_by, output_modalities=["text"]) as wire:
        assert (await wire.ask("Hello?"))["status"] == "completed"
        llm.down()
        response = await wire.ask("Hello?")
        llm.up()
        assert (response["status"], failure(response)) == ("failed", "llm_unreachable")
        assert (await wire.ask("Hello?"))["status"] == "completed"
