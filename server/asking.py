"""Questions of a gateway to its supervisor, each with a number that the answer repeats."""

import asyncio
import itertools
from collections.abc import Callable

from server.control import Answer, Granted, PutBack, Question, ToSupervisor


class Asking:
    """`send` takes what is said to the supervisor; `answered` is told what it answers."""

    def __init__(self, send: Callable[[ToSupervisor], None]) -> None:
        self.send = send
        self._numbers = itertools.count()
        self._waiting: dict[int, asyncio.Future[Answer]] = {}

    def number(self) -> int:
        """One that no other question has."""
        return next(self._numbers)

    async def ask(self, question: Question, patience_s: float) -> Answer:
        """The answer. Raises `TimeoutError`."""
        waiting: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[question.number] = waiting
        self.send(question)
        try:
            async with asyncio.timeout(patience_s):
                return await waiting
        finally:
            del self._waiting[question.number]

    def answered(self, answer: Answer) -> None:
        """The supervisor's answer. What is lent to nobody any more goes back."""
        waiting = None if answer.number is None else self._waiting.get(answer.number)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)
        elif isinstance(answer, Granted) and answer.count:
            self.send(PutBack(answer.owner, answer.count))
