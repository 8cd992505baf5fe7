"""Events that only this server has; stock clients pass over names they do not know."""

import msgspec

from transports.realtime.wire import ClientEvent, ServerEvent


class Ping(ClientEvent, frozen=True, tag="voiceforge.ping"):
    """Is anybody there? A page is told nothing of the pings of its WebSocket itself."""


class Pong(ServerEvent, frozen=True, tag="voiceforge.pong"):
    """The answer to a ping."""


class TurnMeasured(ServerEvent, frozen=True, tag="voiceforge.turn.measured"):
    """When each stage of a response was reached, in ms after the caller's last voiced sample."""

    response_id: str
    stages: dict[str, float]
    prepared: bool


class Source(msgspec.Struct, frozen=True):
    """A passage by its ids, its document's title, and how well it fits the question."""

    document_id: str
    passage_id: str
    title: str
    score: float


class KnowledgeCited(ServerEvent, frozen=True, tag="voiceforge.knowledge.cited"):
    """What of its knowledge the agent was given for a response, best first."""

    response_id: str
    passages: list[Source]


class SessionEnded(ServerEvent, frozen=True, tag="voiceforge.session.ended"):
    """The last event of a session, just before its socket is closed."""

    reason: str
    message: str
