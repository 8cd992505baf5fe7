"""What a program is told when a model fails it."""

from engine.inference import BAD_PAYLOAD, InferenceError
from server.access.denied import Denied, retry

RETRY_S = 5


def denied(error: InferenceError) -> Denied:
    """Its own fault, or come again."""
    if error.code == BAD_PAYLOAD:
        return Denied(400, "invalid_value", str(error))
    return retry(503, error.code, str(error), RETRY_S)
