"""What may stand where the value in a body may not: for the error that says so."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import inspect

STEP = re.compile(r"([^.\[\]]+)|\[[^\]]*\]")


def values(kind: Any, place: str) -> list[str]:
    """The values that may stand at a place such as `config.tools[0].type`, in what is decoded as a
    `kind`. Empty where they are no list.
    """
    found: list[str] = []
    for one in _at(kind, place):
        match one:
            case inspect.LiteralType(some):
                found += map(str, some)
            case inspect.EnumType(enum):
                found += (str(member.value) for member in enum)
    return list(dict.fromkeys(found))


def fields(kind: Any, place: str) -> list[str]:
    """The fields of the object at a place. Empty where it may be one of several objects."""
    structs = [one for one in _at(kind, place) if isinstance(one, inspect.StructType)]
    return [field.encode_name for field in structs[0].fields] if len(structs) == 1 else []


def _at(kind: Any, place: str) -> list[inspect.Type]:
    types = list(_options(inspect.type_info(kind)))
    for step in STEP.finditer(place):
        types = [
            option for one in types for inner in _inside(one, step[1]) for option in _options(inner)
        ]
    return types


def _inside(one: inspect.Type, name: str | None) -> Iterator[inspect.Type]:
    """What lies in it under a name, or at any place of a list."""
    match one:
        case inspect.StructType(tag_field=tag_field, tag=tag, fields=fields) if name is not None:
            if name == tag_field:
                yield inspect.LiteralType((tag,))
            yield from (field.type for field in fields if field.encode_name == name)
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item) if (
            name is None
        ):
            yield item
        case inspect.DictType(value_type=value):
            yield value


def _options(one: inspect.Type) -> Iterable[inspect.Type]:
    match one:
        case inspect.UnionType(types):
            return [option for inner in types for option in _options(inner)]
        case inspect.Metadata(inner):
            return _options(inner)
    return [one]
