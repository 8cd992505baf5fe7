"""How the HTTP routes say no: in the shape of OpenAI's errors."""

import msgspec
from litestar import Response
from litestar.openapi import ResponseSpec

from server.access.denied import INVALID

WHY = {
    400: "what is asked for cannot be; the message says what is wrong",
    401: "no key, or one that is unknown, revoked or expired",
    403: "the key may not do this, or not from there",
    404: "there is no such thing, or it is another account's",
    408: "nothing came for too long",
    409: "it cannot be done as things are",
    413: "the body is too large",
    416: "nothing of the range that is asked for is there",
    429: "too many requests: come again after `Retry-After` seconds",
    503: "it cannot be answered now: come again after `Retry-After` seconds",
}

KEYED = (400, 401, 403, 429, 503)
"""What any route that needs a key may answer."""


class Details(msgspec.Struct, frozen=True):
    """`type` is a class of errors, `code` a stable name of this one, `param` the field at fault."""

    type: str
    code: str | None
    message: str
    param: str | None = None


class Refusal(msgspec.Struct, frozen=True):
    """The body of an answer that says no."""

    error: Details


def refusal(
    status: int,
    code: str | None,
    message: str,
    *,
    kind: str = INVALID,
    param: str | None = None,
    headers: dict[str, str] | None = None,
) -> Response[Refusal]:
    """An answer that says no."""
    details = Details(kind, code, message, param)
    return Response(Refusal(details), status_code=status, headers=headers)


def refusals(*more: int, keyed: bool = True) -> dict[int, ResponseSpec]:
    """What a route may answer beside what it is asked for, for its description."""
    told = sorted({*KEYED, *more} if keyed else more)
    return {s: ResponseSpec(Refusal, description=WHY[s], generate_examples=False) for s in told}
