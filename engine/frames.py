"""What flows through a pipeline.

Frames are immutable and small. Those above the line travel between the actors of one session; those
below it are what a session tells its transport, which turns them into its own protocol's messages.
Positions in the caller's audio count samples at `CALLER_HZ` from the session's first sample.
"""

import msgspec

from engine.capabilities import Chat, SpokenWord, ToolCall
from engine.inference import Priority
from engine.items import FunctionCall, Item, Modality

CALLER_HZ = 16_000
"""Every transport hands the caller's audio over as mono 16-bit little-endian PCM at this rate."""


class Frame(msgspec.Struct, frozen=True, gc=False):
    """Anything that an actor receives or emits."""


class Audio(Frame, frozen=True):
    """The caller's audio: mono 16-bit PCM at `CALLER_HZ`; `at_samples` is where it begins."""

    pcm: bytes
    at_samples: int


class Voice(Frame, frozen=True):
    """What the VAD heard in one window that ends at `at_samples`.

    `probability` is that of speech, 0-1; `dbfs` the window's root mean square, of full scale.
    """

    probability: float
    dbfs: float
    at_samples: int


class Words(Frame, frozen=True):
    """A transcript of the caller's current utterance so far.

    `stable` never changes again within the utterance; `text` is the whole best guess and starts
    with `stable`. `final`: transcribed up to the hush at `to_samples`, so that nothing of what was
    said by then is missing; `text` is then the truth, may respell `stable`, and is out of date if
    the caller goes on. `confidence` is the recogniser's in `text`, as in `Transcript`.
    """

    stable: str
    text: str
    final: bool
    to_samples: int
    confidence: float = 1.0


class WordsFailed(Frame, frozen=True):
    """The words up to the hush at `to_samples` cannot be had; `code`, `message` as in `Failure`."""

    code: str
    message: str
    to_samples: int


class ItemWords(Frame, frozen=True):
    """The transcript of a recorded user item, or, with `text` None, why there is none."""

    item_id: str
    text: str | None
    seconds: float
    code: str = ""
    message: str = ""


class Onset(Frame, frozen=True):
    """The caller began to make sound that may be speech, at `at_samples`, or took it up again."""

    at_samples: int


class Hush(Frame, frozen=True):
    """The caller's first short silence: `at_samples` is the end of its last voiced window.

    `now_samples` is how far the silence has been followed.
    """

    at_samples: int
    now_samples: int


class Scored(Frame, frozen=True):
    """How complete the turn sounded at the hush that began at `at_samples`: 0-1."""

    complete: float
    at_samples: int


class Output(Frame, frozen=True):
    """What the agent makes for one generation. Dropped when that generation is retired."""

    generation: int


class Prompt(Output, frozen=True):
    """Make a reply: by the LLM from `chat`, or verbatim from `say` when that is given. The first of
    the `voices` that can speaks.
    """

    chat: Chat
    say: str | None
    modality: Modality
    voices: tuple[str, ...]
    speed: float
    rate_hz: int
    priority: Priority


class Passage(msgspec.Struct, frozen=True, gc=False):
    """A stretch of what an agent knows: where it stands, by the ids of document and passage, and
    what it says. `score` orders those of one look-up.
    """

    document_id: str
    passage_id: str
    title: str
    text: str
    score: float


class Recalled(Output, frozen=True):
    """What was looked up for a reply, and given to the LLM."""

    passages: tuple[Passage, ...]


class Warm(Frame, frozen=True):
    """A prompt that begins like `chat` is likely to come: the LLM may read it ahead."""

    chat: Chat


class ReplyDelta(Output, frozen=True):
    """More text of the reply, as the LLM wrote it."""

    text: str


class ReplyCall(Output, frozen=True):
    """A piece of a function call in the reply."""

    call: ToolCall


class ReplyEnd(Output, frozen=True):
    """The reply's text is complete. `finish`: stop, length, tool_calls or content_filter."""

    finish: str
    usage: "Usage"


class ReplyFailed(Output, frozen=True):
    """The reply cannot go on; `code` and `message` as in `Failure`."""

    code: str
    message: str


class SpeechChunk(Output, frozen=True):
    """Agent speech: mono 16-bit PCM at `rate_hz`. Chunks of a piece follow one another.

    `text` is the piece of the reply that is spoken, given with its first chunk and empty in those
    that follow; the positions of `words` count from the piece's first character and sample.
    """

    pcm: bytes
    rate_hz: int
    text: str
    words: tuple[SpokenWord, ...]


class SpeechEnd(Output, frozen=True):
    """All of the reply has been synthesised."""


# ---- what a session tells its transport ------------------------------------------------------


class SpeechStarted(Frame, frozen=True):
    """The caller began to speak (or, while the agent spoke, was judged to interrupt it)."""

    item_id: str
    at_ms: int


class SpeechStopped(Frame, frozen=True):
    """The caller's turn ended; `at_ms` is where its speech ended in the caller's audio."""

    item_id: str
    at_ms: int


