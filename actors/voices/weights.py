"""Voices whose weights lie on the hub: fetched into the model store, each a model of its own.

What the hub says of a voice's files is written down (`FOLDER` in the store) before any is fetched:
from then on the store goes on with what was cut, checks every byte, and knows the voice offline.
"""

import hashlib
import os
import re
from pathlib import Path
from typing import Final

import msgspec

from actors.download import Progress, StoreError
from actors.hub import Hub
from actors.manifest import Model, ModelFile
from actors.store import Store
from actors.voices.catalogue import Voice

FOLDER: Final = ".voices"

MOST_BYTES: Final = 200_000_000
"""Of one file: Piper's "high" voices have 114 MB."""

MOST_SETTINGS_BYTES: Final = 1 << 20
"""Of the file that is read at once, since the hub tells no hash of what is so small."""

_TREE: Final = re.compile(r"https://[^/]+/(?P<repository>[^/]+/[^/]+)/tree/(?P<path>.+)")
_FREE: Final = ("Apache", "CC-BY-4.0", "CC-BY-SA", "CC0", "MIT", "public domain")
"""How the names of these licences begin. CC-BY-NC's do not."""

_SPEAKERS: Final = re.compile(r"\d+ speakers")


def fetchable(voice: Voice) -> bool:
    """Whether it could speak here if its weights were: one of Piper's that can be read to, and that
    has one speaker.
    """
    several = _SPEAKERS.search(voice.style) is not None
    return voice.engine == "piper" and voice.weights == "hub" and bool(voice.reads) and not several


def unasked(voice: Voice) -> bool:
    """Whether its licence lets anybody use it for anything: then a server may fetch it, and have it
    speak, without its owner having seen that. All others are for `voiceforge voices pull`.
    """
    return voice.licence.startswith(_FREE)


class VoiceWeights:
    """Those of the voices in a store, and where the missing ones are fetched from."""

    def __init__(self, root: Path, hub: Hub, *, offline: bool) -> None:
        self.root = root
        self.offline = offline
        self._hub = hub

    def here(self, voice_id: str) -> bool:
        """Whether all of it is."""
        known = self._known(voice_id)
        return known is not None and self._store(known).state(voice_id).present

    def path(self, voice_id: str) -> Path:
        """The folder with the voice's files. Raises `StoreError`; touches no network."""
        known = self._known(voice_id)
        if known is None:
            raise StoreError(f"voice {voice_id} is not here: voiceforge voices pull {voice_id}")
        return self._store(known).path(voice_id)

    def pull(self, voice: Voice, progress: Progress) -> Path:
        """Fetch what is missing of a voice; its folder. Raises `StoreError`."""
        if not fetchable(voice):
            raise StoreError(
                f"voice {voice.id} cannot be fetched: this server speaks with Piper's English "
                "voices of one speaker, which `voiceforge voices --engine piper --language en` has"
            )
        if self.here(voice.id):
            return self.path(voice.id)
        if self.offline:
            raise StoreError(
                f"voice {voice.id} is not here, and the offline switch is on: unset "
                "VOICEFORGE_OFFLINE to fetch it"
            )
        known = self._known(voice.id) or self._asked(voice, progress)
        try:
            return self._store(known).pull(voice.id, progress)
        except StoreError:
            self._record(voice.id).unlink(missing_ok=True)  # the hub may have others by now
            raise

    def _store(self, model: Model) -> Store:
        return Store(self.root, self.offline, {model.id: model}, self._hub)

    def _record(self, voice_id: str) -> Path:
        return self.root / FOLDER / f"{voice_id}.json"

    def _known(self, voice_id: str) -> Model | None:
        try:
            return msgspec.json.decode(self._record(voice_id).read_bytes(), type=Model)
        except (OSError, msgspec.MsgspecError):
            return None

    def _asked(self, voice: Voice, progress: Progress) -> Model:
        """What the hub says of it. Raises `StoreError`."""
        if not self._hub.reachable(progress):
            raise StoreError(
                f"voice {voice.id} is not here, and the hub {self._hub.address} cannot be reached: "
                f"try `voiceforge voices pull {voice.id}` where it can, or name a mirror in "
                "VOICEFORGE_HUB"
            )
        place = _TREE.fullmatch(voice.source)
        if place is None:
            raise StoreError(f"voice {voice.id}: {voice.source} is no folder of a hub")
        branch, _, folder = place["path"].partition("/")
        address = f"{place['repository']}/resolve/{branch}/{folder}/{voice.id}.onnx"
        files = (self._weights(address), self._settings(f"{address}.json"))
        title = f"Piper {voice.languages[0]} {voice.name}, {voice.style}"
        model = Model(voice.id, "tts", title, voice.licence, "piper", files)
        record = self._record(voice.id)
        draft = record.with_suffix(f".{os.getpid()}")
        try:
            record.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(msgspec.json.encode(model))
            draft.replace(record)
        except OSError as error:
            raise StoreError(f"{record.parent} cannot be written: {error.strerror}") from error
        return model

    def _weights(self, address: str) -> ModelFile:
        told = self._hub.published(address)
        if told.size_bytes > MOST_BYTES:
            raise StoreError(
                f"{self._hub.address}/{address} has {told.size_bytes:,} bytes: a voice may have "
                f"{MOST_BYTES:,}"
            )
        name = address.rpartition("/")[2]
        return ModelFile(name, told.size_bytes, told.sha256, address)

    def _settings(self, address: str) -> ModelFile:
        body = self._hub.read(address, MOST_SETTINGS_BYTES)
        name = address.rpartition("/")[2]
        return ModelFile(name, len(body), hashlib.sha256(body).hexdigest(), address)
