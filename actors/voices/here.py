"""Which voices of the catalogue can speak on this machine now, and what the others lack."""

import shutil

import msgspec

from actors.hub import Hub
from actors.store import Store
from actors.voices.catalogue import Voice, catalogue
from actors.voices.weights import VoiceWeights, fetchable

PROGRAM = "espeak-ng"
"""The name of the program, and of the Debian package that has it."""


class Machine(msgspec.Struct, frozen=True):
    """What is here: models of the store whose files are complete, whether espeak-ng is, and the
    voices whose weights were fetched from the hub.
    """

    models: frozenset[str] = frozenset()
    espeak: bool = False
    fetched: frozenset[str] = frozenset()

    def lacks(self, voice: Voice) -> str:
        """Why a voice cannot speak here, and what to do; empty if it can."""
        if voice.weights == "hub" and voice.id not in self.fetched:
            place = f"its weights are not here; they lie at {voice.source}"
            return f"{place}: voiceforge voices pull {voice.id}" if fetchable(voice) else place
        if voice.weights == "gpu":
            return "it needs a GPU"
        if not voice.reads:
            return f"{voice.engine} makes no phonemes of {voice.languages[0]} here"
        if voice.weights == "program" and not self.espeak:
            return f"it needs the program {PROGRAM}: apt-get install {PROGRAM}"
        if voice.weights == "here" and voice.model not in self.models:
            return f"its weights are not here: voiceforge models pull {voice.model}"
        return ""


def machine_of(store: Store) -> Machine:
    """What is on this machine. Looks at files, so not for every request. Raises `StoreError`."""
    here = frozenset(state.model.id for state in store.list() if state.present)
    weights = VoiceWeights(store.root, Hub(), offline=True)
    fetched = frozenset(
        voice.id for voice in catalogue().voices if fetchable(voice) and weights.here(voice.id)
    )
    return Machine(here, shutil.which(PROGRAM) is not None, fetched)