class IdleTimeout(Frame, frozen=True):
    """The caller said nothing for the session's reprompt time."""

    item_id: str
    start_ms: int
    end_ms: int


class InputCommitted(Frame, frozen=True):
    """The caller's audio became the user item `item_id`."""

    item_id: str
    previous_item_id: str | None


class InputCleared(Frame, frozen=True):
    """The caller's uncommitted audio was thrown away, as asked."""


class CallerTranscriptDelta(Frame, frozen=True):
    """More stable words of what the caller says."""

    item_id: str
    text: str


class CallerTranscript(Frame, frozen=True):
    """The final transcript of user item `item_id`; `seconds` of audio were transcribed."""

    item_id: str
    text: str
    seconds: float


class CallerTranscriptFailed(Frame, frozen=True):
    """User item `item_id` could not be transcribed."""

    item_id: str
    code: str
    message: str


class ItemAdded(Frame, frozen=True):
    """An item entered the history behind `previous_item_id` (None: at its head).

    `done` is False for an item that a response is still filling.
    """

    item: Item
    previous_item_id: str | None
    done: bool


class ItemDeleted(Frame, frozen=True):
    item_id: str


class ItemTruncated(Frame, frozen=True):
    """Assistant item `item_id` was cut to what was heard: `audio_end_ms` of its audio."""

    item_id: str
    audio_end_ms: int


class ResponseStarted(Frame, frozen=True):
    """A generation went live. `in_conversation` is False for an out-of-band response.

    `asked` is what `ResponseRequest.asked` was.
    """

    response_id: str
    generation: int
    modality: Modality
    in_conversation: bool
    metadata: dict[str, str]
    asked: dict[str, object] = {}


class ReplyItemStarted(Frame, frozen=True):
    """A response begins an output item: an empty message, or a function call without arguments."""

    response_id: str
    output_index: int
    item: Item
    previous_item_id: str | None


class ReplyText(Frame, frozen=True):
    """More text of a reply: its transcript when `spoken`, else its text content."""

    response_id: str
    item_id: str
    output_index: int
    text: str
    spoken: bool


class ReplyAudio(Frame, frozen=True):
    """Paced agent speech: mono 16-bit PCM at `rate_hz`, of at most a few hundred ms."""

    response_id: str
    item_id: str
    output_index: int
    pcm: bytes
    rate_hz: int


class ReplyArguments(Frame, frozen=True):
    """More of a function call's arguments, as JSON text."""

    response_id: str
    item_id: str
    output_index: int
    call_id: str
    text: str


class ReplyItemDone(Frame, frozen=True):
    """An output item is complete, or cut (`item.status` is then `incomplete`)."""

    response_id: str
    output_index: int
    item: Item


class CallEnded(Frame, frozen=True):
    """A tool that the server ran has answered: `call` is output item `output_index`."""

    response_id: str
    output_index: int
    call: FunctionCall


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Tokens of one response, as the LLM endpoint counted them; audio in ms."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    audio_ms: int = 0


class ResponseEnded(Frame, frozen=True):
    """`status`: completed, cancelled, incomplete or failed.

    `reason` says why it is not `completed`: turn_detected, client_cancelled, max_output_tokens,
    or, when it failed, the error's code; `message` then says what to do.
    """

    response_id: str
    status: str
    reason: str | None
    message: str | None
    items: tuple[Item, ...]
    usage: Usage


class Cited(Frame, frozen=True):
    """What a response was told of the agent's knowledge."""

    response_id: str
    passages: tuple[Passage, ...]


class PlaybackStarted(Frame, frozen=True):
    """The first sample of a response's audio is on its way to the caller."""

    response_id: str


class PlaybackStopped(Frame, frozen=True):
    """The last sample of a response's audio has been heard."""

    response_id: str


class PlaybackCleared(Frame, frozen=True):
    """What was buffered of a response's audio was dropped: the client should drop it too."""

    response_id: str


class TurnMeasured(Frame, frozen=True):
    """When each stage of a response was reached, in ms after the caller's last voiced sample.

    `stages` has those that apply, in order: `pause`, `transcript` (the answer is begun),
    `recalled` (what is known has been looked up), `first_token`, `first_speech` (of the TTS),
    `verdict` (the turn is over), `promoted`, `first_audio` (on its way to the caller).
    """

    response_id: str
    stages: dict[str, float]
    prepared: bool


class Failure(Frame, frozen=True):
    """Something went wrong that the client should know.

    `kind` is `invalid_request_error` (the client can mend it) or `server_error`; `code` names the
    cause, `param` the field, `event_id` the client's event.
    """

    kind: str
    code: str
    message: str
    param: str | None = None
    event_id: str | None = None


class SessionEnded(Frame, frozen=True):
    """The session is over; `reason` is one of `engine.session.EndReason`'s values."""

    reason: str
    message: str
