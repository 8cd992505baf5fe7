"""From the protocol's session object to the engine's settings, and from those to a first object."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from engine.capabilities import ToolSpec
from engine.languages import AUTO, SPOKEN
from engine.session import RequestError
from engine.settings import Greeting, Reprompt, SessionSettings, TurnSettings
from transports.audio import Format
from transports.realtime import aliases
from transports.realtime.session_object import (
    AudioFormat,
    ChooseFunction,
    ChooseMcp,
    Extension,
    FunctionTool,
    GreetingObject,
    InputAudio,
    MaxTokens,
    McpTool,
    Modality,
    OutputAudio,
    Pcma,
    Pcmu,
    RealtimeAudio,
    RealtimeSession,
    RepromptObject,
    SemanticVad,
    ServerVad,
    SessionObject,
    ToolChoice,
    Tools,
    Transcription,
    TranscriptionAudio,
    TranscriptionSession,
    TurnDetection,
    VoiceId,
)
from transports.realtime.text import check_text

Recogniser = Literal["auto", "fast", "many"]

RECOGNISERS: Mapping[Recogniser, str] = {
    "auto": aliases.DEFAULT_TRANSCRIBER,
    "fast": aliases.FAST_TRANSCRIBER,
    "many": aliases.WHISPER,
}


def settings_of(session: SessionObject) -> SessionSettings:
    """What the engine is asked to be. Raises `RequestError` for what it cannot be."""
    own = session.voiceforge
    for name, value in own.variables.items():
        check_text(value, f"session.voiceforge.variables.{name}")
    transcription = session.audio.input.transcription
    _check_transcriber(transcription)
    turn = turn_of(session.audio.input.turn_detection)
    listening = SessionSettings(
        turn=turn,
        transcribe=transcription is not None,
        language=_language(transcription),
        recogniser=_recogniser(transcription),
        terms=tuple(transcription.keywords or ()) if transcription is not None else (),
        variables=own.variables,
        greeting=_greeting(own.greeting),
        reprompt=_reprompt(own.reprompt, session.audio.input.turn_detection),
        longest_ms=own.longest_ms,
        record=own.record,
    )
    if isinstance(session, TranscriptionSession):
        return _replace(
            listening, kind="transcription", modality="text", greeting=None, reprompt=None
        )
    _check_model(session)
    check_text(session.instructions, "session.instructions")
    if session.prompt is not None:
        raise RequestError(
            "unsupported_parameter",
            "stored prompts live at OpenAI: put the text into session.instructions",
            "session.prompt",
        )
    return _replace(
        listening,
        instructions=session.instructions,
        modality=modality_of(session.output_modalities),
        voice=voice_of(session.audio.output.voice, "session.audio.output.voice"),
        fallback_voices=tuple(
            voice_of(voice, f"session.voiceforge.fallback_voices[{place}]")
            for place, voice in enumerate(own.fallback_voices)
        ),
        speed=session.audio.output.speed,
        tools=tools_of(session.tools, "session.tools"),
        tool_choice=tool_choice_of(session.tool_choice, "session.tool_choice"),
        temperature=session.temperature,
        max_output_tokens=max_tokens_of(session.max_output_tokens),
    )


def _replace(settings: SessionSettings, **changes: object) -> SessionSettings:
    return msgspec.structs.replace(settings, **changes)


def session_of(settings: SessionSettings, model: str = aliases.DEFAULT_MODEL) -> SessionObject:
    """The object that a new session begins with, given the server's own `settings`."""
    own = Extension(
        greeting=_greeting_object(settings.greeting),
        fallback_voices=list(settings.fallback_voices),
        variables=settings.variables,
        reprompt=_reprompt_object(settings.reprompt),
        longest_ms=settings.longest_ms,
        record=settings.record,
    )
    transcribing = settings.transcribe or settings.kind == "transcription"
    listening = InputAudio(
        transcription=Transcription(
            model=RECOGNISERS[settings.recogniser],
            language=settings.language,
            keywords=list(settings.terms) or None,
        )
        if transcribing
        else None,
        turn_detection=_turn_object(settings.turn),
    )
    if settings.kind == "transcription":
        return TranscriptionSession(audio=TranscriptionAudio(input=listening), voiceforge=own)
    return RealtimeSession(
        model=model,
        output_modalities=[settings.modality],
        instructions=settings.instructions,
        audio=RealtimeAudio(
            input=listening, output=OutputAudio(voice=settings.voice, speed=settings.speed)
        ),
        tools=[
            FunctionTool(name=t.name, description=t.description, parameters=t.parameters)
            for t in settings.tools
        ],
        tool_choice=_tool_choice_object(settings.tool_choice),
        max_output_tokens="inf"
        if settings.max_output_tokens is None
        else settings.max_output_tokens,
        temperature=settings.temperature,
        voiceforge=own,
    )


def format_of(form: AudioFormat) -> Format:
    """The audio format behind the protocol's object."""
    if isinstance(form, Pcmu):
        return Format.MU_LAW
    return Format.A_LAW if isinstance(form, Pcma) else Format.PCM


def turn_of(detection: TurnDetection | None) -> TurnSettings | None:
    """How turns are found; None leaves it to the client."""
    match detection:
        case None:
            return None
        case ServerVad():
            return TurnSettings(
                kind="server_vad",
                threshold=detection.threshold,
                prefix_ms=detection.prefix_padding_ms,
                silence_ms=detection.silence_duration_ms,
                create_response=detection.create_response,
                interrupt_response=detection.interrupt_response,
            )
        case SemanticVad():
            return TurnSettings(
                kind="semantic_vad",
                eagerness=detection.eagerness,
                create_response=detection.create_response,
                interrupt_response=detection.interrupt_response,
            )


