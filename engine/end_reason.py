"""Why sessions end."""

import enum


class EndReason(enum.StrEnum):
    """Why a session ended."""

    CLIENT_LEFT = "client_left"
    DRAINED = "drained"
    TOO_LONG = "longest_duration"
    FAILED = "failed"
    STOPPED = "stopped"
    UNREACHED = "client_did_not_return"
    HUNG_UP = "hung_up"
    REVOKED = "key_revoked"
    SPENT = "insufficient_quota"
    AGENT = "agent_ended"


REASONS = {
    EndReason.CLIENT_LEFT: "the client closed the connection",
    EndReason.DRAINED: "the server is shutting down: connect again",
    EndReason.TOO_LONG: "the session reached its longest duration",
    EndReason.FAILED: "the session failed",
    EndReason.STOPPED: "the session was stopped",
    EndReason.UNREACHED: "the client did not come back in time",
    EndReason.HUNG_UP: "the session was hung up",
    EndReason.AGENT: "the agent ended the session",
    EndReason.SPENT: "the API key, or its account, has used what it may use this month",
    EndReason.REVOKED: "the API key that this session began with was revoked",
}
"""What clients are told, where nobody has more to say."""
