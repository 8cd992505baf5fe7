"""Stock model and voice names, so that a stock client's configuration works here unchanged.

A session answers with the local models whatever the name: but for the two recognisers of ours, the
name is only echoed back.
"""

import re

DEFAULT_MODEL = "gpt-realtime"
DEFAULT_TRANSCRIBER = "whisper-1"

MODELS = (
    "voiceforge",
    "gpt-realtime",
    "gpt-realtime-1.5",
    "gpt-realtime-2",
    "gpt-realtime-2.1",
    "gpt-realtime-2.1-mini",
    "gpt-realtime-mini",
    "gpt-4o-realtime-preview",
    "gpt-4o-mini-realtime-preview",
    "gpt-audio-1.5",
    "gpt-audio-mini",
)

FAST_TRANSCRIBER = "moonshine-tiny-en"
WHISPER = "whisper-base"

TRANSCRIBERS = (
    FAST_TRANSCRIBER,
    WHISPER,
    "whisper-1",
    "gpt-transcribe",
    "gpt-live-transcribe",
    "gpt-4o-transcribe",
    "gpt-4o-transcribe-diarize",
    "gpt-4o-mini-transcribe",
    "gpt-realtime-whisper",
)

DEFAULT_VOICE = "joe"

VOICES = {
    "joe": "joe",
    "alloy": "joe",
    "ash": "joe",
    "ballad": "joe",
    "cedar": "joe",
    "coral": "joe",
    "echo": "joe",
    "fable": "joe",
    "marin": "joe",
    "nova": "joe",
    "onyx": "joe",
    "sage": "joe",
    "shimmer": "joe",
    "verse": "joe",
    "jm_kumo": "jm_kumo",
    "jf_alpha": "jf_alpha",
    "jf_gongitsune": "jf_gongitsune",
    "jf_nezumi": "jf_nezumi",
    "jf_tebukuro": "jf_tebukuro",
}
"""Voice names that a client may use, and the voice that then speaks."""

_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")


class UnknownName(ValueError):
    """A name that stands for nothing here; the text lists those that do."""


def check_model(name: str) -> None:
    """Raise `UnknownName` unless `name` (with or without a snapshot's date) is known."""
    _check("model", name, MODELS)


def check_transcriber(name: str) -> None:
    """Raise `UnknownName` unless `name` (with or without a snapshot's date) is known."""
    _check("transcription model", name, TRANSCRIBERS)


def voice(name: str) -> str:
    """The voice that speaks under `name`. Raises `UnknownName`."""
    if name not in VOICES:
        raise UnknownName(f"unknown voice {name[:64]!r}: choose one of {', '.join(VOICES)}")
    return VOICES[name]


def _check(what: str, name: str, known: tuple[str, ...]) -> None:
    if _SNAPSHOT.sub("", name) not in known:
        raise UnknownName(f"unknown {what} {name[:64]!r}: choose one of {', '.join(known)}")
