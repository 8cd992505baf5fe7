"""Voices from the hub really speak: "joe" stands in for another, whose weights are not here."""

import json
import threading
from pathlib import Path

import pytest

from actors import piper_voices
from actors.download import Silent
from actors.handlers import Share
from actors.hub import Hub
from actors.moonshine import Moonshine
from actors.piper import Piper
from actors.piper_voices import PiperVoices, handler
from actors.store import Store
from actors.voices.catalogue import catalogue
from actors.voices.weights import VoiceWeights
from engine.capabilities import Clip, Utterance
from engine.inference import InferenceError
from tests.said import pcm, plain
from tests.voice_hub import KRISTIN, VoiceHub

pytestmark = pytest.mark.models

TEXT = "Please tell me about the history of this old city."
ALAN = catalogue().voice("en_GB-alan-low")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two voices; Alan's settings say that he speaks German."""
    folder = tmp_path_factory.mktemp("voices")
    joe = Store().path("piper-joe")
    weights, settings = joe / "en_US-joe-medium.onnx", joe / "en_US-joe-medium.onnx.json"
    german = json.loads(settings.read_text())
    german["espeak"]["voice"] = "de"
    (folder / "german.json").write_text(json.dumps(german))
    with VoiceHub() as hub:
        hub.publish(KRISTIN, weights, settings)
        hub.publish(ALAN, weights, folder / "german.json")
        store = VoiceWeights(folder / "store", Hub(hub.url), offline=False)
        for voice in (KRISTIN, ALAN):
            store.pull(voice, Silent())
    return folder / "store"


def test_a_voice_that_was_fetched_says_what_the_text_says(root: Path) -> None:
    speech = list(PiperVoices(root).speak(Utterance(TEXT, KRISTIN.id, rate_hz=16_000)))
    (heard,) = Moonshine(Store().path("moonshine-tiny-en")).transcribe([Clip(pcm(speech))])
    assert plain(heard.text) == plain(TEXT)


def test_a_voice_is_loaded_once_by_whoever_comes_first(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[Path] = []

    class Counted(Piper):
        def __init__(self, folder: Path, threads: int) -> None:
            loaded.append(folder)
            super().__init__(folder, threads)

    monkeypatch.setattr(piper_voices, "Piper", Counted)
    voices = PiperVoices(root)
    spoken: list[int] = []

    def speak() -> None:
        spoken.append(len(list(voices.speak(Utterance("Hi.", KRISTIN.id)))))

    threads = [threading.Thread(target=speak) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(loaded), len(spoken)) == (1, 3)


def test_no_more_are_loaded_than_there_is_room_for(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(piper_voices, "MOST", 2)
    monkeypatch.setattr(piper_voices, "Piper", lambda folder, threads: folder)
    monkeypatch.setattr(VoiceWeights, "path", lambda self, voice_id: Path(voice_id))
    voices = PiperVoices(root)
    for name in ("one", "two", "one", "three"):
        voices._voice(name)
    assert list(voices._loaded) == ["one", "three"]


@pytest.mark.parametrize(
    ("voice", "code", "told"),
    [
        (ALAN.id, "model_unusable", "only English voices can be read to"),
        ("en_US-ryan-low", "model_missing", "voiceforge voices pull en_US-ryan-low"),
    ],
)
def test_a_voice_that_cannot_be_used_is_told(root: Path, voice: str, code: str, told: str) -> None:
    served = handler(root, Share())
    served.warm_up()
    with pytest.raises(InferenceError, match=told) as failed:
        list(served.run([Utterance(TEXT, voice)]))
    assert failed.value.code == code
