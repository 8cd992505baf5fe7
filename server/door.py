"""How a gateway asks the supervisor for a place before it opens a session."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Protocol

from server.control import Enter, Leave, Refusal, ToSupervisor, Welcome
from transports.websocket import Refused

GiveBack = Callable[[], None]


class Door(Protocol):
    """Knows whether one more session fits."""

    async def enter(self) -> GiveBack:
        """Take a place; call what is returned once the session has ended. Raises `Refused`."""
        ...


class OpenDoor:
    """A place for everybody, where no supervisor counts."""

    async def enter(self) -> GiveBack:
        """Always lets in."""
        return lambda: None


class SupervisedDoor:
    """Satisfies `Door` by asking the supervisor. `refused` is called with the reason of each no."""

    def __init__(
        self, send: Callable[[ToSupervisor], None], refused: Callable[[str], None]
    ) -> None:
        self._send = send
        self._refused = refused
        self._numbers = itertools.count()
        self._asked: dict[int, asyncio.Future[Welcome | Refusal]] = {}

    async def enter(self) -> GiveBack:
        """Ask, and wait for the answer."""
        number = next(self._numbers)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        self._send(Enter(number))
        try:
            answered = await answer
        except asyncio.CancelledError:
            self._send(Leave(number))  # harmless if there was no place
            raise
        finally:
            del self._asked[number]
        if isinstance(answered, Refusal):
            self._refused(answered.reason)
            raise Refused(answered.message, answered.retry_after_s)
        return lambda: self._send(Leave(number))

    def answered(self, answer: Welcome | Refusal) -> None:
        """The supervisor's answer."""
        waiting = self._asked.get(answer.number)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)
