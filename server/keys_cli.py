"""`voiceforge keys`: who may use a server that runs."""

import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from cyclopts import App, Parameter

from server.access.admin_key import VARIABLE, key_file, read, write
from server.access.caller import SCOPES, USUAL, Scope
from server.access.records import KeyPage, MadeKey, NewKey
from server.reach import Config, Url, reach
from server.settings_sources import SettingsError, load
from server.web import WebError, ask
from storage.accounts import FIRST, Limits
from storage.keys import Key

T = TypeVar("T")

keys = App(
    name="keys",
    help="API keys of a server that runs: make, list, revoke and rotate them. Asks with the key "
    f"in {VARIABLE}, or on the same machine with the administrator's.",
    help_format="plaintext",
)

Quiet = Annotated[bool, Parameter(help="print the key alone", negative="")]

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@keys.command
def create(
    *,
    name: Annotated[str, Parameter(help="what it is for")] = "key",
    account: Annotated[str, Parameter(help="the account that owns it")] = FIRST,
    scope: Annotated[
        tuple[Scope, ...],
        Parameter(help=f"what it may do: {', '.join(SCOPES)}; repeat it", negative=""),
    ] = USUAL,
    origin: Annotated[
        tuple[str, ...],
        Parameter(help="only for web pages from there, such as https://shop.example", negative=""),
    ] = (),
    address: Annotated[
        tuple[str, ...],
        Parameter(help="only from this network, such as 10.0.0.0/8", negative=""),
    ] = (),
    expires: Annotated[str | None, Parameter(help="after 90d, 12h, 30m; unset: never")] = None,
    requests: Annotated[int | None, Parameter(help="requests a minute at most")] = None,
    sessions: Annotated[int | None, Parameter(help="sessions at once at most")] = None,
    characters: Annotated[int | None, Parameter(help="characters spoken a month at most")] = None,
    audio: Annotated[
        int | None, Parameter(help="seconds of audio a month at most, both ways together")
    ] = None,
    compute: Annotated[int | None, Parameter(help="seconds of compute a month at most")] = None,
    quiet: Quiet = False,
    url: Url = None,
    config: Config = None,
) -> None:
    """Make a key. It is shown now and never again."""
    ends = None if expires is None else datetime.now(UTC) + _length(expires, "--expires")
    limits = Limits(requests, sessions, characters, audio, compute)
    wanted = NewKey(name, account, scope, origin, address, ends, limits)
    _show(_ask("POST", "/v1/admin/keys", MadeKey, url, config, wanted), quiet=quiet)


@keys.command(name="list")
def list_(
    *,
    account: Annotated[str | None, Parameter(help="of this account; unset: of all")] = None,
    as_json: Annotated[bool, Parameter(name="--json", help="print JSON", negative="")] = False,
    url: Url = None,
    config: Config = None,
) -> None:
    """List keys, by their first letters: nobody can read them again."""
    found = _all(account, url, config)
    if as_json:
        print(msgspec.json.encode(found).decode())
        return
    rows = [("id", "key", "name", "account", "scopes", "last used", "state")]
    rows += [
        (
            key.id,
            f"{key.prefix}…",
            key.name,
            key.account_id,
            ",".join(key.scopes),
            _day(key.last_used_at),
            _state(key),
        )
        for key in found
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


@keys.command
def revoke(
    key_id: Annotated[str, Parameter(help="its id, such as key_7h3k…, from `keys list`")],
    /,
    *,
    url: Url = None,
    config: Config = None,
) -> None:
    """End a key now, and the sessions that began with it."""
    key = _ask("POST", f"/v1/admin/keys/{quote(key_id, safe='')}/revoke", Key, url, config)
    print(f"{key.id} ({key.prefix}…, {key.name}) is revoked")


@keys.command
def rotate(
    key_id: Annotated[str, Parameter(help="its id, such as key_7h3k…, from `keys list`")],
    /,
    *,
    grace: Annotated[str, Parameter(help="how long the old one is good still: 1h, 10m")] = "0s",
    quiet: Quiet = False,
    url: Url = None,
    config: Config = None,
) -> None:
    """Replace a key by another that may do the same."""
    seconds = int(_length(grace, "--grace").total_seconds())
    route = f"/v1/admin/keys/{quote(key_id, safe='')}"
    old = _ask("GET", route, Key, url, config)
    made = _ask("POST", f"{route}/rotate?grace_s={seconds}", MadeKey, url, config)
    _show(made, quiet=quiet)
    file = key_file(load(config=config).settings)
    if (read(file) or "").startswith(old.prefix):  # it was the administrator's own
        write(file, made.secret)


def _all(account: str | None, url: str | None, config: Path | None) -> list[Key]:
    """Page by page."""
    found: list[Key] = []
    while True:
        wanted = {"account_id": account, "after": found[-1].id if found else None, "limit": 1000}
        query = urlencode({name: value for name, value in wanted.items() if value is not None})
        page = _ask("GET", f"/v1/admin/keys?{query}", KeyPage, url, config)
        found += page.data
        if not page.has_more:
            return found


def _show(made: MadeKey, *, quiet: bool) -> None:
    if quiet:
        print(made.secret)
        return
    key = made.key
    print(f"{made.secret}\n  {key.id}, {key.name}, may: {', '.join(key.scopes)}; not shown again")


def _ask(
    method: str, route: str, kind: type[T], url: str | None, config: Path | None, body: Any = None
) -> T:
    try:
        server = reach(url, config)
        return ask(method, server.url + route, server.key, kind, body)
    except (SettingsError, WebError) as error:
        _fail(str(error))


def _length(text: str, option: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if found is None:
        _fail(f"{option} {text}: expected a number and s, m, h or d, such as 90d")
    return timedelta(seconds=int(found[1]) * UNITS[found[2]])


def _day(at: datetime | None) -> str:
    return "never" if at is None else at.astimezone().strftime("%Y-%m-%d %H:%M")


def _state(key: Key) -> str:
    now = datetime.now(UTC)
    if key.revoked_at is not None and key.revoked_at <= now:
        return f"revoked {_day(key.revoked_at)}"
    ends = [at for at in (key.revoked_at, key.expires_at) if at is not None]
    if not ends:
        return "good"
    return f"{'until' if min(ends) > now else 'expired'} {_day(min(ends))}"


def _fail(message: str) -> NoReturn:
    print(f"voiceforge: {message}", file=sys.stderr)
    sys.exit(1)
