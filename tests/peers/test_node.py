"""Conversations through npm's `openai` and `@openai/agents`, in node, as anybody would have them.

The programs (`*.test.mjs`) hold the conversations; what they heard is transcribed here.
"""

import os
import subprocess
from pathlib import Path

import pytest

from tests.peers.sound import clip, transcribed, word_error_rate, write_wav
from tests.server.program import Server

pytestmark = [pytest.mark.models, pytest.mark.peers]

HERE = Path(__file__).parent
CLIPS = {
    "ocean": "What is the largest ocean on earth?",
    "cancel": "I want to cancel my subscription.",
}
LONGEST_S = 400
TEXT = "What is the largest ocean on earth? Please tell me about the history of this old city."


@pytest.mark.parametrize("client", ["openai", "agents"])
def test_stock_clients_hold_conversations(server: Server, client: str, tmp_path: Path) -> None:
    for name, text in CLIPS.items():
        write_wav(tmp_path / f"{name}.wav", clip(text))
    done = subprocess.run(
        ["node", "--test", "--test-reporter=spec", f"{client}.test.mjs"],
        cwd=HERE,
        env=os.environ
        | {"VOICEFORGE_URL": server.url, "VOICEFORGE_API_KEY": server.key}
        | {"VOICEFORGE_CLIPS": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    heard = transcribed((tmp_path / f"{client}.heard.pcm").read_bytes())
    said = (tmp_path / f"{client}.heard.txt").read_text()
    assert word_error_rate(heard, said) <= 0.15, (heard, said)


def test_stock_openai_speaks_listens_and_answers(server: Server, tmp_path: Path) -> None:
    done = subprocess.run(
        ["node", "--test", "--test-reporter=spec", "openai_http.test.mjs"],
        cwd=HERE,
        env=os.environ
        | {"VOICEFORGE_URL": server.url, "VOICEFORGE_API_KEY": server.key}
        | {"VOICEFORGE_TEXT": TEXT, "VOICEFORGE_HEARD": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for written in sorted(tmp_path.glob("*.txt")):
        assert word_error_rate(written.read_text(), TEXT) <= 0.15, written.name
