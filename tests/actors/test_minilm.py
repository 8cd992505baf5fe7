"""Texts as points: what means the same lies together."""

import numpy as np
import pytest
from numpy.typing import NDArray

from actors.handlers import Share
from actors.minilm import DIMENSIONS, MiniLM, handler
from actors.store import Store
from engine.capabilities import Embedding, TextToEmbed

pytestmark = pytest.mark.models

PASSAGES = (
    "We are open from seven in the morning until six in the evening, on Sundays until noon.",
    "All our loaves are baked with organic rye or wheat, and some without gluten.",
    "Parcels are sent within two days and cost four euros; from thirty euros on they are free.",
)


@pytest.fixture(scope="module")
def minilm() -> MiniLM:
    return MiniLM(Store().path("minilm-l6"))


def points(found: list[Embedding]) -> NDArray[np.float32]:
    return np.stack([np.frombuffer(one.vector, "<f4") for one in found])


@pytest.mark.parametrize(
    ("question", "at"),
    [
        ("When does the shop close?", 0),
        ("I cannot eat gluten. What do you have for me?", 1),
        ("How much is the delivery?", 2),
    ],
)
def test_a_question_lies_nearest_to_the_passage_that_answers_it(
    minilm: MiniLM, question: str, at: int
) -> None:
    passages = points(minilm.embed([TextToEmbed(passage) for passage in PASSAGES]))
    (asked,) = points(minilm.embed([TextToEmbed(question)]))
    assert int(np.argmax(passages @ asked)) == at


def test_points_have_the_length_1_also_those_of_nothing(minilm: MiniLM) -> None:
    found = points(
        minilm.embed([TextToEmbed(text) for text in ("", "\0", "bread", "bread " * 999)])
    )
    assert found.shape == (4, DIMENSIONS)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)


def test_what_follows_the_256th_token_is_not_read(minilm: MiniLM) -> None:
    one, other = points(
        minilm.embed([TextToEmbed("bread " * 254 + end) for end in ("and salt", "is life")])
    )
    assert np.array_equal(one, other)


def test_a_worker_answers_one_text_a_lane() -> None:
    served = handler(Store().path("minilm-l6"), Share(lanes=2))
    served.warm_up()
    assert (served.max_batch, served.lanes) == (1, 2)
    ((place, found),) = served.run([TextToEmbed("bread")])
    assert (place, len(found.vector)) == (0, 4 * DIMENSIONS)
