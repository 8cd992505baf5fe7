"""The history of a conversation: its items in order, cut to what was heard."""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from engine.capabilities import ChatMessage
from engine.items import FunctionCall, FunctionOutput, Item, Message, Part

ROOT = "root"
"""Stands for the place before the first item, as in the realtime protocol."""


RUNNING = "The tool is still running. Its result will come."
"""What the LLM is told of a tool that has not answered, so that it does not ask again."""


class UnknownItem(KeyError):
    """No item of the history has this id."""


class History:
    """Items by id and in order. Items are immutable: a change puts a new one in its place."""

    def __init__(self) -> None:
        self._items: dict[str, Item] = {}
        self._order: list[str] = []

    def __iter__(self) -> Iterator[Item]:
        return (self._items[item_id] for item_id in self._order)

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._items

    def __getitem__(self, item_id: str) -> Item:
        try:
            return self._items[item_id]
        except KeyError:
            raise UnknownItem(item_id) from None

    def last_id(self) -> str | None:
        """The id of the newest item."""
        return self._order[-1] if self._order else None

    def add(self, item: Item, previous_item_id: str | None = None) -> str | None:
        """Put `item` behind `previous_item_id`, at the end (None) or at the head (`ROOT`).

        Returns the id of the item before it. Raises `UnknownItem`, or `ValueError` if there is an
        item with this id already.
        """
        if item.id in self._items:
            raise ValueError(f"item {item.id!r} is in the history already")
        if previous_item_id is None:
            place = len(self._order)
        elif previous_item_id == ROOT:
            place = 0
        elif previous_item_id in self._items:
            place = self._order.index(previous_item_id) + 1
        else:
            raise UnknownItem(previous_item_id)
        self._order.insert(place, item.id)
        self._items[item.id] = item
        return self._order[place - 1] if place else None

    def put(self, item: Item) -> None:
        """Replace the item that has this one's id; nothing happens if it was deleted meanwhile."""
        if item.id in self._items:
            self._items[item.id] = item

    def delete(self, item_id: str) -> None:
        """Take an item out. Raises `UnknownItem`."""
        if item_id not in self._items:
            raise UnknownItem(item_id)
        del self._items[item_id]
        self._order.remove(item_id)

    def set_transcript(self, item_id: str, text: str) -> None:
        """Fill in the transcript of a user item's audio."""
        item = self._items.get(item_id)
        if isinstance(item, Message):
            self.put(replace(item, parts=tuple(_filled(part, text) for part in item.parts)))


def chat_messages(items: Sequence[Item] | History, instructions: str) -> tuple[ChatMessage, ...]:
    """The items as the messages of a chat request, `instructions` first.

    Items without words (a cough, a reply that was cut before its first word) are left out, as are
    calls that have no output yet and outputs of no call. Outputs stand right behind the calls that
    one reply made, whatever was said meanwhile. Endpoints refuse anything else.
    """
    outputs = {item.call_id: item.output for item in items if isinstance(item, FunctionOutput)}
    for item in items:
        if isinstance(item, FunctionCall) and item.ours and item.status == "completed":
            outputs[item.call_id] = RUNNING if item.output is None else item.output
    messages: list[ChatMessage] = []
    if instructions:
        messages.append(ChatMessage(role="system", content=instructions))
    called: list[str] = []

    def add_outputs() -> None:
        for call_id in called:
            messages.append(  # noqa: PERF401 - what is extended may not be read meanwhile
                ChatMessage(role="tool", content=outputs[call_id], tool_call_id=call_id)
            )
        called.clear()

    for item in items:
        match item:
            case Message(role=role, parts=parts):
                add_outputs()
                text = " ".join(part.text for part in parts if part.text)
                if text:
                    messages.append(ChatMessage(role=role, content=text))
            case FunctionCall(call_id=call_id) if call_id in outputs and call_id not in called:
                _add_call(messages, item)
                called.append(call_id)
            case FunctionOutput():
                add_outputs()
    add_outputs()
    return tuple(messages)


def _add_call(messages: list[ChatMessage], item: FunctionCall) -> None:
    """Calls that one reply made together belong into one message."""
    call = {
        "id": item.call_id,
        "type": "function",
        "function": {"name": item.name, "arguments": item.arguments},
    }
    if messages and messages[-1].role == "assistant":
        messages[-1] = replace(messages[-1], tool_calls=(*messages[-1].tool_calls, call))
    else:
        messages.append(ChatMessage(role="assistant", tool_calls=(call,)))


def _filled(part: Part, text: str) -> Part:
    return replace(part, text=text) if part.kind == "audio" else part
