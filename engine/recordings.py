"""The caller's recordings: user items whose audio came whole, and whose words follow."""

from engine.caller_words import CallerWords
from engine.errors import RequestError
from engine.frames import ItemWords
from engine.history import History
from engine.services import Ear

MOST_WAITING = 64
"""Recordings whose transcripts may be waited for: more than that come in faster than they can be
listened to."""


class Recordings:
    """Has them transcribed, and knows which are not yet. `len` says how many wait."""

    def __init__(self, ear: Ear, history: History, words: CallerWords) -> None:
        self._ear = ear
        self._history = history
        self._words = words
        self._waiting: set[str] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """Do as many wait as a session may have?"""
        return len(self._waiting) >= MOST_WAITING

    def check_room(self) -> None:
        """Raises `RequestError` if it is full."""
        if self.full:
            raise RequestError(
                "too_many_recordings",
                f"{len(self._waiting)} recordings wait for their transcripts, the most that "
                "a session may have: wait for some",
            )

    def add(self, item_id: str, pcm: bytes) -> None:
        """Have a user item that the history holds transcribed (PCM at 16 kHz)."""
        self._waiting.add(item_id)
        self._ear.transcribe(item_id, pcm)

    def take(self, frame: ItemWords) -> None:
        """An item was transcribed, or could not be."""
        self._waiting.discard(frame.item_id)
        if frame.text is not None:
            self._history.set_transcript(frame.item_id, frame.text)
        self._words.tell_recording(frame)
