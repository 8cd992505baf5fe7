"""A voice that says some words otherwise than they are written."""

from collections.abc import AsyncIterator, Callable, Sequence

from msgspec.structs import replace

from actors.respelling import Respelt, Said
from engine.capabilities import Speech, Utterance
from engine.inference import Inference, Priority, Request

Spelling = Callable[[str], Sequence[Said]]
"""What a dictionary says of a text."""


class Spelled:
    """Satisfies `engine.inference.Inference` by a voice that is given each text as it is `spelling`
    has it; its words are told as they are written.
    """

    def __init__(self, voice: Inference[Utterance, Speech], spelling: Spelling) -> None:
        self._voice = voice
        self._spelling = spelling

    def request(
        self, payload: Utterance, *, priority: Priority, deadline_ms: int
    ) -> Request[Speech]:
        """As `Inference.request`."""
        respelt = Respelt(payload.text, self._spelling(payload.text))
        given = replace(payload, text=respelt.text, pronounced=respelt.pronounced)
        asked = self._voice.request(given, priority=priority, deadline_ms=deadline_ms)
        return SpelledRequest(asked, respelt)


class SpelledRequest:
    """A request whose words are placed in the text as it was written."""

    def __init__(self, asked: Request[Speech], respelt: Respelt) -> None:
        self._asked = asked
        self._respelt = respelt

    @property
    def compute_ms(self) -> float:
        return self._asked.compute_ms

    async def __aiter__(self) -> AsyncIterator[Speech]:
        async for speech in self._asked:
            yield replace(speech, words=tuple(map(self._respelt.source, speech.words)))

    def promote(self, priority: Priority, deadline_ms: int) -> None:
        self._asked.promote(priority, deadline_ms)

    def cancel(self) -> None:
        self._asked.cancel()
