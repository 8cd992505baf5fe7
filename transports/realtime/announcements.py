"""The frames that become one event each, whatever came before."""

from collections.abc import Callable
from typing import Any

from engine import frames
from engine.frames import Frame
from engine.inference import kind_of
from transports.realtime import conversation_events as conversation
from transports.realtime import input_audio_events as caller
from transports.realtime import own_events
from transports.realtime import response_events as responses
from transports.realtime.wire import ServerEvent

Announce = Callable[[Any], ServerEvent]
"""Takes a frame of the type under which it stands in its table."""


def _started(frame: frames.SpeechStarted) -> ServerEvent:
    return caller.Started(audio_start_ms=frame.at_ms, item_id=frame.item_id)


def _stopped(frame: frames.SpeechStopped) -> ServerEvent:
    return caller.Stopped(audio_end_ms=frame.at_ms, item_id=frame.item_id)


def _timed_out(frame: frames.IdleTimeout) -> ServerEvent:
    return caller.TimedOut(
        audio_start_ms=frame.start_ms, audio_end_ms=frame.end_ms, item_id=frame.item_id
    )


def _committed(frame: frames.InputCommitted) -> ServerEvent:
    return caller.Committed(previous_item_id=frame.previous_item_id, item_id=frame.item_id)


def _cleared(frame: frames.InputCleared) -> ServerEvent:
    return caller.Cleared()


def _deleted(frame: frames.ItemDeleted) -> ServerEvent:
    return conversation.Deleted(item_id=frame.item_id)


def _truncated(frame: frames.ItemTruncated) -> ServerEvent:
    return conversation.Truncated(item_id=frame.item_id, audio_end_ms=frame.audio_end_ms)


def _measured(frame: frames.TurnMeasured) -> ServerEvent:
    return own_events.TurnMeasured(
        response_id=frame.response_id, stages=frame.stages, prepared=frame.prepared
    )


def _cited(frame: frames.Cited) -> ServerEvent:
    sources = [
        own_events.Source(one.document_id, one.passage_id, one.title, one.score)
        for one in frame.passages
    ]
    return own_events.KnowledgeCited(response_id=frame.response_id, passages=sources)


def _transcript_delta(frame: frames.CallerTranscriptDelta) -> ServerEvent:
    return caller.TranscriptDelta(item_id=frame.item_id, delta=frame.text)


def _transcript(frame: frames.CallerTranscript) -> ServerEvent:
    return caller.TranscriptCompleted(
        item_id=frame.item_id,
        transcript=frame.text,
        usage={"type": "duration", "seconds": frame.seconds},
    )


def _transcript_failed(frame: frames.CallerTranscriptFailed) -> ServerEvent:
    return caller.TranscriptFailed(
        item_id=frame.item_id,
        error=caller.TranscriptError(kind_of(frame.code), frame.code, frame.message),
    )


def _playback_started(frame: frames.PlaybackStarted) -> ServerEvent:
    return responses.PlaybackStarted(response_id=frame.response_id)


def _playback_stopped(frame: frames.PlaybackStopped) -> ServerEvent:
    return responses.PlaybackStopped(response_id=frame.response_id)


def _playback_cleared(frame: frames.PlaybackCleared) -> ServerEvent:
    return responses.PlaybackCleared(response_id=frame.response_id)


ANNOUNCEMENTS: dict[type[Frame], Announce] = {
    frames.SpeechStarted: _started,
    frames.SpeechStopped: _stopped,
    frames.IdleTimeout: _timed_out,
    frames.InputCommitted: _committed,
    frames.InputCleared: _cleared,
    frames.ItemDeleted: _deleted,
    frames.ItemTruncated: _truncated,
    frames.TurnMeasured: _measured,
    frames.Cited: _cited,
}

TRANSCRIPTS: dict[type[Frame], Announce] = {
    frames.CallerTranscriptDelta: _transcript_delta,
    frames.CallerTranscript: _transcript,
    frames.CallerTranscriptFailed: _transcript_failed,
}
"""Sent only to a client that asked for transcripts."""

PLAYBACK: dict[type[Frame], Announce] = {
    frames.PlaybackStarted: _playback_started,
    frames.PlaybackStopped: _playback_stopped,
    frames.PlaybackCleared: _playback_cleared,
}
"""Sent only where the server plays: over WebRTC."""
