"""What all events of the protocol have in common."""

import itertools
import secrets
from typing import Annotated, Any

import msgspec
from msgspec import Meta

_process = secrets.token_hex(6)
_count = itertools.count(1)


def new_event_id() -> str:
    """An event id that no other event of any session has; it is no secret."""
    return f"event_{_process}{next(_count):08x}"


LONGEST_ID = 512
"""Characters of an event's id, the limit of OpenAI's server."""

LARGEST_AUDIO = 15 * 1024 * 1024
"""Bytes of audio in one event, the limit of OpenAI's server."""

LARGEST_MESSAGE = LARGEST_AUDIO * 4 // 3 + 65_536
"""Bytes of one message: the largest audio in base64 and the event around it."""


class ClientEvent(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What a client asks. Unknown fields are passed over; `event_id` comes back in its error."""

    event_id: Annotated[str, Meta(max_length=LONGEST_ID)] | None = None


class ServerEvent(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What the server says."""

    event_id: str = msgspec.field(default_factory=new_event_id)


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An object inside an event in which a misspelt field must not pass silently."""


JsonObject = dict[str, Any]
"""An object that is passed on or echoed as it is."""
