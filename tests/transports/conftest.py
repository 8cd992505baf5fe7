"""A scripted session and an outlet that remembers: the realtime protocol without an engine."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from engine.frames import Frame, ItemAdded, ItemDeleted, ItemTruncated, SessionEnded
from engine.history import History, UnknownItem
from engine.items import Item
from engine.session import EndReason, RequestError
from engine.settings import ResponseRequest, SessionSettings, TurnSettings
from transports.realtime.connection import Realtime
from transports.realtime.session_settings import session_of


class ScriptedSession:
    """What a session does with a request, as far as a client can see, and nothing else."""

    def __init__(self, transport: Realtime) -> None:
        self.id = "sess_1"
        self.transport = transport
        self.settings = transport.settings
        self.history = History()
        self.calls: list[tuple[str, Any]] = []
        self.heard = b""

    def say(self, *frames: Frame) -> None:
        for frame in frames:
            self.transport.send(frame)

    def start(self) -> None:
        self.calls.append(("start", None))

    def attach(self, transport: Realtime) -> None:
        self.calls.append(("attach", transport))

    def configure(self, settings: SessionSettings) -> None:
        self.settings = settings

    def greet(self) -> None:
        self.calls.append(("greet", None))

    def hear(self, pcm: bytes) -> None:
        self.heard += pcm

    def commit(self) -> None:
        raise RequestError("input_audio_buffer_commit_empty", "nothing is buffered")

    def clear(self) -> None:
        self.calls.append(("clear", None))

    def respond(self, request: ResponseRequest) -> None:
        self.calls.append(("respond", request))

    def cancel(self, response_id: str | None = None) -> None:
        self.calls.append(("cancel", response_id))

    def clear_playback(self) -> None:
        self.calls.append(("clear_playback", None))

    def add(self, item: Item, previous_item_id: str | None = None) -> None:
        try:
            previous = self.history.add(item, previous_item_id)
        except UnknownItem:
            raise RequestError("item_not_found", "no such item", "previous_item_id") from None
        except ValueError as error:
            raise RequestError("item_already_exists", str(error), "item.id") from None
        self.say(ItemAdded(item, previous, True))

    def add_audio(self, item_id: str, role: str, pcm: bytes, previous_item_id: str | None) -> None:
        self.calls.append(("add_audio", (item_id, role, len(pcm), previous_item_id)))

    def delete(self, item_id: str) -> None:
        self.item(item_id)
        self.history.delete(item_id)
        self.say(ItemDeleted(item_id))

    def truncate(self, item_id: str, audio_end_ms: int) -> None:
        self.item(item_id)
        self.say(ItemTruncated(item_id, audio_end_ms))

    def item(self, item_id: str) -> Item:
        try:
            return self.history[item_id]
        except UnknownItem:
            raise RequestError("item_not_found", f"no item {item_id!r}", "item_id") from None

    def stop(self, reason: EndReason, message: str = "") -> None:
        self.calls.append(("stop", reason))
        self.say(SessionEnded(reason, message))


class Remembering:
    """An outlet that keeps what it was given."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.closed: tuple[int, str] | None = None

    def put(self, text: str) -> None:
        self.texts.append(text)

    def close(self, code: int, reason: str) -> None:
        self.closed = code, reason

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.texts]


class Client:
    """A client of one connection; `ask` returns the events that came back for it."""

    def __init__(self, **options: Any) -> None:
        settings = SessionSettings(turn=TurnSettings(kind="server_vad"))
        self.outlet = Remembering()
        self.realtime = Realtime(self.outlet, session_of(settings), **options)
        self.session = ScriptedSession(self.realtime)
        self.realtime.open(self.session, "secret")  # type: ignore[arg-type]

    def ask(self, event: dict[str, Any] | str | bytes) -> list[dict[str, Any]]:
        before = len(self.outlet.texts)
        self.realtime.receive(json.dumps(event) if isinstance(event, dict) else event)
        return self.outlet.events[before:]

    def told(self, *frames: Frame) -> list[dict[str, Any]]:
        before = len(self.outlet.texts)
        self.session.say(*frames)
        return self.outlet.events[before:]

    def error(self, event: dict[str, Any] | str | bytes) -> dict[str, Any]:
        """The one error that `event` brings."""
        (answer,) = self.ask(event)
        assert answer["type"] == "error", answer
        error: dict[str, Any] = answer["error"]
        return error


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def new_client() -> Callable[..., Client]:
    return Client
