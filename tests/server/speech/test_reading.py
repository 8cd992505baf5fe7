"""A text is cut as it is spoken, wherever it is fed from."""

from hypothesis import given
from hypothesis import strategies as st

from server.speech import reading
from server.speech.reading import cut

SENTENCES = st.sampled_from(["Good morning.", "Is it late?", "well, then", "\n", "No!", "a b c"])


@given(st.lists(SENTENCES, max_size=40), st.integers(1, 30))
def test_pieces_are_the_text_however_it_is_fed(parts: list[str], step: int) -> None:
    text = " ".join(parts)
    before, reading.FED_CHARS = reading.FED_CHARS, step
    try:
        assert "".join(cut(text)) == text
    finally:
        reading.FED_CHARS = before
