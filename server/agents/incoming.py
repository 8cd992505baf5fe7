"""Asks somebody's server, as a session begins, who answers and what is known of the caller."""

from typing import Any

import msgspec

from engine.errors import RequestError
from server.agents.config import Incoming
from server.agents.filling import Unfillable, filled_headers
from server.agents.http_tool import signed_by
from server.outbound.client import Outbound
from server.outbound.errors import OutboundError
from storage.ids import new_id
from transports.realtime.aliases import DEFAULT_MODEL
from transports.realtime.update import first_object
from transports.realtime.wire import JsonObject
from transports.visits import DEFAULTS

MOST_BYTES = 64 * 1024


class Unanswered(Exception):
    """It did not say who answers; the text says why, without what it said instead."""


class Arrival(msgspec.Struct, frozen=True):
    """What it is told: for whom the session is, by their ids; over what it came, and from where.
    `query` is what the client put into its address beside what this server knows.
    """

    agent: str
    account: str | None
    key: str | None
    transport: str
    address: str
    query: dict[str, str]


class Answer(msgspec.Struct, frozen=True):
    """What it says: another `agent` of the account, values of variables, and what else differs in
    the session object.
    """

    agent: str | None = None
    variables: dict[str, str] = {}
    session: dict[str, Any] = {}

    @property
    def preset(self) -> dict[str, Any]:
        """As a session object in part."""
        own = self.session.get("voiceforge")
        block = dict(own) if isinstance(own, dict) else {}
        named = block.get("variables") or {}
        if self.variables and isinstance(named, dict):
            block["variables"] = {**named, **self.variables}
        return {**self.session, "voiceforge": block} if block else self.session


async def ask(
    incoming: Incoming, arrival: Arrival, secrets: dict[str, str], outbound: Outbound
) -> Answer:
    """What it says. Raises `Unanswered`."""
    ident, body = new_id("msg"), msgspec.json.encode(arrival)
    try:
        headers = filled_headers(incoming.headers, {}, secrets)
        headers["content-type"] = "application/json"
        headers |= signed_by(incoming.sign_with, secrets, ident, body)
        answer = await outbound.ask(
            "POST",
            incoming.url,
            headers=headers,
            body=body,
            timeout_s=incoming.timeout_ms / 1000,
            most_bytes=MOST_BYTES,
            redirects=0,
        )
        if answer.status >= 300:
            raise Unanswered(f"it answers HTTP {answer.status}")
        return msgspec.json.decode(answer.body or b"{}", type=Answer)
    except (OutboundError, Unfillable) as error:
        raise Unanswered(str(error)) from error
    except (ValueError, RecursionError) as error:
        raise Unanswered("its answer is not as it should be") from error


def check(said: Answer, session: JsonObject) -> None:
    """That the `session` of an agent can begin as it says. Raises `Unanswered`."""
    preset = said.preset
    if preset.get("type", "realtime") != "realtime":
        raise Unanswered("its session is not of the type realtime")
    try:
        first_object(DEFAULTS, "realtime", DEFAULT_MODEL, [session, preset])
    except RequestError as error:
        where = (error.param or "session")[:100]
        raise Unanswered(f"no session can begin as it says: {error.code} at {where}") from error
    except RecursionError as error:
        raise Unanswered("its session is nested too deep") from error
