"""Which server a command asks, and with which key."""

import re
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from server.access.admin_key import VARIABLE, key_file, key_for
from server.learning import state_folder
from server.settings import Settings
from server.settings_sources import load
from server.web import WebError
from server.whereabouts import found

Url = Annotated[
    str | None, Parameter(help="the server's address [that of the one that runs on this machine]")
]
Config = Annotated[Path | None, Parameter(help="TOML file, as for `serve`")]


class Reached(msgspec.Struct, frozen=True):
    """The address, without a slash at its end, and the key."""

    url: str
    key: str


def reach(url: str | None, config: Path | None) -> Reached:
    """Raises `SettingsError`, and `WebError` where there is no key for it."""
    settings = load(config=config).settings
    where = re.sub("^ws", "http", (url or here(settings)).rstrip("/"))
    key = key_for(where, settings)
    if not key:
        file = key_file(settings)
        raise WebError(f"no key for {where}: set {VARIABLE}; {file} has that of a server here")
    return Reached(where, key)


def here(settings: Settings) -> str:
    """The address of the server that runs on this machine, or would with these settings."""
    return found(state_folder(settings)) or address(settings)


def address(settings: Settings) -> str:
    """Where a server with these settings would listen, from its own machine."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
