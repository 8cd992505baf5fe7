"""What clients, networks and machines do wrong, against the whole running product.

In every test others have conversations on the same server and must not notice.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.server.program import Server, voiceforge
from tests.server.sound import append, at_24_khz, clip, stream
from tests.server.undisturbed import undisturbed
from tests.server.wire import Wire, connected, failure, typed, until
from transports.realtime.text import LONGEST_TEXT
from transports.realtime.wire import LARGEST_MESSAGE

pytestmark = pytest.mark.models

TEXT = {"output_modalities": ["text"], "max_output_tokens": 12}
FLOOD = 20_000  # events, all offered at once
GROWTH_MB = 150
"""What the gateway may keep of all the abuse of one test: allocators give little back."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(VOICEFORGE_LIMITS__RECONNECT_GRACE_S="0.5") as server:
        yield server.until_ready()


@pytest_asyncio.fixture(autouse=True)
async def others_notice_nothing(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """Conversations go on beside each test; memory and sessions are as before after it."""
    if "server" not in request.fixturenames:
        yield
        return
    server: Server = request.getfixturevalue("server")
    gateway = server.gateway()
    before_mb = gateway.memory_info().rss / 1e6
    async with undisturbed(server):
        yield
    assert gateway.memory_info().rss / 1e6 < before_mb + GROWTH_MB
    assert [line for line in server.logged() if line["level"] == "error"] == []


async def test_nonsense_is_answered_by_an_error_and_the_session_goes_on(server: Server) -> None:
    async with connected(server, **TEXT) as wire:
        cases: list[tuple[dict[str, Any] | str | bytes, str, str | None]] = [
            ('{"type": "response.create"', "invalid_json", None),
            (b"\xff\xfe\x00", "invalid_json", None),
            ({"type": "make.coffee"}, "invalid_value", "type"),
            ({"type": "conversation.item.retrieve", "item_id": 7}, "invalid_value", "item_id"),
            ({"type": "input_audio_buffer.append", "audio": "%%%"}, "invalid_value", "audio"),
            (append(b"\x01\x02\x03"), "invalid_value", "audio"),
        ]
        for event, code, param in cases:
            error = await wire.error(event)
            assert (error["code"], error["param"]) == (code, param), event
        assert (await wire.ask("Hello."))["status"] in ("completed", "incomplete")


async def test_an_event_over_the_limit_closes_with_1009(server: Server) -> None:
    async with connected(server) as wire:
        with pytest.raises(ConnectionClosed) as closed:
            await oversize(wire)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


async def oversize(wire: Wire) -> None:
    """The server closes while it is being sent, or after."""
    await wire.send("x" * (LARGEST_MESSAGE + 1))
    await wire.until("never", 20)


async def test_a_client_that_stops_reading_is_ended(server: Server) -> None:
    async with connect(
        server.realtime_url, additional_headers=server.headers, max_queue=1, ping_interval=None
    ) as socket:
        wire = Wire(socket)
        created = await wire.until("session.created")
        await wire.send(typed("All work and no play. " * 2_900))
        item = (await wire.until("conversation.item.done"))["item"]
        ended = {"session": created["session"]["id"], "reason": "client_did_not_return"}
        for _ in range(600):  # 38 MB of answers, which nobody reads
            await wire.send({"type": "conversation.item.retrieve", "item_id": item["id"]})

        async def told() -> bool:
            return any(ended.items() <= line.items() for line in server.logged())

        await until(told, 30)
        wire.vanish()


async def test_a_client_that_vanishes_in_mid_word_is_forgotten(server: Server) -> None:
    async with connected(server) as wire:
        pcm = at_24_khz(clip("Who painted the Mona Lisa?"))
        await stream(wire, pcm[: len(pcm) // 2])
        wire.vanish()


async def test_a_flood_of_events_slows_down_its_sender_only(server: Server) -> None:
    clear = json.dumps({"type": "input_audio_buffer.clear"})
    unbounded = 1 << 30  # the client does not wait until the server has read
    async with connect(
        server.realtime_url,
        additional_headers=server.headers,
        max_queue=None,
        write_limit=unbounded,
    ) as socket:
        wire = Wire(socket)
        for _ in range(FLOOD):
            await wire.send(clear)
        for _ in range(FLOOD):
            await wire.until("input_audio_buffer.cleared")


async def test_noise_and_clipping_disturb_nobody(server: Server) -> None:
    transcription = {"audio": {"input": {"transcription": {"model": "whisper-1"}}}}
    async with connected(server, output_modalities=["text"], **transcription) as wire:
        rng = np.random.default_rng(1)
        hiss = (rng.standard_normal(24_000 * 2) * 3000).astype("<i2").tobytes()
        square = np.where(np.arange(24_000) % 60 < 30, 32767, -32768).astype("<i2").tobytes()
        overdriven = at_24_khz(clip("What is the largest ocean on earth?"), gain=30)
        await stream(wire, hiss + square + bytes(48_000) + overdriven + bytes(72_000))
        told = await wire.until("conversation.item.input_audio_transcription.completed")
        while "ocean" not in told["transcript"].lower():
            told = await wire.until("conversation.item.input_audio_transcription.completed")


@pytest.mark.parametrize(
    "text",
    ["🙂" * 200, "مرحبا كيف حالك؟ שלום", "\u202eturned\u200b", "\n\t  ", "e\u0301" * 99],
    ids=["emoji", "right-to-left", "invisible", "blank", "combining"],
)
async def test_any_text_is_answered_and_spoken(server: Server, text: str) -> None:
    async with connected(server, **TEXT) as wire:
        assert (await wire.ask(text))["status"] in ("completed", "incomplete")
    say = {"instructions": f"Repeat this: {text}", "output_modalities": ["audio"]}
    async with connected(server, **say, max_output_tokens=8) as wire:
        assert (await wire.ask(text))["status"] in ("completed", "incomplete")


async def test_nul_is_refused_where_it_stands(server: Server) -> None:
    async with connected(server, **TEXT) as wire:
        error = await wire.error(typed("zero\x00width"))
        assert (error["code"], error["param"]) == ("invalid_value", "item.content[0].text")


async def test_a_hundred_thousand_characters_are_refused(server: Server) -> None:
    async with connected(server, **TEXT) as wire:
        error = await wire.error(typed("All work and no play. " * 4_600))
        assert error["code"] == "string_above_max_length"
        assert error["param"] == "item.content[0].text"
        assert str(LONGEST_TEXT) in error["message"]


async def test_a_text_that_is_too_long_for_the_model_fails_its_response(server: Server) -> None:
    async with connected(server, **TEXT) as wire:
        response = await wire.ask("All work and no play. " * 2_900)
        assert response["status"] == "failed"
        assert failure(response) == "llm_refused"


async def test_a_model_that_is_missing_is_named(tmp_path: Path) -> None:
    done = await asyncio.to_thread(
        voiceforge,
        "serve",
        "--port",
        "0",
        VOICEFORGE_MODELS=str(tmp_path),
        VOICEFORGE_OFFLINE="true",
    )
    assert done.status == 1
    assert str(tmp_path) in done.err
    assert "VOICEFORGE_OFFLINE" in done.err
    assert "Traceback" not in done.err
