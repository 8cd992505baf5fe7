"""What `/v1/knowledge` takes and gives."""

from typing import Annotated

import msgspec
from msgspec import Meta

from storage.knowledge import Collection, Document
from storage.passages import Found


class NewCollection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A collection to be made. `language` is the BCP-47 tag of what its documents are written in:
    by it words are found in their other forms.
    """

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    language: Annotated[str, Meta(pattern="^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$", max_length=35)] = (
        "en"
    )


class CollectionPage(msgspec.Struct, frozen=True):
    """Some collections, oldest first. `has_more`: the rest comes `after` the last one's id."""

    data: list[Collection]
    has_more: bool


class DocumentPage(msgspec.Struct, frozen=True):
    """Some documents, as `CollectionPage`."""

    data: list[Document]
    has_more: bool


class Results(msgspec.Struct, frozen=True):
    """The passages that fit best, best first."""

    data: list[Found]
