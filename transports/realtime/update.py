"""What a `session.update` makes of the session object in force."""

from collections.abc import Iterable

import msgspec

from engine.errors import RequestError
from engine.settings import SessionSettings
from transports.realtime import errors
from transports.realtime.session_object import SessionObject, merge
from transports.realtime.session_settings import session_of, settings_of
from transports.realtime.wire import JsonObject

LARGEST_SESSION = 1024 * 1024
"""Bytes of the session object as JSON: it is shown whole after each change."""

_encoder = msgspec.json.Encoder()


def updated(current: SessionObject, update: JsonObject) -> tuple[SessionObject, SessionSettings]:
    """The object that is in force then, and its settings. Raises `RequestError`."""
    try:
        changed = merge(current, update)
    except msgspec.ValidationError as error:
        code, message, param = errors.explain(error, update, "session")
        raise RequestError(code, message, param) from error
    settings = settings_of(changed)
    _check_size(changed)
    return changed, settings


def first_object(
    defaults: SessionSettings, kind: object, model: str, presets: Iterable[JsonObject]
) -> SessionObject:
    """What a session begins with: `kind` is transcription, or anything else for a conversation;
    then each of the `presets`, session objects in full or in part.

    Raises `RequestError` for one that cannot be.
    """
    if kind == "transcription":
        defaults = msgspec.structs.replace(defaults, kind="transcription")
    wanted = session_of(defaults, model)
    for preset in presets:
        wanted, _ = updated(wanted, {"type": wanted.__struct_config__.tag, **preset})
    return wanted


def _check_size(session: SessionObject) -> None:
    size = len(_encoder.encode(session))
    if size > LARGEST_SESSION:
        raise RequestError(
            "invalid_value",
            f"the session object would have {size} bytes: at most {LARGEST_SESSION} are kept; "
            "shorten the tools or the variables",
            "session",
        )
