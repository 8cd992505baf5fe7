"""What recognisers need to know of languages: their tags, and how much sound tells one."""

from engine.capabilities import Clip
from engine.frames import CALLER_HZ

BRIEF_MS = 2000
"""Less sound, the 500 ms of silence around it included, may be "mhm" or a name: it tells no
language. Whisper base takes 5 of 35 English turns for another language, once with 98 %, if it
hears 0.9 s of them, 1 of 1.7 s, none of 2.2 s."""

UNSPACED = frozenset(("bo", "ja", "km", "lo", "my", "th", "yue", "zh"))
"""Languages written without spaces between words."""


def primary(tag: str) -> str:
    """The language of a BCP-47 tag, without script and region."""
    return tag.lower().replace("_", "-").split("-")[0]


def is_brief(clip: Clip) -> bool:
    """Whether a clip is too short to tell a language by."""
    return len(clip.pcm) // 2 < BRIEF_MS * CALLER_HZ // 1000
