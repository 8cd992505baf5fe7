"""The encoders' libraries are found wherever they are."""

import subprocess
import sys

import pytest

from server.speech import lame
from server.speech.lame import Lame
from transports import libraries


def test_a_machine_without_lame_has_that_of_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "of_machine", lambda name: None)
    found = libraries.lame.__wrapped__()
    assert "libmp3lame" in found._name
    monkeypatch.setattr(libraries, "lame", lambda: found)
    monkeypatch.setattr(lame, "library", lame.library.__wrapped__)
    encoder = Lame(24_000, 96)
    assert len(encoder.encode(bytes(48_000)) + encoder.end()) == pytest.approx(12_000, rel=0.1)


def test_where_there_is_none_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "of_machine", lambda name: None)
    monkeypatch.setattr(libraries, "WHEEL", "there-is-no-such-package")
    with pytest.raises(OSError, match="apt-get install libopus0"):
        libraries.opus.__wrapped__()


def test_nothing_is_loaded_that_is_gpl() -> None:
    """In a process of its own: other tests decode with all of FFmpeg."""
    look = "from server.speech import lame, opus; lame.library(); opus.library()"
    told = f"{look}; print(open('/proc/self/maps').read())"
    maps = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert "mp3lame" in maps.stdout
    assert "x264" not in maps.stdout
