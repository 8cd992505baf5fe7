"""All events that a client may send, and the strict way in."""

from typing import Any, get_args

import msgspec

from transports.realtime.conversation_events import (
    ItemCreate,
    ItemDelete,
    ItemRetrieve,
    ItemTruncate,
)
from transports.realtime.errors import BadEvent, explain
from transports.realtime.input_audio_events import Append, Clear, Commit
from transports.realtime.own_events import Ping
from transports.realtime.response_events import OutputClear, ResponseCancel, ResponseCreate
from transports.realtime.session_events import SessionUpdate
from transports.realtime.wire import LONGEST_ID

AnyClientEvent = (
    Append
    | Clear
    | Commit
    | ItemCreate
    | ItemDelete
    | ItemRetrieve
    | ItemTruncate
    | OutputClear
    | Ping
    | ResponseCancel
    | ResponseCreate
    | SessionUpdate
)

NAMES = sorted(str(event.__struct_config__.tag) for event in get_args(AnyClientEvent))
"""The types of all client events."""

_decoder = msgspec.json.Decoder[AnyClientEvent](AnyClientEvent)


def decode(message: str | bytes) -> AnyClientEvent:
    """The event in `message`. Raises `BadEvent`, which says what is wrong and where."""
    try:
        event: AnyClientEvent = _decoder.decode(message)
    except msgspec.ValidationError as error:
        raise _bad(error, message) from error
    except (ValueError, RecursionError) as error:
        raise _malformed(error) from error
    return event


def _malformed(error: Exception) -> BadEvent:
    return BadEvent("invalid_json", f"the message is not JSON: {error}", None, None)


def _bad(error: msgspec.ValidationError, message: str | bytes) -> BadEvent:
    try:
        document: Any = msgspec.json.decode(message)
    except (ValueError, RecursionError) as malformed:
        return _malformed(malformed)
    event_id = document.get("event_id") if isinstance(document, dict) else None
    code, text, param = explain(error, document)
    if param == "type" and code == "invalid_value":
        text = f"{text}; the client events are {', '.join(NAMES)}"
    named = isinstance(event_id, str) and len(event_id) <= LONGEST_ID
    return BadEvent(code, text, param, event_id if named else None)
