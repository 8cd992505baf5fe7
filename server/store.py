"""The model store that the settings name, and the voices in it."""

from pathlib import Path

from actors.hub import Hub
from actors.store import Store
from actors.voices.weights import VoiceWeights
from server.settings import Settings


def store_of(settings: Settings) -> Store:
    """Where this machine's models lie, and where missing ones are fetched from."""
    root = Path(settings.models) if settings.models is not None else None
    return Store(root, offline=settings.offline, hub=Hub(settings.hub))


def voices_of(settings: Settings) -> VoiceWeights:
    """Those whose weights the hub has, in the same store."""
    return VoiceWeights(store_of(settings).root, Hub(settings.hub), offline=settings.offline)
