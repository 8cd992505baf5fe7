"""What the server may be asked to be: every setting, its default, and what may stand in it."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from transports.realtime.wire import LARGEST_MESSAGE

Text = Annotated[str, Meta(min_length=1)]
Count = Annotated[int, Meta(ge=1)]
Workers = Annotated[int, Meta(description="worker processes, 1-64", ge=1, le=64)]
Threads = Annotated[int, Meta(ge=1, le=256)]
Ports = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,4}-[1-9][0-9]{0,4}$")]
HostAndPort = Annotated[str, Meta(pattern=r"^[^\s/@:]+:[0-9]{1,5}$")]
TurnAddresses = Annotated[str, Meta(pattern=r"^turns?:[^\s,@]+(,turns?:[^\s,@]+)*$")]
Networks = Annotated[str, Meta(pattern=r"^[0-9a-fA-F.:/]+(,[0-9a-fA-F.:/]+)*$")]
Address = Annotated[str, Meta(pattern=r"^https?://[^@\s]+$")]
"""Without a password in it: that would be shown."""


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
    fetch_voices: Annotated[
        bool,
        Meta(
            description="true or false; true fetches a voice of Piper's from the hub when it is "
            "asked for by name, false leaves that to `voiceforge voices pull`"
        ),
    ] = True


class WebRtcSettings(msgspec.Struct, frozen=True):
    """How browsers reach this machine for calls: by UDP, at any address that leads here."""

    addresses: Annotated[
        Networks | None,
        Meta(
            description="this machine's addresses that calls come to, such as 10.0.0.5, with "
            "commas; unset: all it has"
        ),
    ] = None
    announced: Annotated[
        Networks | None,
        Meta(
            description="public addresses that lead to this machine's (1:1 NAT, as clouds have "
            "it), with commas; unset: none, or what the STUN server sees"
        ),
    ] = None
    ports: Annotated[
        Ports | None,
        Meta(
            description="UDP ports for calls, as first-last such as 50000-50999, one for each call "
            "and address; unset: any",
        ),
    ] = None
    stun: Annotated[
        HostAndPort | None,
        Meta(
            description="a STUN server as host:port; it tells clients, and this server, their "
            "public addresses. Unset: none, which is right where clients reach an address here",
        ),
    ] = None
    turn: Annotated[
        TurnAddresses | None,
        Meta(
            description="a TURN server for clients that UDP does not reach, such as "
            "turn:turn.example.com:3478, or more with commas; needs turn_secret",
        ),
    ] = None
    turn_secret: Annotated[
        Secret | None,
        Meta(description="what the TURN server shares with this one (coturn: static-auth-secret)"),
    ] = None


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
            description="addresses of reverse proxies, whose X-Forwarded-For, -Proto and -Host are "
            "believed, such as 127.0.0.1 or 10.0.0.0/8, with commas; unset: nobody's"
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
    webrtc: WebRtcSettings = WebRtcSettings()
    log: LogSettings = LogSettings()
    tracing: TracingSettings = TracingSettings()

    def without_secrets(self) -> "Settings":
        """The same for processes that have no use for them."""
        fallback = replace(self.llm.fallback, api_key=None)
        llm = replace(self.llm, api_key=None, fallback=fallback)
        webrtc = replace(self.webrtc, turn_secret=None)
        return replace(self, llm=llm, webrtc=webrtc, database_url=None, secret_key=None)
