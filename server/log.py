"""Logs: one JSON object a line (or readable lines on a terminal), each with its session's id.

No audio, text or secret may reach a log. Four rules see to it: other people's loggers speak only
from WARNING up (some log whole messages below that), asyncio's messages end where they begin to
quote, an exception is logged by its type, code and place and not by its message (which may quote
what was said), and nothing of ours puts content into a log call (tests/server/test_log.py reads a
whole conversation's log for its words).
"""

import datetime
import logging
import re
import sys
import traceback
from contextvars import ContextVar
from types import TracebackType
from typing import TextIO

import msgspec

from server.settings import LogSettings

OURS = ("engine", "actors", "transports", "storage", "server")

SPEAKING_ERRORS = (OSError, ImportError, AttributeError, NameError)
"""Errors whose messages name files and identifiers, never what was said."""

STANDARD = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {"message", "taskName"}

_session: ContextVar[str] = ContextVar("session", default="")


def serve_session(session_id: str) -> None:
    """From here on, this task and those that it starts log this session's id."""
    _session.set(session_id)


def configure(settings: LogSettings, stream: TextIO | None = None) -> None:
    """Send all logs to `stream` (standard error). Replaces what was configured before."""
    stream = sys.stderr if stream is None else stream
    as_text = settings.format == "text" or (settings.format == "auto" and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextFormatter() if as_text else JsonFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(settings.level.upper())


def fields(record: logging.LogRecord) -> dict[str, object]:
    """What a record says: event, session, the `extra` fields, and its exception without message."""
    said: dict[str, object] = {"event": event_of(record)}
    if session := _session.get():
        said["session"] = session
    said |= {
        name: value
        for name, value in vars(record).items()
        if name not in STANDARD
        and not name.startswith("_")  # libraries mark records for themselves
    }
    if record.exc_info and record.exc_info[1] is not None:
        said["error"] = without_content(record.exc_info[1])
        said["at"] = places(record.exc_info[2])
    return said


def event_of(record: logging.LogRecord) -> str:
    """What happened. asyncio goes on to quote arguments, results and exceptions: that is cut off.

    Its quotes begin with a new line (a task, how it ended) or a bracket (a callback's arguments).
    """
    event = record.getMessage()
    return re.split(r"[\n(]", event, maxsplit=1)[0] if record.name == "asyncio" else event


def without_content(error: BaseException) -> str:
    """An exception's type and code; its message only where that cannot quote a conversation."""
    name = type(error).__name__
    if isinstance(error, SPEAKING_ERRORS):
        return f"{name}: {error}"
    code = getattr(error, "code", None)
    return f"{name}: {code}" if isinstance(code, str | int) else name


def places(trace: TracebackType | None) -> list[str]:
    """Where an exception passed, outermost first, without the values."""
    frames = traceback.extract_tb(trace)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def time_of(record: logging.LogRecord) -> datetime.datetime:
    """When it was logged, in UTC."""
    return datetime.datetime.fromtimestamp(record.created, datetime.UTC)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, then the record's fields."""

    def format(self, record: logging.LogRecord) -> str:
        head = {
            "time": time_of(record).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        return msgspec.json.encode(head | fields(record), enc_hook=str).decode()


class TextFormatter(logging.Formatter):
    """`15:04:05 info  server.cli  listening  url=http://…`, for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        said = fields(record)
        time = time_of(record).astimezone().strftime("%H:%M:%S")
        at = said.pop("at", [])
        head = f"{time} {record.levelname.lower():7} {said.pop('event')}"
        pairs = " ".join(f"{name}={value}" for name, value in said.items())
        lines = [f"{head}  {pairs}".rstrip()]
        lines += [f"    {place}" for place in at] if isinstance(at, list) else []
        return "\n".join(lines)
