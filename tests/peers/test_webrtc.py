"""Chromium calls over WebRTC (`webrtc.test.mjs`), and what it heard is transcribed here."""

from pathlib import Path

import pytest

from bench.turns import turns
from tests.peers.node import passed
from tests.peers.sound import clip, room, transcribed, word_error_rate, write_wav
from tests.server.program import Server

pytestmark = [pytest.mark.models, pytest.mark.peers]

BROWSER_HZ = 48_000

CLIPS = {
    "ocean": "What is the largest ocean on earth?",
    "cancel": "I want to cancel my subscription.",
    "mhm": next(turn.text for turn in turns() if turn.kind == "acknowledgement"),
}


def test_chromium_holds_conversations(server: Server, tmp_path: Path) -> None:
    for name, text in CLIPS.items():
        write_wav(tmp_path / f"{name}.wav", clip(text, BROWSER_HZ), BROWSER_HZ)
    asked = room(1500, BROWSER_HZ) + clip(CLIPS["ocean"], BROWSER_HZ) + room(20_000, BROWSER_HZ)
    write_wav(tmp_path / "ocean_device.wav", asked, BROWSER_HZ)
    passed(server, "webrtc", VOICEFORGE_CLIPS=str(tmp_path))
    heard = transcribed((tmp_path / "webrtc.heard.pcm").read_bytes(), BROWSER_HZ)
    said = (tmp_path / "webrtc.heard.txt").read_text()
    assert word_error_rate(heard, said) <= 0.15, (heard, said)
