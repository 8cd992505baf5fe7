"""espeak-ng behind its worker, started as the server starts it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from engine.capabilities import Speech, Utterance
from engine.inference import InferenceError, Priority
from engine.pool import Pool
from server.commands import Commands
from server.compose import Platform
from server.fleet import ON_DEMAND
from server.readiness import Readiness
from server.settings_sources import load
from tests.local import LocalReplica


@pytest.fixture
async def pool(tmp_path: Path) -> AsyncIterator[Pool[Utterance, Speech]]:
    command = Commands(load(environ={}).settings, tmp_path).on_demand("espeak", 0)
    replica = LocalReplica("espeak", command, asleep=True)
    pool: Pool[Utterance, Speech] = Pool("espeak", Speech, [replica], replays=True)
    await pool.start()
    yield pool
    await pool.close()


async def test_it_wakes_and_speaks(pool: Pool[Utterance, Speech]) -> None:
    assert "espeak" in ON_DEMAND
    utterance = Utterance("आज बहुत सुंदर दिन है।", "espeak-hi", rate_hz=16_000)
    request = pool.request(utterance, priority=Priority.FIRST, deadline_ms=10_000)
    chunks = [speech async for speech in request]
    assert 1 < sum(len(chunk.pcm) for chunk in chunks) / 2 / 16_000 < 5
    assert sum(len(chunk.words) for chunk in chunks) == 5


async def test_a_machine_without_the_program_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    command = Commands(load(environ={}).settings, tmp_path).on_demand("espeak", 0)
    pool: Pool[Utterance, Speech] = Pool("espeak", Speech, [LocalReplica("espeak", command)])
    await pool.start()
    try:
        with pytest.raises(InferenceError, match="apt-get install espeak-ng") as failed:
            await pool.ready()
        assert failed.value.code == "model_missing"
    finally:
        await pool.close()


class Named:
    """A model that notes what it is asked."""

    def __init__(self, name: str, asked: list[tuple[str, str]]) -> None:
        self._name = name
        self._asked = asked

    def request(self, payload: Utterance, **when: object) -> None:
        self._asked.append((self._name, payload.voice))


async def test_a_gateway_asks_it_for_its_own_voices(tmp_path: Path) -> None:
    platform = Platform(load(environ={}).settings, tmp_path, Readiness(()), lambda worker: None)
    asked: list[tuple[str, str]] = []
    watch: Any = lambda pool, name: Named(name, asked)  # noqa: E731
    tts = platform.tts(watch)
    for voice in ("joe", "jm_kumo", "espeak-hi", "espeak-en-gb-x-rp"):
        tts.request(Utterance("", voice), priority=Priority.FIRST, deadline_ms=0)
    assert [name for name, _ in asked] == ["piper-joe", "kokoro-82m", "espeak-ng", "espeak-ng"]
    await platform.aclose()
