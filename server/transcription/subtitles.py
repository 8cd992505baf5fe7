"""Segments as subtitles: SubRip, and WebVTT (W3C, 2019)."""

import html
from collections.abc import Iterable

from server.transcription.segments import Segment


def srt(segments: Iterable[Segment]) -> str:
    """A SubRip file."""
    return "\n".join(
        f"{number}\n{stamp(one.start_ms, ',')} --> {stamp(one.end_ms, ',')}\n{one.text}\n"
        for number, one in enumerate(segments, 1)
    )


def vtt(segments: Iterable[Segment]) -> str:
    """A WebVTT file."""
    cues = (
        f"\n{stamp(one.start_ms, '.')} --> {stamp(one.end_ms, '.')}\n"
        f"{html.escape(one.text, quote=False)}\n"
        for one in segments
    )
    return "".join(("WEBVTT\n", *cues))


def stamp(ms: int, point: str) -> str:
    """Hours, minutes, seconds and thousandths."""
    seconds, thousandths = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{thousandths:03}"
