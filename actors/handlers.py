"""Models as inference actors run them: some answer a list with a list, voices one with a stream."""

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

import msgspec

from engine.capabilities import Speech, Utterance

P = TypeVar("P")
R = TypeVar("R")


class Share(msgspec.Struct, frozen=True):
    """What a worker may use of the machine.

    `lanes` runs of the model go on at once, each with `threads` threads. One that is `patient`
    serves no callers: it lets everything else on its machine go first, and may have what waits wait
    longer to be computed together.
    """

    threads: int = 1
    lanes: int = 1
    patient: bool = False


class Batched(Generic[P, R]):
    """A model that answers a list with a list, up to `max_batch` at a time in each of `lanes`."""

    streams = False

    def __init__(
        self,
        payload_type: type[P],
        answer: Callable[[list[P]], Sequence[R]],
        warm: P,
        *,
        max_batch: int = 1,
        lanes: int = 1,
    ) -> None:
        self.max_batch = max_batch
        self.lanes = lanes
        self._payload_type = payload_type
        self._answer = answer
        self._warm = warm

    @property
    def payload_type(self) -> type[P]:
        return self._payload_type

    def warm_up(self) -> None:
        """Answer as many as may come together, so that nothing has to grow later."""
        self._answer([self._warm] * self.max_batch)

    def run(self, batch: list[P]) -> Iterator[tuple[int, R]]:
        yield from enumerate(self._answer(batch))

    def lasts_s(self, _result: R) -> float:
        """All that there is."""
        return 0.0


class Spoken:
    """A voice that answers one utterance with a stream of speech, in each of `lanes`. Without a
    `warm` utterance there is nothing to be done before it is known who speaks.
    """

    max_batch = 1
    payload_type = Utterance

    def __init__(
        self,
        speak: Callable[[Utterance], Iterator[Speech]],
        warm: Utterance | None,
        *,
        lanes: int = 1,
        streams: bool = True,
    ) -> None:
        self.lanes = lanes
        self.streams = streams
        self._speak = speak
        self._warm = warm

    def warm_up(self) -> None:
        if self._warm is not None:
            for _ in self._speak(self._warm):
                pass

    def run(self, batch: list[Utterance]) -> Iterator[tuple[int, Speech]]:
        for place, utterance in enumerate(batch):
            for speech in self._speak(utterance):
                yield place, speech

    def lasts_s(self, result: Speech) -> float | None:
        return None if result.last else result.lasts_s
