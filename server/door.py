"""How a gateway asks the supervisor for a place before it opens a session."""

import asyncio
import itertools
import logging
from collections.abc import Callable
from typing import Protocol

from server.control import Away, Enter, Leave, Refusal, ToSupervisor, Welcome
from transports.websocket import Refused

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

    async def enter(self) -> Place:
        """Take a place. Raises `Refused`."""
        ...


class AnyPlace:
    """A place that nobody counts."""

    def mark(self, *, away: bool) -> None:
        """Nobody counts."""

    def give_back(self) -> None:
        """Nobody counts."""


class OpenDoor:
    """A place for everybody, where no supervisor counts."""

    async def enter(self) -> Place:
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
    """Satisfies `Door` by asking the supervisor. `refused` is called with the reason of each no."""

    def __init__(
        self, send: Callable[[ToSupervisor], None], refused: Callable[[str], None]
    ) -> None:
        self._send = send
        self._refused = refused
        self._numbers = itertools.count()
        self._asked: dict[int, asyncio.Future[Welcome | Refusal]] = {}

    async def enter(self) -> Place:
        """Ask, and wait for the answer. One that does not come in time is a no."""
        number = next(self._numbers)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        self._send(Enter(number))
        try:
            async with asyncio.timeout(PATIENCE_S):
                answered = await answer
        except asyncio.CancelledError:
            self._send(Leave(number))  # harmless if there was no place
            raise
        except TimeoutError:
            self._send(Leave(number))
            log.error("the supervisor does not answer")
            self._refused("unanswered")
            raise Refused("the server is too busy to answer", RETRY_UNANSWERED_S) from None
        finally:
            del self._asked[number]
        if isinstance(answered, Refusal):
            log.info("session refused", extra={"reason": answered.reason})
            self._refused(answered.reason)
            raise Refused(answered.message, answered.retry_after_s)
        return SupervisedPlace(self._send, number)

    def answered(self, answer: Welcome | Refusal) -> None:
        """The supervisor's answer."""
        waiting = self._asked.get(answer.number)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)