def _turn_object(turn: TurnSettings | None) -> TurnDetection | None:
    if turn is None:
        return None
    if turn.kind == "semantic_vad":
        return SemanticVad(
            eagerness=turn.eagerness,
            create_response=turn.create_response,
            interrupt_response=turn.interrupt_response,
        )
    return ServerVad(
        threshold=turn.threshold,
        prefix_padding_ms=turn.prefix_ms,
        silence_duration_ms=turn.silence_ms,
        create_response=turn.create_response,
        interrupt_response=turn.interrupt_response,
    )


def modality_of(modalities: list[Modality]) -> Modality:
    """Speech brings its transcript with it, so that asking for both asks for speech."""
    return "audio" if "audio" in modalities else "text"


def voice_of(voice: str | VoiceId, param: str) -> str:
    """The voice that speaks under a stock or own name."""
    try:
        return aliases.voice(voice.id if isinstance(voice, VoiceId) else voice)
    except aliases.UnknownName as error:
        raise RequestError("invalid_value", str(error), param) from error


def tools_of(tools: Tools, param: str) -> tuple[ToolSpec, ...]:
    """The functions that the LLM is offered."""
    specs = []
    for index, tool in enumerate(tools):
        if isinstance(tool, McpTool):
            raise RequestError(
                "unsupported_parameter",
                "tools of type mcp are not run by this server: offer a function and call the "
                "MCP server from the client",
                f"{param}[{index}].type",
            )
        check_text(tool.name, f"{param}[{index}].name")
        check_text(tool.description or "", f"{param}[{index}].description")
        specs.append(ToolSpec(tool.name, tool.description, tool.parameters))
    return tuple(specs)


def tool_choice_of(choice: ToolChoice, param: str) -> str:
    """auto, none, required, or the name of the function to call."""
    if isinstance(choice, ChooseMcp):
        raise RequestError(
            "unsupported_parameter", "mcp tools are not run by this server", f"{param}.type"
        )
    return choice.name if isinstance(choice, ChooseFunction) else choice


def _tool_choice_object(choice: str) -> ToolChoice:
    match choice:
        case "auto" | "none" | "required":
            return choice
        case _:
            return ChooseFunction(choice)


def max_tokens_of(limit: MaxTokens) -> int | None:
    """None stands for the protocol's "inf"."""
    return None if isinstance(limit, str) else limit


def _language(transcription: Transcription | None) -> str:
    if transcription is None:
        return "en"
    param = "session.audio.input.transcription.language"
    several = [
        _checked(language, f"{param}s[{index}]")
        for index, language in enumerate(transcription.languages or ())
    ]
    if transcription.language is None and several:
        return several[0] if len(set(several)) == 1 else AUTO
    return _checked(transcription.language or "en", param)


def _recogniser(transcription: Transcription | None) -> Recogniser:
    """Who hears, by the model's name. Raises `RequestError` where that lacks the language."""
    model = transcription.model if transcription is not None else None
    if transcription is None or model not in (aliases.FAST_TRANSCRIBER, aliases.WHISPER):
        return "auto"
    if model == aliases.WHISPER:
        return "many"
    language = _language(transcription)
    if language != AUTO and language.split("-")[0] != "en":
        raise RequestError(
            "unsupported_parameter",
            f"{model} knows English only: for {language!r} the model is {aliases.WHISPER}",
            "session.audio.input.transcription.model",
        )
    return "fast"


def _checked(language: str, param: str) -> str:
    """The language in lower case, if it is one that can be transcribed."""
    if language.lower() != AUTO and language.lower().split("-")[0] not in SPOKEN:
        raise RequestError(
            "unsupported_parameter",
            f"language is {language[:64]!r}: say 'auto', or a tag such as 'en' or 'pt-BR' of a "
            "language that is transcribed",
            param,
        )
    return language.lower()


def _greeting(greeting: GreetingObject | None) -> Greeting | None:
    if greeting is None:
        return None
    check_text(greeting.text, "session.voiceforge.greeting.text")
    return Greeting(greeting.text, greeting.interruptible)


def _greeting_object(greeting: Greeting | None) -> GreetingObject | None:
    if greeting is None:
        return None
    return GreetingObject(text=greeting.text, interruptible=greeting.interruptible)


def _reprompt(own: RepromptObject | None, detection: TurnDetection | None) -> Reprompt | None:
    """The own block wins; `idle_timeout_ms` is the stock way to ask for the same."""
    if own is not None:
        check_text(own.text or "", "session.voiceforge.reprompt.text")
        return Reprompt(own.after_ms, own.text, own.times)
    if isinstance(detection, ServerVad) and detection.idle_timeout_ms is not None:
        return Reprompt(detection.idle_timeout_ms)
    return None


def _reprompt_object(reprompt: Reprompt | None) -> RepromptObject | None:
    if reprompt is None:
        return None
    return RepromptObject(after_ms=reprompt.after_ms, text=reprompt.text, times=reprompt.times)


def _check_model(session: RealtimeSession) -> None:
    try:
        aliases.check_model(session.model)
    except aliases.UnknownName as error:
        raise RequestError("invalid_value", str(error), "session.model") from error


def _check_transcriber(transcription: Transcription | None) -> None:
    if transcription is None or transcription.model is None:
        return
    try:
        aliases.check_transcriber(transcription.model)
    except aliases.UnknownName as error:
        param = "session.audio.input.transcription.model"
        raise RequestError("invalid_value", str(error), param) from error
