"""What a session uses: compute, tokens, characters and audio, by model."""

from collections.abc import AsyncIterator, Callable
from typing import Generic, Protocol, TypeVar

import msgspec

from engine.capabilities import Chat, ChatDelta, Utterance
from engine.generation import Generation
from engine.inference import Priority, Request

P = TypeVar("P")
R = TypeVar("R")
P_contra = TypeVar("P_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)

CHARACTERS_A_TOKEN = 4
"""Of English text (OpenAI's rule of thumb), where an endpoint never told how many it read."""

LONGEST_MODEL, MOST_TOKENS = 200, 2**31
"""Of a model's name, in characters, and of an answer's tokens: an endpoint may tell anything, and
what is beyond that is none."""


class Amounts(msgspec.Struct, omit_defaults=True):
    """`input_tokens` count the `cached_tokens` too. Compute is one worker's time."""

    characters: int = 0
    audio_in_ms: float = 0.0
    audio_out_ms: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    compute_ms: float = 0.0

    def add(self, more: "Amounts") -> None:
        """Both together."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(more, name))


class Used(msgspec.Struct, frozen=True):
    """What was used of a `model`, empty for the session's own audio. `dropped`: it was prepared,
    and nobody ever heard or read it.
    """

    model: str
    dropped: bool
    amounts: Amounts


class Measured(Request[R_co], Protocol[R_co]):
    """A request that tells when it costs no more."""

    @property
    def settled(self) -> bool:
        """Whether `compute_ms` is final. One that was cancelled costs something until it stops."""
        ...

    async def stopped(self) -> None:
        """Wait until it is."""
        ...


class Measurable(Protocol[P_contra, R_co]):
    """A model whose requests are `Measured`."""

    def request(self, payload: P_contra, *, priority: Priority, deadline_ms: int) -> Measured[R_co]:
        """As `Inference.request`."""
        ...


class Watch(Protocol):
    """Has what is asked of a model counted under its name."""

    def __call__(self, model: Measurable[P, R], name: str) -> "Watched[P, R]": ...


class Meter:
    """Counts for one session. What is `taken` is counted once."""

    def __init__(self) -> None:
        self._open: list[Counted] = []
        self._audio = Amounts()

    @property
    def settled(self) -> bool:
        """Whether everything that was asked is over."""
        return all(counted.request.settled for counted in self._open)

    def watch(self, model: Measurable[P, R], name: str) -> "Watched[P, R]":
        """For what hears: whatever it asks was wanted."""
        return Watched(model, name, self._open, lambda: None)

    def watch_answers(self, current: Callable[[], Generation | None]) -> Watch:
        """For what answers: it was wanted if the generation that was `current` came to be live."""

        def watch(model: Measurable[P, R], name: str) -> Watched[P, R]:
            return Watched(model, name, self._open, current)

        return watch

    def hear(self, audio_ms: float) -> None:
        """So much audio came from the caller."""
        self._audio.audio_in_ms += audio_ms

    def say(self, audio_ms: float) -> None:
        """So much went to it."""
        self._audio.audio_out_ms += audio_ms

    def take(self) -> list[Used]:
        """What is known since it was last asked: of requests, those that are over."""
        used: dict[tuple[str, bool], Amounts] = {}
        still_open: list[Counted] = []
        for counted in self._open:
            dropped = counted.dropped()
            if dropped is None or not counted.request.settled:
                still_open.append(counted)
            else:
                amounts = used.setdefault((counted.model, dropped), Amounts())
                amounts.add(counted.amounts())
        self._open[:] = still_open
        audio, self._audio = self._audio, Amounts()
        if audio != Amounts():
            used["", False] = audio
        return [Used(model, dropped, amounts) for (model, dropped), amounts in used.items()]


class Watched(Generic[P, R]):
    """Satisfies `engine.inference.Inference` with another that does, and notes what it is asked."""

    def __init__(
        self,
        model: Measurable[P, R],
        name: str,
        notes: "list[Counted]",
        current: Callable[[], Generation | None],
    ) -> None:
        self._model = model
        self._name = name
        self._notes = notes
        self._current = current

    def request(self, payload: P, *, priority: Priority, deadline_ms: int) -> "CountedRequest[R]":
        """As `Inference.request`."""
        request = self._model.request(payload, priority=priority, deadline_ms=deadline_ms)
        counted = Counted(request, self._name, payload, self._current)
        self._notes.append(counted)
        return CountedRequest(request, counted)


class Counted:
    """What one request asks and gets."""

    def __init__(
        self,
        request: Measured[object],
        model: str,
        payload: object,
        current: Callable[[], Generation | None],
    ) -> None:
        self.request = request
        self.model = model
        self._generation = current()
        self._current = current
        self._begun = False
        self._amounts = Amounts()
        self._characters = len(payload.text) if isinstance(payload, Utterance) else 0
        self._answers = isinstance(payload, Chat) and payload.max_tokens != 0
        self._read = 0
        if isinstance(payload, Chat):  # a prompt that is warmed comes again, and counts then
            self._read = sum(len(message.content or "") for message in payload.messages)

    def saw(self, result: object) -> None:
        """A result came."""
        self._begun = True
        amounts = self._amounts
        if not isinstance(result, ChatDelta) or not self._answers:
            return
        if result.input_tokens or result.output_tokens:
            amounts.input_tokens = tokens(result.input_tokens)
            amounts.output_tokens = tokens(result.output_tokens)
            amounts.cached_tokens = tokens(result.cached_tokens)
        elif result.text or result.tool_calls:
            amounts.output_tokens += 1  # until the endpoint says: most send each token by itself
        if 0 < len(result.model) <= LONGEST_MODEL and result.model.isprintable():
            self.model = result.model

    def dropped(self) -> bool | None:
        """Whether it was made for nothing; None while that is open."""
        generation = self._generation
        if generation is None or "promoted" in generation.stamps:
            return False
        return None if self._current() is generation else True

    def amounts(self) -> Amounts:
        """What it came to."""
        amounts = self._amounts
        amounts.compute_ms = self.request.compute_ms
        if self._begun:
            amounts.characters = self._characters
            if amounts.output_tokens and not amounts.input_tokens:
                amounts.input_tokens = self._read // CHARACTERS_A_TOKEN
        return amounts


def tokens(told: int) -> int:
    """As many as there may be."""
    return min(max(told, 0), MOST_TOKENS)


class CountedRequest(Generic[R]):
    """As `engine.inference.Request`: another one, whose results are counted."""

    def __init__(self, request: Measured[R], counted: Counted) -> None:
        self._request = request
        self._results = request.__aiter__()
        self._counted = counted

    @property
    def compute_ms(self) -> float:
        return self._request.compute_ms

    def __aiter__(self) -> AsyncIterator[R]:
        return self

    async def __anext__(self) -> R:
        result = await self._results.__anext__()
        self._counted.saw(result)
        return result

    def promote(self, priority: Priority, deadline_ms: int) -> None:
        self._request.promote(priority, deadline_ms)

    def cancel(self) -> None:
        self._request.cancel()
