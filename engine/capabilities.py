"""What models can do for a session, as the messages that go to them and come back.

These cross process borders as msgpack. Audio is mono 16-bit little-endian PCM.
"""

from typing import Any, Literal

import msgspec


class SpokenWord(msgspec.Struct, frozen=True, gc=False):
    """One spoken word: where its source stands in the text, where its sound lies in the audio."""

    start_char: int
    end_char: int
    start_samples: int
    end_samples: int


class Clip(msgspec.Struct, frozen=True):
    """Speech to transcribe: PCM at 16 kHz.

    `language` is a BCP-47 tag, or "auto": then it is found, and `expected` is what the caller spoke
    before, which a brief sound does not overrule. `words` asks for the time of each word. `terms`
    are names and words that may be said, as they are written. `by` is who is to hear it, where that
    is not chosen by language: the `fast` recogniser, or the one of `many` languages.
    """

    pcm: bytes
    language: str = "en"
    expected: str = ""
    words: bool = False
    terms: tuple[str, ...] = ()
    by: Literal["auto", "fast", "many"] = "auto"


class TimedWord(msgspec.Struct, frozen=True, gc=False):
    """A transcribed word with its punctuation; times from the clip's start, probability 0-1."""

    text: str
    start_ms: int
    end_ms: int
    probability: float


class Transcript(msgspec.Struct, frozen=True):
    """What was said in a `Clip`; empty if nothing was.

    `confidence` is the mean probability of its tokens (geometric, 0-1), 1 where a model tells none.
    `language` is the primary tag (BCP-47) of what was found or asked for, empty if nobody knows.
    `words` is empty unless the clip asked for them.
    """

    text: str
    confidence: float = 1.0
    language: str = ""
    words: tuple[TimedWord, ...] = ()


class TurnClip(msgspec.Struct, frozen=True):
    """The end of what the caller said: PCM at 16 kHz, of which the last 8 s count."""

    pcm: bytes


class TurnScore(msgspec.Struct, frozen=True):
    """How likely the caller has finished, 0-1, judged by sound alone."""

    complete: float


class Pronounced(msgspec.Struct, frozen=True, gc=False):
    """A stretch of a text, and how it is said: in the International Phonetic Alphabet."""

    start_char: int
    end_char: int
    ipa: str


class Utterance(msgspec.Struct, frozen=True):
    """Text to speak: one sentence or clause as the LLM wrote it. `speed` 0.25-4, 1 is normal.

    The speech is wanted at `rate_hz`, so that no gateway has to resample it. What is `pronounced`,
    in the text's order, a voice that is not given phonemes reads as it is written.
    """

    text: str
    voice: str
    speed: float = 1.0
    rate_hz: int = 24_000
    pronounced: tuple[Pronounced, ...] = ()


class Speech(msgspec.Struct, frozen=True):
    """A stretch of the spoken `Utterance`, in order; positions count from the utterance's start.
    The one that is `last` is so marked.
    """

    pcm: bytes
    rate_hz: int
    words: tuple[SpokenWord, ...]
    last: bool = False

    @property
    def lasts_s(self) -> float:
        return len(self.pcm) / 2 / self.rate_hz


class ToolSpec(msgspec.Struct, frozen=True):
    """A function that the LLM may call; `parameters` is a JSON Schema object."""

    name: str
    description: str
    parameters: dict[str, Any]


class ToolCall(msgspec.Struct, frozen=True):
    """A piece of a function call; `id` and `name` come with the call's first piece only."""

    index: int
    arguments: str
    id: str = ""
    name: str = ""


class ChatMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message in the OpenAI chat-completions dialect."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str | None = None
    tool_calls: tuple[dict[str, Any], ...] = ()
    tool_call_id: str | None = None


class Chat(msgspec.Struct, frozen=True):
    """What to answer. `max_tokens` None: as long as the model likes.

    `max_tokens` 0 answers nothing: it only warms the endpoint's prompt cache with this prefix.
    `tool_choice` is auto, none, required, or a function's name. An answer with a `voice_speed` (1:
    the voice's own) is spoken: but for its beginning, it is wanted no faster than that. None: it is
    read, at about that speed. `conversation` names the one that it belongs to; empty: unknown.
    """

    messages: tuple[ChatMessage, ...]
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: str = "auto"
    temperature: float | None = None
    max_tokens: int | None = None
    voice_speed: float | None = None
    conversation: str = ""


class ChatDelta(msgspec.Struct, frozen=True):
    """A piece of an answer. `finish` comes once: stop, length, tool_calls or content_filter.

    Tokens are those of the whole answer so far, where the endpoint tells; `model` comes with them.
    """

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish: str = ""
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0


class TextToEmbed(msgspec.Struct, frozen=True):
    """A text whose meaning is to be compared with that of others: a question, or a passage."""

    text: str


class Embedding(msgspec.Struct, frozen=True, gc=False):
    """Where a `TextToEmbed` lies among all meanings: 32-bit floats, little-endian. The vector has
    the length 1, so that the product of two is their cosine: the nearer 1, the more alike.
    """

    vector: bytes
