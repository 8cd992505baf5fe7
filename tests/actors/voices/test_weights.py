"""Voices from a hub on this machine: whole, checked, bounded, and known when it is gone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.download import Silent, StoreError
from actors.hub import Hub
from actors.store import Store
from actors.voices import weights
from actors.voices.catalogue import catalogue
from actors.voices.here import machine_of
from actors.voices.routing import choose
from actors.voices.weights import VoiceWeights, fetchable
from tests.voice_hub import KRISTIN, VoiceHub

WEIGHTS = bytes(range(256)) * 1000


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[VoiceHub]:
    weights, settings = tmp_path / "weights", tmp_path / "settings"
    weights.write_bytes(WEIGHTS)
    settings.write_text("{}")
    with VoiceHub() as hub:
        hub.publish(KRISTIN, weights, settings)
        yield hub


def voices(root: Path, hub: VoiceHub, *, offline: bool = False) -> VoiceWeights:
    return VoiceWeights(root, Hub(hub.url), offline=offline)


def test_only_voices_that_could_speak_here_are_fetched() -> None:
    able = [voice.id for voice in catalogue().voices if fetchable(voice)]
    assert KRISTIN.id in able
    assert "en_GB-alan-low" in able
    for unable in ("joe", "de_DE-thorsten-high", "en_GB-vctk-medium", "af_heart", "espeak-de"):
        assert catalogue().voice(unable).id not in able
    assert len(able) == 30


def test_a_voice_is_fetched_from_where_its_row_says_and_known_from_then_on(
    tmp_path: Path, hub: VoiceHub
) -> None:
    root = tmp_path / "store"
    assert "voiceforge voices pull en_US-kristin-medium" in machine_of(Store(root)).lacks(KRISTIN)
    folder = voices(root, hub).pull(KRISTIN, Silent())
    address = "/rhasspy/piper-voices/resolve/main/en/en_US/kristin/medium/en_US-kristin-medium.onnx"
    assert f"GET {address}" in hub.asked
    assert sorted(path.name for path in folder.glob("*.on*")) == [
        "en_US-kristin-medium.onnx",
        "en_US-kristin-medium.onnx.json",
    ]
    asked = len(hub.asked)
    assert voices(root, hub, offline=True).pull(KRISTIN, Silent()) == folder
    machine = machine_of(Store(root))
    assert (machine.fetched, machine.lacks(KRISTIN)) == (frozenset({KRISTIN.id}), "")
    assert choose(machine, voice=KRISTIN.id).voice == KRISTIN
    assert len(hub.asked) == asked


def test_what_is_not_what_the_hub_said_is_not_kept(tmp_path: Path, hub: VoiceHub) -> None:
    root = tmp_path / "store"
    hub.told = {"X-Linked-Etag": f'"{"0" * 64}"'}
    with pytest.raises(StoreError, match="does not have the pinned SHA-256"):
        voices(root, hub).pull(KRISTIN, Silent())
    assert not voices(root, hub).here(KRISTIN.id)
    hub.told = {}
    voices(root, hub).pull(KRISTIN, Silent())
    assert voices(root, hub).here(KRISTIN.id)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"X-Linked-Size": "900000000"}, "has 900,000,000 bytes: a voice may have 200,000,000"),
        ({"X-Linked-Etag": '"a1b2"'}, "comes without its size and SHA-256"),
    ],
)
def test_what_is_too_large_or_cannot_be_checked_is_not_fetched(
    tmp_path: Path, hub: VoiceHub, told: dict[str, str], why: str
) -> None:
    hub.told = told
    with pytest.raises(StoreError, match=why):
        voices(tmp_path / "store", hub).pull(KRISTIN, Silent())
    assert not any(asked.startswith("GET /cdn") for asked in hub.asked)


def test_settings_without_end_are_not_read(
    tmp_path: Path, hub: VoiceHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "MOST_SETTINGS_BYTES", 1)
    with pytest.raises(StoreError, match=r"\.onnx\.json has more than 1 bytes"):
        voices(tmp_path / "store", hub).pull(KRISTIN, Silent())


def test_a_voice_that_the_hub_does_not_have_is_told(tmp_path: Path, hub: VoiceHub) -> None:
    alan = catalogue().voice("en_GB-alan-low")
    with pytest.raises(StoreError, match=r"en_GB-alan-low\.onnx answered 404"):
        voices(tmp_path / "store", hub).pull(alan, Silent())


def test_without_a_network_it_is_told_what_to_do(tmp_path: Path, hub: VoiceHub) -> None:
    with pytest.raises(StoreError, match="unset VOICEFORGE_OFFLINE"):
        voices(tmp_path, hub, offline=True).pull(KRISTIN, Silent())
    away = VoiceWeights(tmp_path, Hub("http://127.0.0.1:7"), offline=False)
    with pytest.raises(StoreError, match="cannot be reached: try `voiceforge voices pull"):
        away.pull(KRISTIN, Silent())
    with pytest.raises(StoreError, match="cannot be fetched: this server speaks with"):
        voices(tmp_path, hub).pull(catalogue().voice("de_DE-thorsten-high"), Silent())
    assert hub.asked == []


def test_a_voice_that_was_fetched_speaks_for_its_region_and_leaves_the_rest_to_joe() -> None:
    cori, alan = (catalogue().voice(f"en_GB-{name}") for name in ("cori-medium", "alan-low"))
    whole = machine_of(Store())
    more = type(whole)(whole.models, whole.espeak, frozenset({KRISTIN.id, alan.id}))
    assert choose(more, language="en").voice.id == "en_US-joe-medium"
    assert choose(more, language="en-US").voice.id == "en_US-joe-medium"
    assert choose(more, language="en-GB").voice.id == "en_US-joe-medium"  # who knows what is alan's
    assert choose(more, voice=alan.id).voice == alan
    more = type(whole)(whole.models, whole.espeak, frozenset({cori.id, alan.id}))
    assert choose(more, language="en-GB").voice == cori
