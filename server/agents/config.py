"""What an agent is: the config of one of its versions."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from transports.realtime.overrides import Override
from transports.realtime.wire import Strict

Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
"""As every LLM's endpoint takes it."""

SecretName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]

Described = Annotated[str, Meta(max_length=4096)]
Address = Annotated[str, Meta(max_length=2048, pattern=r"^https?://")]
Headers = Annotated[dict[str, str], Meta(max_length=32)]

MOST_TOOLS = 64


class ServersLlm(Strict, frozen=True, tag_field="type", tag="server"):
    """The LLM that answers where an agent names none: that of the server's own settings."""


class LlmEndpoint(Strict, frozen=True, kw_only=True, tag_field="type", tag="endpoint"):
    """An OpenAI-compatible endpoint of the account's own: `base_url` as in
    `https://api.openai.com/v1`, `model` as it is called there, `key` the name of the account's
    secret that holds its key. It fails if it says nothing for `first_token_ms`.
    """

    base_url: Address
    model: Annotated[str, Meta(min_length=1, max_length=200)]
    key: SecretName | None = None
    first_token_ms: Annotated[int, Meta(ge=500, le=60_000)] = 10_000


Llm = LlmEndpoint | ServersLlm


class FillerText(Strict, frozen=True):
    """What the agent says, once, while the tool takes longer than `after_ms`."""

    text: Annotated[str, Meta(min_length=1, max_length=500)]
    after_ms: Annotated[int, Meta(ge=0, le=60_000)] = 1500


class HttpTool(Strict, frozen=True, kw_only=True, tag_field="type", tag="http"):
    """A tool that is an HTTP request. `parameters` is the JSON Schema of its arguments.

    An argument that `url` names, as in `https://shop.example/orders/{order}`, stands there; the
    others go as JSON, or with GET and DELETE as the query. In `url` and `headers`, `{{name}}` is
    the session's variable, and in `headers` `{{secret.NAME}}` a secret of the account. With
    `sign_with`, the name of a secret, requests are signed (Standard Webhooks). One that did not
    get through is sent again up to `retries` times, and so is one that the server could not serve
    (429, 502, 503, 504).
    """

    name: Name
    description: Described = ""
    parameters: dict[str, Any] = msgspec.field(default_factory=lambda: {"type": "object"})
    url: Address
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    headers: Headers = msgspec.field(default_factory=dict)
    sign_with: SecretName | None = None
    timeout_ms: Annotated[int, Meta(ge=100, le=120_000)] = 10_000
    retries: Annotated[int, Meta(ge=0, le=5)] = 1
    filler: FillerText | None = None


class McpServer(Strict, frozen=True, kw_only=True, tag_field="type", tag="mcp"):
    """The tools of an MCP server (streamable HTTP), or those of them that are `allowed`. `headers`
    as in `HttpTool`.
    """

    url: Address
    headers: Headers = msgspec.field(default_factory=dict)
    allowed: tuple[str, ...] | None = None
    timeout_ms: Annotated[int, Meta(ge=100, le=120_000)] = 10_000
    filler: FillerText | None = None


class EndCall(Strict, frozen=True, kw_only=True, tag_field="type", tag="end_call"):
    """Lets the agent end the session, with a last sentence of its own."""

    name: Name = "end_call"
    description: Described = (
        "End the conversation: when the caller says goodbye, or everything is done."
    )


class Wait(Strict, frozen=True, kw_only=True, tag_field="type", tag="wait"):
    """Lets the agent say nothing, and wait for the caller to go on."""

    name: Name = "wait"
    description: Described = (
        "Say nothing now: when the caller asks for a moment, or speaks with somebody else."
    )


class SetVariable(Strict, frozen=True, kw_only=True, tag_field="type", tag="set_variable"):
    """Lets the agent note something under one of these names, for its instructions and its tools,
    and for the record.
    """

    name: Name = "set_variable"
    description: Described = "Note what you have learnt, so that it is not asked for again."
    variables: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=64)]


Tool = HttpTool | McpServer | EndCall | Wait | SetVariable


class Incoming(Strict, frozen=True):
    """A webhook that is asked as a session begins: it may name another agent of the account, and
    give values of variables. Where it fails the agent answers as it is, unless it is `required`.
    """

    url: Address
    headers: Headers = msgspec.field(default_factory=dict)
    sign_with: SecretName | None = None
    timeout_ms: Annotated[int, Meta(ge=100, le=10_000)] = 3000
    required: bool = False


class Afterwards(Strict, frozen=True):
    """What the LLM makes of a session after its end: a summary, and with a JSON Schema of an object
    what is to be extracted.
    """

    extract: dict[str, Any] | None = None


class AgentConfig(Strict, frozen=True, omit_defaults=True):
    """An agent. `session` is the realtime protocol's session object, in full or in part: its
    instructions, voice, turns, greeting and variables are the agent's.

    A client may change what is among `overrides`, and how it sends and gets audio and text. The
    server runs the `tools`; those in `session` are the client's. What is asked is looked up in the
    collections of `knowledge`, by their ids; its words are said as the dictionaries of
    `pronunciation` have them, by theirs.

    The first of `llm` answers, and where that fails before it has said anything, the next.
    """

    session: dict[str, Any] = msgspec.field(default_factory=dict)
    overrides: tuple[Override, ...] = ("variables",)
    llm: Annotated[tuple[Llm, ...], Meta(min_length=1, max_length=4)] = (ServersLlm(),)
    tools: Annotated[tuple[Tool, ...], Meta(max_length=MOST_TOOLS)] = ()
    knowledge: Annotated[tuple[str, ...], Meta(max_length=16)] = ()
    pronunciation: Annotated[tuple[str, ...], Meta(max_length=3)] = ()
    incoming: Incoming | None = None
    afterwards: Afterwards | None = None
