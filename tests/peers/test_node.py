"""npm's `openai` and `@openai/agents`, in node, as anybody would have them.

The programs (`*.test.mjs`) hold the conversations; what they heard is transcribed here.
"""

from pathlib import Path

import pytest

from tests.peers.node import passed
from tests.peers.sound import clip, transcribed, word_error_rate, write_wav
from tests.server.program import Server

pytestmark = [pytest.mark.models, pytest.mark.peers]

CLIPS = {
    "ocean": "What is the largest ocean on earth?",
    "cancel": "I want to cancel my subscription.",
}
TEXT = "What is the largest ocean on earth? Please tell me about the history of this old city."


@pytest.mark.parametrize("client", ["openai", "agents"])
def test_stock_clients_hold_conversations(server: Server, client: str, tmp_path: Path) -> None:
    for name, text in CLIPS.items():
        write_wav(tmp_path / f"{name}.wav", clip(text))
    passed(server, client, VOICEFORGE_CLIPS=str(tmp_path))
    heard = transcribed((tmp_path / f"{client}.heard.pcm").read_bytes())
    said = (tmp_path / f"{client}.heard.txt").read_text()
    assert word_error_rate(heard, said) <= 0.15, (heard, said)


def test_stock_openai_speaks_listens_and_answers(server: Server, tmp_path: Path) -> None:
    passed(server, "openai_http", VOICEFORGE_TEXT=TEXT, VOICEFORGE_HEARD=str(tmp_path))
    for written in sorted(tmp_path.glob("*.txt")):
        assert word_error_rate(written.read_text(), TEXT) <= 0.15, written.name
