"""Who asks: what is known of the key that came with a request."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

import msgspec

from storage.accounts import NO_LIMITS, Limits

Scope = Literal["realtime", "speech", "sessions", "agents", "records", "usage", "system", "admin"]
"""What a key may do: hold conversations; have text spoken; steer and end the sessions of its
account that are open, and let others' clients in; make and change what its account's agents are and
know, their tools, secrets and webhooks; read, and delete, what was said in its account's sessions;
see what its account uses; see what runs on the machine; everything, of everybody."""

USUAL: tuple[Scope, ...] = ("realtime", "speech", "sessions")
"""What a program needs that puts conversations, and speech, in front of its users."""

SCOPES: tuple[Scope, ...] = get_args(Scope)

AS = "voiceforge.caller"
"""Under which the caller stands in an ASGI scope."""

COOKIE_AS = "voiceforge.cookie"
"""Under which the cookie stands there by which it was let in, if it was."""

HEADER = "voiceforge-caller"
"""In which one gateway tells another, over its private socket, who asked it."""


class Caller(msgspec.Struct, frozen=True, omit_defaults=True):
    """The owner of a key. `account_id` is None for this server itself.

    `session` is what a client secret's session begins with, a session object in full or in part.
    """

    account_id: str | None = None
    key_id: str | None = None
    scopes: tuple[str, ...] = ()
    key_limits: Limits = NO_LIMITS
    account_limits: Limits = NO_LIMITS
    session: dict[str, Any] | None = None

    def may(self, scope: Scope) -> bool:
        """Whether the key has this scope."""
        return scope in self.scopes or "admin" in self.scopes

    def sees(self, account_id: str | None) -> bool:
        """Whether what is this account's may be reached: one's own, and an administrator's all."""
        return self.may("admin") or (account_id is not None and account_id == self.account_id)

    def told(self) -> str:
        """For another gateway, in `HEADER`. No session begins there."""
        return msgspec.json.encode(msgspec.structs.replace(self, session=None)).decode()


OURSELVES = Caller(scopes=("admin",))
"""This server, where it asks itself."""


def caller_of(scope: Mapping[str, object]) -> Caller:
    """Who asks, in a connection that has passed the guard."""
    caller = scope[AS]
    assert isinstance(caller, Caller)
    return caller


def cookie_of(scope: Mapping[str, object]) -> str | None:
    """The cookie by which who asks was let in; None if it showed a key."""
    cookie = scope.get(COOKIE_AS)
    assert cookie is None or isinstance(cookie, str)
    return cookie
