"""What the server is asked to be: defaults, then a TOML file, the environment, the command line.

Each later source wins. An unknown key or a value of the wrong type is an error that names where it
stands, what it is and what is allowed: a typing mistake never silently means the default.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from server.outbound.networks import networks
from transports.realtime.wire import LARGEST_MESSAGE

PREFIX = "VOICEFORGE_"
CONFIG_VARIABLE = "VOICEFORGE_CONFIG"
CONFIG_FILE = "voiceforge.toml"

OTHERS = ("VOICEFORGE_CONFIG", "VOICEFORGE_PARENT", "VOICEFORGE_API_KEY")
"""Variables that are no settings of the server: where the file is, what a worker is told of its
parent, and the key that `voiceforge talk` shows."""

Text = Annotated[str, Meta(min_length=1)]
Count = Annotated[int, Meta(ge=1)]
Workers = Annotated[int, Meta(description="worker processes, 1-64", ge=1, le=64)]
Threads = Annotated[int, Meta(ge=1, le=256)]
Networks = Annotated[str, Meta(pattern=r"^[0-9a-fA-F.:/]+(,[0-9a-fA-F.:/]+)*$")]
Address = Annotated[str, Meta(pattern=r"^https?://[^@\s]+$")]
"""Without a password in it: that would be shown."""

S = TypeVar("S", bound=msgspec.Struct)


class SettingsError(Exception):
    """The settings cannot be used; the text names source, key, value and the way out."""


class Secret:
    """A string that shows itself to nobody who does not ask for it by `reveal`."""

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the one place that sends it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(hidden)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


class EndpointSettings(msgspec.Struct, frozen=True):
    """An OpenAI-compatible endpoint."""

    base_url: Annotated[
        Address | None,
        Meta(
            description="an OpenAI-compatible address such as http://127.0.0.1:8080/v1; "
            "unset: the embedded model, or no fallback. A password belongs into api_key",
        ),
    ] = None
    model: Annotated[Text | None, Meta(description="the model's name at base_url")] = None
    api_key: Annotated[Secret | None, Meta(description="the key that base_url asks for")] = None


class LlmSettings(EndpointSettings, frozen=True):
    """Which language model answers. Without `base_url` the embedded one does.

    `fallback` is asked when it does not.
    """

    at_once: Annotated[
        Count | None,
        Meta(
            description="requests sent to it at once, 1 or more; unset: 32, and embedded "
            "as many as this machine works on with profit, which is measured"
        ),
    ] = None
    fallback: EndpointSettings = EndpointSettings()


class LimitSettings(msgspec.Struct, frozen=True):
    """What a client may cost, and how long the server waits for it."""

    max_event_bytes: Annotated[
        int,
        Meta(
            description=f"largest client event, 1024 to {LARGEST_MESSAGE} bytes",
            ge=1024,
            le=LARGEST_MESSAGE,
        ),
    ] = LARGEST_MESSAGE
    reconnect_grace_s: Annotated[
        float,
        Meta(description="seconds that a dropped client may take to return, 0-3600", ge=0, le=3600),
    ] = 60.0
    max_sessions: Annotated[
        Count | None, Meta(description="sessions at once, 1 or more; unset: no limit")
    ] = None
    admission: Annotated[
        Literal["auto", "off"],
        Meta(description="auto refuses sessions that this machine would not serve well; off"),
    ] = "auto"
    upload_mb: Annotated[
        int,
        Meta(description="largest recording that is transcribed, 1-10240 MB", ge=1, le=10_240),
    ] = 512
    drain_s: Annotated[
        float,
        Meta(description="seconds that sessions may take to end on SIGTERM, 0-3600", ge=0, le=3600),
    ] = 15.0


class WorkerSettings(msgspec.Struct, frozen=True):
    """How many processes serve each model to all sessions, and where; more of them use more cores.

    `local` ones run on this machine, `ray` ones on the nodes of the Ray cluster that this machine
    is a node of.
    """

    placement: Annotated[
        Literal["local", "ray"],
        Meta(description="local (on this machine) or ray (on the nodes of a Ray cluster)"),
    ] = "local"
    ray_address: Annotated[
        str,
        Meta(
            description="the cluster's head as host:port such as 10.0.0.1:6379, or auto: the "
            "cluster that this machine is a node of",
            pattern=r"^(auto|[^@/\s]+:[0-9]{1,5})$",
        ),
    ] = "auto"

    stt: Workers = 1
    turn: Workers = 1
    tts: Workers = 1
    whisper: Annotated[
        Text,
        Meta(
            description="who hears callers that do not speak English: whisper-base, another model "
            "that `voiceforge models list` names, or a folder with a Whisper of any size for "
            "CTranslate2, such as ./faster-whisper-large-v3-turbo"
        ),
    ] = "whisper-base"
    idle_s: Annotated[
        float,
        Meta(description="seconds after which a model loaded on demand is unloaded, 1-86400", ge=1),
    ] = 300.0
    most_mb: Annotated[
        Count | None,
        Meta(
            description="memory in MB at which one is started again; unset: half of the machine's"
        ),
    ] = None


class SpeechSettings(msgspec.Struct, frozen=True):
    """How texts are spoken for programs."""

    wrong_language: Annotated[
        Literal["error", "fallback"],
        Meta(
            description="error refuses a text that the voice which is asked for cannot read; "
            "fallback has another voice read it"
        ),
    ] = "error"


class DatabaseSettings(msgspec.Struct, frozen=True):
    """How the records are reached; where they are says `database_url`."""

    connections: Annotated[
        int,
        Meta(
            description="connections to PostgreSQL of all gateways, 1-100; each has two at least",
            ge=1,
            le=100,
        ),
    ] = 10


class OutboundSettings(msgspec.Struct, frozen=True):
    """Which servers this one calls for agents' tools and webhooks, beside those on the internet."""

    allow: Annotated[
        Networks | None,
        Meta(
            description="private addresses that may be called too, such as 127.0.0.1 or "
            "10.0.0.0/8, with commas; unset: none"
        ),
    ] = None


