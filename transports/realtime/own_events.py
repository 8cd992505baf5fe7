"""Events that only this server sends; stock clients pass over names they do not know."""

from transports.realtime.wire import ServerEvent


class TurnMeasured(ServerEvent, frozen=True, tag="voiceforge.turn.measured"):
    """When each stage of a response was reached, in ms after the caller's last voiced sample."""

    response_id: str
    stages: dict[str, float]
    prepared: bool


class SessionEnded(ServerEvent, frozen=True, tag="voiceforge.session.ended"):
    """The last event of a session, just before its socket is closed."""

    reason: str
    message: str
