"""Events about the session itself and its limits."""

from typing import Literal

import msgspec

from transports.realtime.session_object import SessionObject
from transports.realtime.wire import ClientEvent, JsonObject, ServerEvent


class SessionUpdate(ClientEvent, frozen=True, tag="session.update"):
    """Change what is named; `session` is validated when it is merged into what is in force."""

    session: JsonObject


class SessionCreated(ServerEvent, frozen=True, tag="session.created"):
    """The first event of a connection, also of one that resumes a session."""

    session: SessionObject


class SessionUpdated(ServerEvent, frozen=True, tag="session.updated"):
    """Everything that is now in force."""

    session: SessionObject


class RateLimit(msgspec.Struct, frozen=True):
    """What is left of one limit, and when it is whole again."""

    name: Literal["requests", "tokens"]
    limit: int
    remaining: int
    reset_seconds: float


class RateLimitsUpdated(ServerEvent, frozen=True, tag="rate_limits.updated"):
    """Follows each response; an empty list says that nothing is limited."""

    rate_limits: tuple[RateLimit, ...]
