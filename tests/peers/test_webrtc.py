"""Chromium calls over WebRTC (`webrtc.test.mjs`), and what it heard is transcribed here."""

import subprocess
from collections.abc import Iterator
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


RELAY_PORT, SECRET = 34_780, "north"


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """coturn, as anybody would run it; its address."""
    folder = tmp_path_factory.mktemp("coturn")
    options = [
        "--listening-ip=127.0.0.1",
        "--relay-ip=127.0.0.1",
        f"--listening-port={RELAY_PORT}",
        "--min-port=49160",
        "--max-port=49200",
        "--use-auth-secret",
        f"--static-auth-secret={SECRET}",
        "--realm=test",
        "--allow-loopback-peers",
        "--no-cli",
        "--no-tls",
        "--no-dtls",
        "--log-file=stdout",
        f"--pidfile={folder / 'pid'}",
        f"--userdb={folder / 'db'}",
    ]
    turnserver = subprocess.Popen(["turnserver", "-n", *options], stdout=subprocess.DEVNULL)
    try:
        yield f"turn:127.0.0.1:{RELAY_PORT}"
    finally:
        turnserver.kill()
        turnserver.wait()


@pytest.fixture(scope="module")
def server(relay: str) -> Iterator[Server]:
    with Server(VOICEFORGE_WEBRTC__TURN=relay, VOICEFORGE_WEBRTC__TURN_SECRET=SECRET) as server:
        yield server.until_ready()


def test_chromium_holds_conversations(server: Server, tmp_path: Path) -> None:
    for name, text in CLIPS.items():
        write_wav(tmp_path / f"{name}.wav", clip(text, BROWSER_HZ), BROWSER_HZ)
    asked = room(1500, BROWSER_HZ) + clip(CLIPS["ocean"], BROWSER_HZ) + room(20_000, BROWSER_HZ)
    write_wav(tmp_path / "ocean_device.wav", asked, BROWSER_HZ)
    passed(server, "webrtc", VOICEFORGE_CLIPS=str(tmp_path))
    heard = transcribed((tmp_path / "webrtc.heard.pcm").read_bytes(), BROWSER_HZ)
    said = (tmp_path / "webrtc.heard.txt").read_text()
    assert word_error_rate(heard, said) <= 0.15, (heard, said)
