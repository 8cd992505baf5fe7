"""The tiny real questions that `/readyz` asks the models."""

from typing import Any, TypeVar

from engine.capabilities import Chat, ChatMessage, Clip, TurnClip, Utterance
from engine.frames import CALLER_HZ
from engine.inference import Inference, InferenceError, Priority
from server.readiness import Ask

P = TypeVar("P")

DEADLINE_MS = 8_000

QUARTER_SECOND = bytes(CALLER_HZ // 4 * 2)
"""Silence, as 16-bit PCM: what it is heard as does not matter, that an answer comes does."""


def transcriber(stt: Inference[Clip, Any]) -> Ask:
    """Does speech-to-text answer?"""
    return asking(stt, Clip(QUARTER_SECOND))


def turn_judge(turn: Inference[TurnClip, Any]) -> Ask:
    """Does the end-of-turn model answer?"""
    return asking(turn, TurnClip(QUARTER_SECOND))


def speaker(tts: Inference[Utterance, Any], voice: str) -> Ask:
    """Does text-to-speech answer?"""
    return asking(tts, Utterance("Yes.", voice))


def thinker(llm: Inference[Chat, Any]) -> Ask:
    """Does the language model answer, be it with one token?"""
    return asking(llm, Chat((ChatMessage("user", "Say yes."),), max_tokens=1))


def asking(model: Inference[P, Any], payload: P) -> Ask:
    """Ask for the first result of `payload`: behind what callers wait for at this moment.

    But ahead of what is made in advance: a machine that is busy with that answers, and is ready.
    """

    async def ask() -> None:
        request = model.request(payload, priority=Priority.PARTIAL, deadline_ms=DEADLINE_MS)
        try:
            async for _ in request:
                return
        finally:
            request.cancel()
        raise InferenceError("empty_answer", "the model answered with nothing")

    return ask
