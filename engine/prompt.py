"""What the LLM is asked for a generation."""

from collections.abc import Sequence

from engine.capabilities import Chat, ToolSpec
from engine.frames import Prompt
from engine.generation import Generation
from engine.history import History, chat_messages
from engine.inference import Priority
from engine.items import Message, Part
from engine.settings import ResponseRequest, SessionSettings
from engine.template import fill


def chat_of(
    request: ResponseRequest,
    settings: SessionSettings,
    history: History,
    words: str | None,
    ours: Sequence[ToolSpec] = (),
) -> Chat:
    """What the LLM reads: the history, the caller's `words` behind it, and the tools.

    Those that are `ours` win over the client's of the same name. A request that names its tools has
    no others.
    """
    items = list(history) if request.input is None else list(request.input)
    if words:
        items.append(Message("", "user", (Part("audio", words),)))
    spoken = (request.modality or settings.modality) == "audio"
    instructions = settings.instructions if request.instructions is None else request.instructions
    return Chat(
        messages=chat_messages(items, fill(instructions, settings.variables)),
        tools=_tools(settings, ours) if request.tools is None else request.tools,
        tool_choice=request.tool_choice or settings.tool_choice,
        temperature=settings.temperature if request.temperature is None else request.temperature,
        max_tokens=request.max_output_tokens or settings.max_output_tokens,
        voice_speed=settings.speed if spoken else None,
    )


def _tools(settings: SessionSettings, ours: Sequence[ToolSpec]) -> tuple[ToolSpec, ...]:
    if not ours:
        return settings.tools
    names = {spec.name for spec in ours}
    return (*ours, *(spec for spec in settings.tools if spec.name not in names))


def prompt_of(
    generation: Generation,
    settings: SessionSettings,
    history: History,
    words: str | None,
    say: str | None,
    priority: Priority,
    rate_hz: int,
    ours: Sequence[ToolSpec] = (),
) -> Prompt:
    """The prompt for a generation; speech is wanted at `rate_hz`. `ours` as in `chat_of`."""
    return Prompt(
        generation=generation.number,
        chat=chat_of(generation.request, settings, history, words, ours),
        say=say,
        modality=generation.modality,
        voices=(generation.request.voice or settings.voice, *settings.fallback_voices),
        speed=settings.speed,
        rate_hz=rate_hz,
        priority=priority,
    )
