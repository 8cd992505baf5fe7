"""smart-turn on the labelled turns."""

import numpy as np
import pytest

from actors.smart_turn import SmartTurn
from actors.store import Store
from bench.turns import on_line, turns
from engine.capabilities import TurnClip

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def smart_turn() -> SmartTurn:
    return SmartTurn(Store().path("smart-turn-v3"))


def test_whole_turns_score_higher_than_cut_ones(smart_turn: SmartTurn) -> None:
    whole, cut = [], []
    for turn in turns("hesitation", "question")[::4]:
        pcm = on_line(turn.pcm())
        whole.append(TurnClip(pcm[: int(turn.last_voiced_ms + 200) * 16].tobytes()))
        if turn.pause_start_ms is not None:
            cut.append(TurnClip(pcm[: int(turn.pause_start_ms + 200) * 16].tobytes()))
    whole_scores = [score.complete for score in smart_turn.score(whole)]
    cut_scores = [score.complete for score in smart_turn.score(cut)]
    assert np.mean(whole_scores) > np.mean(cut_scores) + 0.1
    assert all(0 <= score <= 1 for score in whole_scores + cut_scores)


def test_a_batch_gives_what_each_clip_gives_alone(smart_turn: SmartTurn) -> None:
    clips = [TurnClip(turn.pcm().tobytes()) for turn in turns("question")[:3]]
    together = [score.complete for score in smart_turn.score(clips)]
    alone = [smart_turn.score([clip])[0].complete for clip in clips]
    assert together == pytest.approx(alone, abs=0.02)


def test_only_the_last_eight_seconds_count(smart_turn: SmartTurn) -> None:
    pcm = np.concatenate([turn.pcm() for turn in turns("question")[:6]])
    long, last = smart_turn.score([TurnClip(pcm.tobytes()), TurnClip(pcm[-128_000:].tobytes())])
    assert long.complete == pytest.approx(last.complete, abs=1e-3)


def test_nothing_is_scored_as_nothing(smart_turn: SmartTurn) -> None:
    assert smart_turn.score([]) == []
    assert 0 <= smart_turn.score([TurnClip(b"")])[0].complete <= 1


def test_half_a_sample_is_refused(smart_turn: SmartTurn) -> None:
    with pytest.raises(ValueError, match="clip has 1 bytes"):
        smart_turn.score([TurnClip(b"x")])
