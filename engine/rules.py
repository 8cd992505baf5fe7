"""What a session's settings mean to the floor machine."""

from functools import partial

from engine.acknowledgement import is_humming, is_passing
from engine.floor_state import Rules
from engine.settings import SessionSettings, TurnSettings
from engine.verdict import patience_ms


def rules_of(settings: SessionSettings) -> Rules:
    """The rules for a session with these settings."""
    turn = settings.turn if settings.turn is not None else TurnSettings()
    semantic = turn.kind == "semantic_vad"
    reprompt = settings.reprompt
    return Rules(
        patience_ms=(
            partial(_semantic, turn, settings.language) if semantic else partial(_silence, turn)
        ),
        passing=is_passing,
        humming=is_humming,
        scored=semantic,
        responds=turn.create_response and settings.kind == "conversation",
        interruptible=turn.interrupt_response,
        reprompt_ms=None if reprompt is None else reprompt.after_ms,
        reprompts=0 if reprompt is None else reprompt.times,
    )


def _semantic(
    turn: TurnSettings, language: str, score: float | None, words: str, confidence: float
) -> float:
    english = language.split("-")[0] == "en"
    return patience_ms(score, words if english else "", turn.eagerness, confidence)


def _silence(turn: TurnSettings, score: float | None, words: str, confidence: float) -> float:
    return turn.silence_ms
