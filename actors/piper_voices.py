"""Piper's voices that were fetched from the hub: many in one worker, loaded as they are asked for.

In a worker of their own, since to load one takes a second, in which "joe" must not be kept from
speaking.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from actors.download import StoreError
from actors.handlers import Share, Spoken
from actors.hub import Hub
from actors.piper import Piper
from actors.voices.weights import VoiceWeights
from engine.capabilities import Speech, Utterance
from engine.inference import InferenceError

MOST: Final = 4
"""Voices that are loaded at once, of 150 MB each; the one not used for longest makes room."""


def handler(folder: Path, share: Share) -> Spoken:
    """The voices as a worker serves them; `folder` is the model store."""
    voices = PiperVoices(folder, share.threads)
    # a stream that is left would keep its voice loaded
    return Spoken(voices.speak, None, lanes=share.lanes, streams=False)


class PiperVoices:
    """Threads may share it: while one loads a voice, others speak with those that are loaded. Two
    are loaded one after the other.
    """

    def __init__(self, root: Path, threads: int = 1) -> None:
        self._weights = VoiceWeights(root, Hub(), offline=True)
        self._threads = threads
        self._loaded: OrderedDict[str, Piper] = OrderedDict()
        self._looking = threading.Lock()
        self._loading = threading.Lock()

    def speak(self, utterance: Utterance) -> Iterator[Speech]:
        """As `Piper.speak`. Raises `InferenceError` if the voice is not here, or cannot be used."""
        yield from self._voice(utterance.voice).speak(utterance)

    def _voice(self, voice_id: str) -> Piper:
        if (voice := self._ready(voice_id)) is not None:
            return voice
        with self._loading:
            return self._ready(voice_id) or self._load(voice_id)

    def _ready(self, voice_id: str) -> Piper | None:
        with self._looking:
            if voice_id in self._loaded:
                self._loaded.move_to_end(voice_id)
            return self._loaded.get(voice_id)

    def _load(self, voice_id: str) -> Piper:
        try:
            voice = Piper(self._weights.path(voice_id), self._threads)
        except StoreError as missing:
            raise InferenceError("model_missing", str(missing)) from missing
        except (ValueError, KeyError) as wrong:
            text = f"voice {voice_id} cannot be used here: {wrong}"
            raise InferenceError("model_unusable", text) from wrong
        with self._looking:
            self._loaded[voice_id] = voice
            while len(self._loaded) > MOST:
                self._loaded.popitem(last=False)
        return voice
