"""What a call from a browser tells."""

import base64
import wave
from pathlib import Path

import msgspec
import numpy as np
import pytest

from bench.browser import BrowserFailed, Came, Wanted, read, run
from bench.sound import to_pcm

WANTED = Wanted("webrtc", "http://127.0.0.1:1", "key", {"type": "realtime"}, {}, "mic.wav", 0.1)


def test_both_sides_are_recorded_from_the_same_moment(tmp_path: Path) -> None:
    said, heard = np.zeros(480, np.float32), np.full(480, 0.5, np.float32)
    told = {
        "rateHz": 24_000,
        "said": base64.b64encode(to_pcm(said)).decode(),
        "heard": base64.b64encode(to_pcm(heard)).decode(),
        "events": [{"at_s": 0.02, "event": {"type": "session.created"}}],
        "statistics": [{"type": "inbound-rtp"}],
    }

    recording = read(msgspec.json.encode(told))

    assert recording.rate_hz == 24_000
    assert recording.events == [Came(0.02, {"type": "session.created"})]
    assert list(recording.said) == list(said)
    assert recording.heard == pytest.approx(heard, abs=1e-4)
    recording.keep(tmp_path / "new", "call")
    with wave.open(str(tmp_path / "new" / "call-heard.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (24_000, 1, 480)


def test_the_program_is_told_what_is_wanted() -> None:
    assert msgspec.json.decode(run(["cat"], WANTED), type=Wanted) == WANTED


def test_a_call_that_fails_says_what_the_browser_said() -> None:
    with pytest.raises(BrowserFailed, match="there is no Chromium"):
        run(["sh", "-c", "echo there is no Chromium >&2; exit 1"], WANTED)
