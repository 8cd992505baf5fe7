"""What is used, as `/v1/usage` tells it: all of it, once, whatever happens to the database."""

import asyncio
import base64
import contextlib
import json
import signal
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from actors.workers import MODELS
from tests.folder import folder
from tests.server.program import Server
from tests.server.test_access import asked, line, made, refusal
from tests.server.wire import Wire, typed, until

pytestmark = pytest.mark.models

TEXT: dict[str, Any] = {"output_modalities": ["text"], "max_output_tokens": 8}

HZ = 24_000

LATE_S = 15.0
"""A gateway tells every second, the supervisor writes every two."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(VOICEFORGE_GATEWAYS="2") as server:
        yield server.until_ready()


class Driven:
    """A session, and what it should come to."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.used: Counter[str] = Counter()
        self.heard = b""

    async def ask(self, text: str) -> None:
        await self.wire.send(typed(text))
        await self.wire.send({"type": "response.create"})
        while (event := json.loads(await self.wire.socket.recv()))["type"] != "response.done":
            if event["type"] == "response.output_audio.delta":
                self.heard += base64.b64decode(event["delta"])
        self.used["audio_out_ms"] = len(self.heard) * 500 // HZ
        usage, output = event["response"]["usage"], event["response"]["output"]
        assert event["response"]["status"] in ("completed", "incomplete"), event
        self.used["input_tokens"] += usage["input_tokens"]
        self.used["output_tokens"] += usage["output_tokens"]
        self.used["cached_tokens"] += usage["input_token_details"]["cached_tokens"]
        if "audio" in event["response"]["output_modalities"]:
            said = "".join(part["transcript"] for item in output for part in item["content"])
            self.used["characters"] += len(said)

    async def hear(self, seconds: float) -> None:
        """Stream so much silence, at real pace."""
        for _ in range(round(seconds * 50)):
            audio = base64.b64encode(bytes(2 * HZ // 50)).decode()
            await self.wire.send({"type": "input_audio_buffer.append", "audio": audio})
            self.used["audio_in_ms"] += 20
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def driven(server: Server, key: str, **session: Any) -> AsyncIterator[Driven]:
    async with line(server, key, max_size=None, max_queue=None) as socket:
        wire = Wire(socket)
        await wire.until("session.created")
        await wire.configure(**session)
        yield Driven(wire)


async def usage(server: Server, **query: Any) -> Any:
    pairs = [
        (k, v) for k, many in query.items() for v in (many if isinstance(many, list) else [many])
    ]
    text = "&".join(f"{name}={value}" for name, value in pairs)
    return await asked(server, "GET", f"/v1/usage?{text}")


def counted(used: dict[str, Any]) -> dict[str, float]:
    """What a test can count too, in its units."""
    return {
        "characters": used["characters"],
        "input_tokens": used["input_tokens"],
        "output_tokens": used["output_tokens"],
        "cached_tokens": used["cached_tokens"],
        "audio_in_ms": round(used["audio_in_s"] * 1000),
        "audio_out_ms": round(used["audio_out_s"] * 1000),
    }


async def until_counted(server: Server, sessions: list[Driven], **query: Any) -> Any:
    """The usage, once it is the sum of what was driven through; it must not become more."""
    wanted: Counter[str] = sum((session.used for session in sessions), Counter())
    told: Any = None

    async def right() -> bool:
        nonlocal told
        told = await usage(server, **query)
        have = counted(told["used"])
        assert all(value <= wanted[name] for name, value in have.items()), (have, wanted)
        return all(value == wanted[name] for name, value in have.items())

    try:
        await until(right, LATE_S)
    except TimeoutError:
        raise AssertionError((counted(told["used"]), wanted)) from None
    return told


async def test_the_totals_are_the_sum_of_what_was_driven_through(server: Server) -> None:
    account = (await asked(server, "POST", "/v1/admin/accounts", {"name": "Bakery"}))["id"]
    keys = [await made(server, account_id=account) for _ in range(2)]
    _, reader = await made(server, account_id=account, scopes=["usage"])
    sessions: list[Driven] = []
    for (_, key), modality in ((keys[0], "text"), (keys[1], "audio"), (keys[1], "text")):
        settings = {**TEXT, "output_modalities": [modality]}
        async with driven(server, key, **settings) as session:
            await session.hear(0.5)
            await session.ask("What is the highest mountain?")
            await session.ask("And the longest river?")
            sessions.append(session)
    told = await until_counted(server, sessions, account=account)
    assert told["used"]["compute_s"] > 0

    by_key = await usage(server, account=account, group_by=["key", "model"], to="2999-01-01")
    rows = {(row["key"], row["model"]): row for row in by_key["data"] if not row["dropped"]}
    (first, _), (second, _) = keys
    llm, tts = MODELS["llm"], MODELS["tts"]
    assert rows[first, llm]["output_tokens"] == sessions[0].used["output_tokens"]
    assert rows[second, llm]["sessions"] == 2
    assert rows[second, tts]["characters"] == sessions[1].used["characters"] > 0
    assert (first, tts) not in rows
    assert rows[second, None]["audio_in_s"] == 1.0
    assert rows[second, tts]["compute_s"] > 0

    status, text = await asyncio.to_thread(server.ask, "GET", "/v1/usage", None, reader)
    own = json.loads(text)
    assert (status, own["used"]) == (200, told["used"])
    path = "/v1/usage?account=acc_default"
    assert (await asyncio.to_thread(server.ask, "GET", path, None, reader))[0] == 404


async def test_what_cannot_be_asked_is_told(server: Server) -> None:
    for query, word in (
        ("from=yesterday", "from is 'yesterday': expected a day such as 2026-11-01"),
        ("to=9999999-01-01", "to is"),
        ("group_by=colour", "group_by"),
    ):
        status, text = await asyncio.to_thread(server.ask, "GET", f"/v1/usage?{query}")
        assert status == 400
        assert word in text
    assert (await usage(server, **{"from": "2020-01-01", "to": "2020-01-02"}))["data"] == []


async def test_who_has_used_up_its_month_is_ended_gently_and_refused(server: Server) -> None:
    _, key = await made(server, limits={"characters_per_month": 5})
    async with driven(server, key, max_output_tokens=8) as session:
        await session.ask("Say hello.")  # it is said to its end
        with contextlib.suppress(Exception):
            while True:
                last = json.loads(await asyncio.wait_for(session.wire.socket.recv(), 20))
        assert session.used["characters"] > 5
        assert session.wire.socket.close_reason == "insufficient_quota", last
    status, code, after = await refusal(server, key)
    assert (status, code) == (429, "insufficient_quota")
    assert 0 < int(after or 0) <= 31 * 86_400
    speech = "/v1/audio/speech", {"input": "Hello."}
    chat = "/v1/chat/completions", {"messages": [{"role": "user", "content": "Hello."}]}
    for path, body in (speech, chat):
        status, text = await asyncio.to_thread(server.ask, "POST", path, body, key)
        assert (status, json.loads(text)["error"]["code"]) == (429, "insufficient_quota")


async def test_speech_and_chats_are_counted(server: Server) -> None:
    ident, key = await made(server)
    body: dict[str, Any] = {"input": "Hello there.", "response_format": "opus"}
    spoken = urllib.request.Request(
        f"{server.url}/v1/audio/speech",
        json.dumps(body).encode(),
        {"authorization": f"Bearer {key}", "content-type": "application/json"},
    )
    with await asyncio.to_thread(urllib.request.urlopen, spoken, timeout=20) as answer:
        assert answer.read()[:4] == b"OggS"
    body = {"messages": [{"role": "user", "content": "Hello."}], "max_tokens": 8}
    status, text = await asyncio.to_thread(server.ask, "POST", "/v1/chat/completions", body, key)
    told = json.loads(text)["usage"]

    async def counted() -> bool:
        rows = (await usage(server, key=ident, group_by="model"))["data"]
        characters = sum(row["characters"] for row in rows)
        tokens = sum(row["input_tokens"] for row in rows), sum(row["output_tokens"] for row in rows)
        return characters == 12 and tokens == (told["prompt_tokens"], told["completion_tokens"])

    assert status == 200
    await until(counted, 15)


async def test_the_database_dies_under_load_and_nothing_is_lost_or_counted_twice(
    server: Server,
) -> None:
    account = (await asked(server, "POST", "/v1/admin/accounts", {"name": "Mill"}))["id"]
    _, key = await made(server, account_id=account)
    sessions: list[Driven] = []

    async def talk() -> None:
        async with driven(server, key, **TEXT) as session:
            sessions.append(session)
            for _ in range(4):
                await session.ask("Name a colour.")
                await session.hear(0.2)

    talking = [asyncio.create_task(talk()) for _ in range(3)]
    for _ in range(3):
        await asyncio.sleep(2)
        for process in server.family():
            if process.name() == "postgres":
                process.kill()
    await asyncio.gather(*talking)

    async def back() -> bool:
        return (await asyncio.to_thread(server.ask, "GET", "/v1/usage"))[0] == 200

    await until(back, 30)
    await until_counted(server, sessions, account=account)


async def test_what_was_used_before_everything_was_killed_is_counted_by_the_next_start() -> None:
    with folder() as path:
        state = str(path / "state")
        with Server(VOICEFORGE_STATE=state) as server:
            server.until_ready()
            account = (await asked(server, "POST", "/v1/admin/accounts", {"name": "Mill"}))["id"]
            _, key = await made(server, account_id=account)
            async with driven(server, key, **TEXT) as session:
                await session.ask("Name a colour.")
            await until_counted(server, [session], account=account)
            async with driven(server, key, **TEXT) as late:
                for process in database_of(server):
                    process.suspend()
                await late.ask("Name another.")

            async def spooled() -> bool:
                return bool(files(state))

            await until(spooled, 10)
            await asyncio.sleep(2.5)  # the last of it
            whole = database_of(server)
            server.signal(signal.SIGKILL)
            for process in whole:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        with Server(VOICEFORGE_STATE=state) as server:
            server.until_ready()
            await until_counted(server, [session, late], account=account)
            assert files(state) == []


def database_of(server: Server) -> list[psutil.Process]:
    """All processes of its database."""
    (postgres,) = (one for one in server.family() if one.name() == "postgres")
    return [postgres, *postgres.children(recursive=True)]


def files(state: str) -> list[Path]:
    """Batches that are not in the database."""
    return list(Path(state, "usage").rglob("0*"))