class LogSettings(msgspec.Struct, frozen=True):
    """What is logged, and in which shape."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description="debug, info, warning or error"),
    ] = "info"
    format: Annotated[
        Literal["auto", "json", "text"],
        Meta(description="json, text, or auto (text on a terminal, else json)"),
    ] = "auto"


class TracingSettings(msgspec.Struct, frozen=True):
    """Where traces of turns go."""

    endpoint: Annotated[
        Address | None,
        Meta(description="an OTLP/HTTP collector such as http://127.0.0.1:4318; unset: none"),
    ] = None


class Settings(msgspec.Struct, frozen=True):
    """Everything that an operator may set. `models` is the folder that holds them."""

    host: Annotated[str, Meta(description="the address to listen on", min_length=1)] = "127.0.0.1"
    port: Annotated[
        int, Meta(description="a TCP port, 0-65535; 0 takes a free one", ge=0, le=65535)
    ] = 8000
    models: Annotated[Text | None, Meta(description="a folder; unset: the user's cache folder")] = (
        None
    )
    state: Annotated[
        Text | None,
        Meta(description="a folder for what the server learns; unset: the user's state folder"),
    ] = None
    database_url: Annotated[
        Secret | None,
        Meta(
            description="a PostgreSQL server such as postgresql://user:password@host:5432/name"
            "?sslmode=require; unset: an embedded one, in the state folder"
        ),
    ] = None
    secret_key: Annotated[
        Secret | None,
        Meta(
            description="what seals accounts' secrets, as `openssl rand -base64 32` makes it, the "
            "same on all machines that share a database; unset: secret.key in the state folder"
        ),
    ] = None
    offline: Annotated[bool, Meta(description="true or false; true never downloads")] = False
    hub: Annotated[
        Address | None,
        Meta(description="the address of a model hub; unset: the usual one"),
    ] = None
    threads: Annotated[
        Threads | None,
        Meta(description="threads of a model worker, 1-256; unset: by the machine"),
    ] = None
    proxies: Annotated[
        Networks | None,
        Meta(
            description="addresses of reverse proxies, whose X-Forwarded-For is believed, such as "
            "127.0.0.1 or 10.0.0.0/8, with commas; unset: nobody's"
        ),
    ] = None
    gateways: Annotated[
        Workers | None,
        Meta(description="gateway processes, 1-64; unset: one for every four cores"),
    ] = None
    llm: LlmSettings = LlmSettings()
    workers: WorkerSettings = WorkerSettings()
    limits: LimitSettings = LimitSettings()
    speech: SpeechSettings = SpeechSettings()
    database: DatabaseSettings = DatabaseSettings()
    outbound: OutboundSettings = OutboundSettings()
    log: LogSettings = LogSettings()
    tracing: TracingSettings = TracingSettings()

    def without_secrets(self) -> "Settings":
        """The same for processes that have no use for them."""
        fallback = replace(self.llm.fallback, api_key=None)
        llm = replace(self.llm, api_key=None, fallback=fallback)
        return replace(self, llm=llm, database_url=None, secret_key=None)


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
