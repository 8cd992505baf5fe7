"""The protocol's `error` event, and how a message that cannot be decoded becomes one."""

import re
from typing import Any

import msgspec

from engine.frames import Failure
from engine.session import RequestError
from transports.realtime.wire import ServerEvent

LONGEST_ECHO = 80  # characters of the offending value that an error repeats


class ErrorDetails(msgspec.Struct, frozen=True):
    """`type` is invalid_request_error (the client can mend it) or server_error."""

    type: str
    code: str | None
    message: str
    param: str | None
    event_id: str | None


class ErrorEvent(ServerEvent, frozen=True, tag="error"):
    """Something went wrong; the session goes on."""

    error: ErrorDetails


class BadEvent(Exception):
    """A message that is no event of the protocol, with all that its `error` needs to say."""

    def __init__(self, code: str, message: str, param: str | None, event_id: str | None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param
        self.event_id = event_id


def bad_event(error: BadEvent) -> ErrorEvent:
    """The event for a message that could not be decoded."""
    return invalid(error.code, str(error), error.param, error.event_id)


def refused(error: RequestError, event_id: str | None) -> ErrorEvent:
    """The event for a request that was understood and cannot be done."""
    return invalid(error.code, str(error), error.param, event_id)


def failure(frame: Failure) -> ErrorEvent:
    """The event for what went wrong later, inside the session."""
    return ErrorEvent(
        error=ErrorDetails(frame.kind, frame.code, frame.message, frame.param, frame.event_id)
    )


def invalid(code: str, message: str, param: str | None, event_id: str | None) -> ErrorEvent:
    """An error that the client can mend."""
    return ErrorEvent(error=ErrorDetails("invalid_request_error", code, message, param, event_id))


_LOCATED = re.compile(r"^(?P<problem>.*?)(?: - at `(?P<key>key in )?\$(?P<path>.*)`)?$", re.DOTALL)
_FIELD = re.compile(r"(?:missing required|unknown) field `(?P<name>[^`]*)`")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")


def explain(
    error: msgspec.ValidationError, document: Any, under: str = ""
) -> tuple[str, str, str | None]:
    """The code, message and param of a validation error in `document` (decoded JSON).

    msgspec gives the problem and a JSON path; the message adds the value that was found there.
    `under` is the path of `document` within the event.
    """
    match = _LOCATED.match(str(error))
    assert match is not None  # the pattern matches every string
    problem, path = match["problem"], match["path"] or ""
    param = f"{under}{path}".lstrip(".")
    field = _FIELD.search(problem)
    if field is not None:
        param = f"{param}.{field['name']}".lstrip(".")
        missing = "missing" in problem
        code = "missing_required_parameter" if missing else "unknown_parameter"
        what = "missing required" if missing else "unknown"
        return code, f"{what} parameter '{param}'", param
    problem = problem[:1].lower() + problem[1:]
    found = _value_at(document, path)
    value = "" if found is _NOWHERE else f" {_echo(found)}"
    where = f"'{param}'" if param else "the event"
    return "invalid_value", f"invalid value{value} for {where}: {problem}", param or None


_NOWHERE = object()


def _value_at(document: Any, path: str) -> Any:
    for name, index in _STEP.findall(path):
        if name and isinstance(document, dict) and name in document:
            document = document[name]
        elif index and isinstance(document, list) and int(index) < len(document):
            document = document[int(index)]
        else:
            return _NOWHERE
    return document


def _echo(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= LONGEST_ECHO else f"{text[:LONGEST_ECHO]}..."
