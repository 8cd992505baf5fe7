"""What `/v1/admin` takes and gives, for the routes and for `voiceforge keys`."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from server.access.caller import USUAL, Scope
from storage.accounts import FIRST, NO_LIMITS, Account, Limits
from storage.keys import Key

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Days = Annotated[int, Meta(ge=1, le=36_500)]


class NewAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account to be made. Records older than `retention_days` are deleted; null keeps them."""

    name: Name
    limits: Limits = NO_LIMITS
    retention_days: Days | None = None


class AccountChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of an account; what is not named stays. `limits` are replaced as a whole."""

    name: Name | UnsetType = UNSET
    limits: Limits | UnsetType = UNSET
    retention_days: Days | UnsetType | None = UNSET


class NewKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key to be made. `origins` are those of web pages such as https://shop.example, `addresses`
    networks such as 10.0.0.0/8; none of either is any. Without `expires_at` it lasts.
    """

    name: Name
    account_id: str = FIRST
    scopes: Annotated[tuple[Scope, ...], Meta(min_length=1)] = USUAL
    origins: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    expires_at: Annotated[datetime, Meta(tz=True)] | None = None
    limits: Limits = NO_LIMITS


class MadeKey(msgspec.Struct, frozen=True):
    """A key, and the secret to send as `Authorization: Bearer …`: it is never shown again."""

    secret: str
    key: Key


class KeyPage(msgspec.Struct, frozen=True):
    """Some keys, oldest first. `has_more`: the rest comes `after` the last one's id."""

    data: list[Key]
    has_more: bool


class AccountPage(msgspec.Struct, frozen=True):
    """Some accounts, as `KeyPage`."""

    data: list[Account]
    has_more: bool
