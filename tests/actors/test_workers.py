"""The real models in their real processes, through pools."""

from pathlib import Path
from typing import Any

import pytest

from actors.llm_plan import Embedded, LlmPlan
from actors.store import Store
from actors.workers import MODELS, Role, llm_command, model_command
from engine.capabilities import Clip, Speech, Transcript, TurnClip, TurnScore, Utterance
from engine.inference import InferenceError, Priority
from engine.pool import Pool
from engine.process import WorkerCommand
from tests.local import LocalReplica

_QUIET = bytes(2 * 16_000)


def _command(role: Role, store: Path) -> WorkerCommand:
    if role == "llm":
        return llm_command(LlmPlan(Embedded(MODELS["llm"], str(store), threads=2)))
    return model_command(role, MODELS[role], store)


async def _ask(
    role: Role, payload: Any, result_type: type[Any], store: Path | None = None
) -> list[Any]:
    command = _command(role, store or Store().root)
    pool: Pool[Any, Any] = Pool(role, result_type, [LocalReplica(role, command)])
    await pool.start()
    try:
        await pool.ready()
        request = pool.request(payload, priority=Priority.FIRST, deadline_ms=1000)
        return [result async for result in request]
    finally:
        await pool.close()


@pytest.mark.models
async def test_stt_hears_nothing_in_silence() -> None:
    assert await _ask("stt", Clip(_QUIET), Transcript) == [Transcript("", language="en")]


@pytest.mark.models
async def test_turn_scores_a_clip() -> None:
    (score,) = await _ask("turn", TurnClip(_QUIET), TurnScore)
    assert 0 <= score.complete <= 1


@pytest.mark.models
async def test_tts_speaks() -> None:
    chunks = await _ask("tts", Utterance("Your table is booked.", "joe"), Speech)
    seconds = sum(len(chunk.pcm) / 2 / chunk.rate_hz for chunk in chunks)
    assert 0.7 < seconds < 3


@pytest.mark.parametrize("role", ["stt", "turn", "tts", "llm"])
async def test_a_missing_model_is_reported_with_the_command_that_fetches_it(
    role: Role, tmp_path: Path
) -> None:
    with pytest.raises(InferenceError, match="voiceforge models pull") as missing:
        await _ask(role, None, type(None), tmp_path)
    assert missing.value.code == "model_missing"
