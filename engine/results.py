"""Results on their way from what makes them to the one who iterates over them."""

import asyncio
from collections import deque
from typing import Generic, TypeVar

from engine.inference import InferenceError

R = TypeVar("R")


class Results(Generic[R]):
    """What came so far, in order, and how it ended. One reader; everything in one event loop."""

    def __init__(self) -> None:
        self.ended = False
        self.begun = False
        self._ready: deque[R] = deque()
        self._error: InferenceError | None = None
        self._reader: asyncio.Future[None] | None = None

    def add(self, result: R) -> None:
        """Hand a result on; ignored once ended."""
        if not self.ended:
            self.begun = True
            self._ready.append(result)
            self._wake()

    def end(self, error: InferenceError | None = None) -> None:
        """Nothing more will come. What is there can still be read, then `error` is raised."""
        if not self.ended:
            self.ended = True
            self._error = error
            self._wake()

    def drop(self) -> None:
        """End here and silently: the reader wants no more, neither results nor an error."""
        self._ready.clear()
        self._error = None
        self.ended = True
        self._wake()

    async def next(self) -> R:
        """The next result. Raises `StopAsyncIteration` at the end, or the error that ended it."""
        while not self._ready:
            if self._error is not None:
                raise InferenceError(self._error.code, str(self._error))
            if self.ended:
                raise StopAsyncIteration
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        return self._ready.popleft()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
