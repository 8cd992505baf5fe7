"""The model store that the settings name."""

from pathlib import Path

from actors.hub import Hub
from actors.store import Store
from server.settings import Settings


def store_of(settings: Settings) -> Store:
    """Where this machine's models lie, and where missing ones are fetched from."""
    root = Path(settings.models) if settings.models is not None else None
    return Store(root, offline=settings.offline, hub=Hub(settings.hub))
