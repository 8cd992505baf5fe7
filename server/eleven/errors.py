"""How the routes say no in ElevenLabs' dialect: in the shapes that its SDKs read."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import ClientException, HTTPException, ValidationException
from litestar.openapi import ResponseSpec

from server.refusals import KEYED, WHY, Refusal

UNPROCESSABLE = 422

Asked = Request[Any, Any, Any]


class Detail(msgspec.Struct, frozen=True):
    """`status` is a stable name of what is wrong."""

    status: str
    message: str


class DetailRefusal(msgspec.Struct, frozen=True):
    """The body of an answer that says no."""

    detail: Detail


class Wrong(msgspec.Struct, frozen=True):
    """A part of a request that cannot be read: where it is, and why."""

    loc: list[str]
    msg: str
    type: str = "value_error"


class Invalid(msgspec.Struct, frozen=True):
    """The body of an answer to a request that cannot be read, with 422."""

    detail: list[Wrong]


def refusals(*more: int, keyed: bool = True) -> dict[int, ResponseSpec]:
    """What a route may answer beside what it is asked for, for its description."""
    told = sorted({*KEYED, *more} if keyed else more)
    specs = {
        s: ResponseSpec(DetailRefusal, description=WHY[s], generate_examples=False) for s in told
    }
    text = "what is asked for cannot be read; each part says what is wrong"
    invalid = ResponseSpec(Invalid, description=text, generate_examples=False)
    return {**specs, UNPROCESSABLE: invalid}


Handler = Callable[[Asked, Any], Response[Any]]
Handlers = dict[int | type[Exception], Handler]


def handlers(others: Handlers) -> Handlers:
    """Those of these routes: the `others` of the application, whose shape is OpenAI's, in ours."""
    made = {kind: reshaped(handler) for kind, handler in others.items()}
    return {**made, HTTPException: unread}


def reshaped(handler: Handler) -> Handler:
    """The same in this dialect."""

    def told(request: Asked, error: Any) -> Response[Any]:
        said = handler(request, error)
        assert isinstance(said.content, Refusal)
        details = said.content.error
        detail = Detail(details.code or details.type, details.message)
        return Response(DetailRefusal(detail), status_code=said.status_code, headers=said.headers)

    return told


def unread(request: Asked, error: HTTPException) -> Response[Any]:
    """A request that cannot be read, or not served here."""
    if isinstance(error, ClientException) and error.status_code == 400:
        return Response(Invalid(wrong_in(error)), status_code=UNPROCESSABLE)
    detail = Detail("invalid_request", error.detail)
    return Response(DetailRefusal(detail), status_code=error.status_code, headers=error.headers)


def invalid(field: str, message: str) -> ValidationException:
    """A field of a form that cannot be read."""
    return ValidationException(extra=[{"key": field, "message": message, "source": "body"}])


def wrong_in(error: ClientException) -> list[Wrong]:
    """Each part of it."""
    parts = [part for part in error.extra or () if isinstance(part, dict)]
    told = [Wrong(place_of(part), str(part.get("message", ""))) for part in parts]
    return told or [Wrong(["body"], error.detail)]


def place_of(part: Mapping[str, Any]) -> list[str]:
    """Such as `["body", "voice_settings", "speed"]`."""
    source = part.get("source", "body")
    key = str(part.get("key", ""))
    return [str(getattr(source, "value", source)), *filter(None, key.split("."))]
