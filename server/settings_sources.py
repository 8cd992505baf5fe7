"""Where the settings come from: defaults, then a TOML file, the environment, the command line.

Each later source wins. An unknown key or a value of the wrong type is an error that names where it
stands, what it is and what is allowed: a typing mistake never silently means the default.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Meta

from server import ice_servers
from server.outbound.networks import networks
from server.settings import Secret, Settings

PREFIX = "VOICEFORGE_"
CONFIG_VARIABLE = "VOICEFORGE_CONFIG"
CONFIG_FILE = "voiceforge.toml"

OTHERS = ("VOICEFORGE_CONFIG", "VOICEFORGE_PARENT", "VOICEFORGE_API_KEY")
"""Variables that are no settings of the server: where the file is, what a worker is told of its
parent, and the key that `voiceforge talk` shows."""

S = TypeVar("S", bound=msgspec.Struct)


class SettingsError(Exception):
    """The settings cannot be used; the text names source, key, value and the way out."""


class Given(msgspec.Struct, frozen=True):
    """One value that somebody set: `source` is the file, variable or option that holds it."""

    value: Any
    source: str


class Field(msgspec.Struct, frozen=True):
    """One setting: its type, its default and what may stand in it."""

    type: Any
    default: Any
    allowed: str
    secret: bool


class Loaded(msgspec.Struct, frozen=True):
    """The settings, and for each key that somebody set, where it was set."""

    settings: Settings
    sources: dict[str, str]


def fields_of(struct: type[msgspec.Struct] = Settings, before: str = "") -> dict[str, Field]:
    """Every setting by its dotted key, such as `limits.max_sessions`."""
    found: dict[str, Field] = {}
    for field in msgspec.structs.fields(struct):
        key = before + field.name
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            found |= fields_of(field.type, key + ".")
            continue
        meta = next(part for part in field.type.__metadata__ if isinstance(part, Meta))
        found[key] = Field(
            type=field.type,
            default=field.default,
            allowed=meta.description or "",
            secret=field.type.__origin__ == (Secret | None),
        )
    return found


FIELDS = fields_of()


def load(
    options: Mapping[str, Given] | None = None,
    *,
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Loaded:
    """Read all sources. `options` are the command line's, by dotted key; `config` is `--config`'s.

    Raises `SettingsError`.
    """
    environ = os.environ if environ is None else environ
    given = {**from_file(config, environ), **from_environment(environ), **(options or {})}
    values = {key: field.default for key, field in FIELDS.items()}
    values |= {key: converted(key, one) for key, one in given.items()}
    settings = assembled(Settings, values)
    for key, llm in (("llm", settings.llm), ("llm.fallback", settings.llm.fallback)):
        if llm.base_url is not None and llm.model is None:
            raise SettingsError(
                f"{given[f'{key}.base_url'].source} names an LLM endpoint without a model: "
                f"set {key}.model too ({variable(f'{key}.model')})"
            )
    try:
        networks(settings.outbound.allow)
    except ValueError as error:
        raise SettingsError(f"{given['outbound.allow'].source}: outbound.allow: {error}") from error
    try:
        ice_servers.check(settings.webrtc)
    except ValueError as error:
        key = f"webrtc.{str(error).partition(':')[0]}"
        raise SettingsError(f"{given[key].source}: webrtc.{error}") from error
    return Loaded(settings, {key: one.source for key, one in given.items()})


def from_file(config: Path | None, environ: Mapping[str, str]) -> dict[str, Given]:
    """The TOML file's values: `--config`, else VOICEFORGE_CONFIG, else ./voiceforge.toml if any."""
    named = config or (Path(environ[CONFIG_VARIABLE]) if environ.get(CONFIG_VARIABLE) else None)
    path = named or Path(CONFIG_FILE)
    if named is None and not path.exists():
        return {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from error
    return {key: Given(value, str(path)) for key, value in leaves(table, str(path))}


def leaves(table: Mapping[str, Any], source: str, before: str = "") -> list[tuple[str, Any]]:
    """The table's values by dotted key; refuses a key that no setting has."""
    found: list[tuple[str, Any]] = []
    for name, value in table.items():
        key = before + name
        if key in FIELDS:
            found.append((key, value))
        elif any(known.startswith(key + ".") for known in FIELDS):
            if not isinstance(value, dict):
                raise SettingsError(f"{source}: {key} = {shown(value)}: expected a table [{key}]")
            found += leaves(value, source, key + ".")
        else:
            raise SettingsError(
                f"{source}: unknown key {key!r}; allowed: {', '.join(names(before))}"
            )
    return found


def names(before: str) -> list[str]:
    """The keys and tables that stand directly under the table `before` ("" or "limits.")."""
    under = (key.removeprefix(before) for key in FIELDS if key.startswith(before))
    return list(dict.fromkeys(key.split(".")[0] for key in under))


def variable(key: str) -> str:
    """The environment variable of a setting: `llm.api_key` is VOICEFORGE_LLM__API_KEY."""
    return PREFIX + key.upper().replace(".", "__")


def from_environment(environ: Mapping[str, str]) -> dict[str, Given]:
    """The values of all VOICEFORGE_ variables that are not empty; refuses an unknown one."""
    known = {variable(key): key for key in FIELDS}
    found: dict[str, Given] = {}
    for name, value in environ.items():
        if not name.startswith(PREFIX) or name in OTHERS or not value:
            continue
        if name not in known:
            raise SettingsError(f"unknown variable {name}; allowed: {', '.join(sorted(known))}")
        found[known[name]] = Given(value, name)
    return found


def converted(key: str, given: Given) -> Any:
    """The value in the setting's type. Text from the environment may stand for a number."""
    field = FIELDS[key]
    lax = given.source.startswith(PREFIX)
    try:
        return msgspec.convert(given.value, field.type, strict=not lax, dec_hook=secret)
    except msgspec.ValidationError as error:
        hidden = field.secret or "@" in str(given.value)  # an address may hold a password
        value = "(hidden)" if hidden else shown(given.value)
        raise SettingsError(
            f"{given.source}: {key} = {value} cannot be used; allowed: {field.allowed}"
        ) from error


def secret(kind: type, value: object) -> Secret:
    """Make a `Secret` of the text that a source holds."""
    if kind is not Secret or not isinstance(value, str) or not value:
        raise ValueError("expected text")
    return Secret(value)


def assembled(struct: type[S], values: Mapping[str, Any], before: str = "") -> S:
    """Build the struct tree from values by dotted key."""
    made: dict[str, Any] = {}
    for field in msgspec.structs.fields(struct):
        key = before + field.name
        made[field.name] = (
            values[key] if key in values else assembled(field.type, values, key + ".")
        )
    return struct(**made)


def shown(value: Any) -> str:
    """A value as TOML writes it."""
    return msgspec.json.encode(value).decode()


def described(loaded: Loaded) -> str:
    """The settings as TOML, each with its source; secrets hidden; unset ones as comments."""
    lines: list[str] = []
    table = ""
    for key, field in sorted(FIELDS.items(), key=lambda pair: "." in pair[0]):
        head, _, name = key.rpartition(".")
        if head != table:
            lines += ["", f"[{head}]"]
            table = head
        value: Any = loaded.settings
        for part in key.split("."):
            value = getattr(value, part)
        source = loaded.sources.get(key, "default")
        if value is None:
            lines.append(f"# {name} is not set ({field.allowed})")
        else:
            text = '"(hidden)"' if field.secret else shown(value)
            lines.append(f"{name} = {text}  # {source}")
    return "\n".join(lines)
