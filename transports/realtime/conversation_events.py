"""Events about the items of the conversation."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from transports.realtime.items import ClientItem, ItemId
from transports.realtime.wire import ClientEvent, JsonObject, ServerEvent


class ItemCreate(ClientEvent, frozen=True, tag="conversation.item.create"):
    """Put an item at the end, behind `previous_item_id`, or at the head ("root")."""

    item: ClientItem
    previous_item_id: ItemId | None = None


class ItemRetrieve(ClientEvent, frozen=True, tag="conversation.item.retrieve"):
    item_id: ItemId


class ItemDelete(ClientEvent, frozen=True, tag="conversation.item.delete"):
    item_id: ItemId


class ItemTruncate(ClientEvent, frozen=True, tag="conversation.item.truncate"):
    """Cut an assistant item to what the client played of it."""

    item_id: ItemId
    content_index: Annotated[int, Meta(ge=0, le=0)]
    audio_end_ms: Annotated[int, Meta(ge=0)]


class Added(ServerEvent, frozen=True, tag="conversation.item.added"):
    previous_item_id: str | None
    item: JsonObject


class Done(ServerEvent, frozen=True, tag="conversation.item.done"):
    previous_item_id: str | None
    item: JsonObject


class Retrieved(ServerEvent, frozen=True, tag="conversation.item.retrieved"):
    item: JsonObject


class Deleted(ServerEvent, frozen=True, tag="conversation.item.deleted"):
    item_id: str


class Truncated(ServerEvent, frozen=True, tag="conversation.item.truncated"):
    item_id: str
    audio_end_ms: int
    content_index: int = 0


def told(item: JsonObject, previous_item_id: str | None, *, done: bool) -> Iterator[ServerEvent]:
    """The events that tell of an item, which is complete if `done`."""
    yield Added(previous_item_id=previous_item_id, item=item)
    if done:
        yield Done(previous_item_id=previous_item_id, item=item)
