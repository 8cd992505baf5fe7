"""How a gateway asks the supervisor for a place before it opens a session."""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from server.access.caller import Caller
from server.access.denied import retry
from server.asking import Asking
from server.control import Away, Enter, Leave, Owner, Refusal, ToSupervisor
from server.places import ENOUGH, SPENT
from transports.handshake import Refused

log = logging.getLogger(__name__)

PATIENCE_S = 5.0
"""For the supervisor's answer, which takes no time at all unless the machine is overwhelmed."""

RETRY_UNANSWERED_S = 5


class Place(Protocol):
    """One session's place."""

    def mark(self, *, away: bool) -> None:
        """The session's client is gone, or back."""
        ...

    def give_back(self) -> None:
        """The session has ended."""
        ...


class Door(Protocol):
    """Knows whether one more session fits."""

    async def enter(self, caller: Caller) -> Place:
        """Take a place for a session of this caller. Raises `Refused`."""
        ...


class Quota(Protocol):
    """Knows who has used up its month."""

    async def check(self, caller: Caller) -> None:
        """Whether this caller may use more. Raises `Refused`."""
        ...


async def admit(quota: Quota, caller: Caller) -> None:
    """Let a request in that is no session. Raises `Denied`."""
    try:
        await quota.check(caller)
    except Refused as no:
        raise retry(no.status, no.code, str(no), no.retry_after_s) from no


class AnyPlace:
    """A place that nobody counts."""

    def mark(self, *, away: bool) -> None:
        """Nobody counts."""

    def give_back(self) -> None:
        """Nobody counts."""


class OpenDoor:
    """A place for everybody, where no supervisor counts."""

    async def enter(self, caller: Caller) -> Place:
        """Always lets in."""
        return AnyPlace()


class SupervisedPlace:
    """A place that the supervisor counts under a number."""

    def __init__(self, send: Callable[[ToSupervisor], None], number: int) -> None:
        self._send = send
        self._number = number

    def mark(self, *, away: bool) -> None:
        self._send(Away(self._number, away))

    def give_back(self) -> None:
        self._send(Leave(self._number))


class SupervisedDoor:
    """Satisfies `Door` and `Quota` by asking the supervisor. `refused` is called with the reason of
    each no.
    """

    def __init__(self, asking: Asking, refused: Callable[[str], None]) -> None:
        self._asking = asking
        self._refused = refused

    async def enter(self, caller: Caller) -> Place:
        """Ask, and wait for the answer. One that does not come in time is a no."""
        asked = Enter(self._asking.number(), owners_of(caller))
        await self._let_in(asked)
        return SupervisedPlace(self._asking.send, asked.number)

    async def check(self, caller: Caller) -> None:
        asked = Enter(self._asking.number(), owners_of(caller), takes_place=False)
        await self._let_in(asked)

    async def _let_in(self, asked: Enter) -> None:
        """Raises `Refused`."""
        try:
            answer = await self._asking.ask(asked, PATIENCE_S)
        except asyncio.CancelledError:
            self._asking.send(Leave(asked.number))  # harmless if there was no place
            raise
        except TimeoutError:
            self._asking.send(Leave(asked.number))
            log.error("the supervisor does not answer")
            self._refused("unanswered")
            busy = "the server is too busy to answer"
            raise Refused(busy, RETRY_UNANSWERED_S, reason="unanswered") from None
        if isinstance(answer, Refusal):
            log.info("refused", extra={"reason": answer.reason})
            self._refused(answer.reason)
            own = answer.reason in (ENOUGH, SPENT)  # and not the machine's fault
            code, status = (answer.reason, 429) if own else ("no_capacity", 503)
            raise Refused(answer.message, answer.retry_after_s, code, status, answer.reason)


def owners_of(caller: Caller) -> tuple[Owner, ...]:
    """Whose session it is, and what they may use."""
    both = ((caller.key_id, caller.key_limits), (caller.account_id, caller.account_limits))
    account_id = caller.account_id or ""
    return tuple(Owner(owner, account_id, limits) for owner, limits in both if owner)
