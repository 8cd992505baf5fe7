"""The real models in their real processes, through pools."""

from typing import Any

import pytest

from actors.workers import Family, worker_command
from engine.capabilities import Clip, Speech, Transcript, TurnClip, TurnScore, Utterance
from engine.inference import InferenceError, Priority
from engine.pool import Pool

_QUIET = bytes(2 * 16_000)


async def _ask(family: Family, payload: Any, result_type: type[Any]) -> list[Any]:
    pool: Pool[Any, Any] = Pool(family, worker_command(family), result_type)
    await pool.start()
    try:
        await pool.ready()
        request = pool.request(payload, priority=Priority.FIRST, deadline_ms=1000)
        return [result async for result in request]
    finally:
        await pool.close()


@pytest.mark.models
async def test_stt_hears_nothing_in_silence() -> None:
    assert await _ask("stt", Clip(_QUIET), Transcript) == [Transcript("")]


@pytest.mark.models
async def test_turn_scores_a_clip() -> None:
    (score,) = await _ask("turn", TurnClip(_QUIET), TurnScore)
    assert 0 <= score.complete <= 1


@pytest.mark.models
async def test_tts_speaks() -> None:
    chunks = await _ask("tts", Utterance("Your table is booked.", "joe"), Speech)
    seconds = sum(len(chunk.pcm) / 2 / chunk.rate_hz for chunk in chunks)
    assert 0.7 < seconds < 3


@pytest.mark.parametrize("family", ["stt", "turn", "tts", "llm"])
async def test_a_missing_model_is_reported_with_the_command_that_fetches_it(
    family: Family, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("VOICEFORGE_MODELS", str(tmp_path))
    with pytest.raises(InferenceError, match="voiceforge models pull") as missing:
        await _ask(family, None, type(None))
    assert missing.value.code == "model_missing"
