"""The web app in Chromium, with this server and its real models behind it.

The programs (`browser_*.test.mjs`) act as a person would. SCREENSHOTS names a folder
for pictures of every page.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.node import passed
from tests.peers.sound import clip, room, write_wav
from tests.server.program import Server

pytestmark = [pytest.mark.models, pytest.mark.peers]

MICROPHONE_HZ = 48_000
"""The one rate at which Chromium's fake microphone plays a file as it is."""

CLIPS = {
    "ocean": (1500, "What is the largest ocean on earth?"),
    "cancel": (5000, "I want to cancel my subscription."),
}
"""What is said, after so many ms of a quiet room."""

QUESTIONS = (
    "What is the currency of Japan?",
    "How many minutes are there in three hours?",
    "How many legs does a spider have?",
)
"""Of a conversation for the pictures; each is left time for an answer."""

ANSWERED_MS = 9000

BEHIND_MS = 25_000
"""The file begins again at its end: no test lasts so long after its words."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One of its own: a gateway of it is killed."""
    with Server() as server:
        yield server.until_ready()


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for name, (before_ms, text) in CLIPS.items():
        spoken = clip(text, MICROPHONE_HZ)
        quiet = room(before_ms, MICROPHONE_HZ), room(BEHIND_MS, MICROPHONE_HZ)
        write_wav(folder / f"{name}.wav", quiet[0] + spoken + quiet[1], MICROPHONE_HZ)
    pause = room(ANSWERED_MS, MICROPHONE_HZ)
    asked = b"".join(pause + clip(text, MICROPHONE_HZ) for text in QUESTIONS)
    write_wav(folder / "questions.wav", asked + room(BEHIND_MS, MICROPHONE_HZ), MICROPHONE_HZ)
    return folder


PROGRAMS = ["browser_axe", "browser_more", "browser_pages", "browser_playground"]
if "SCREENSHOTS" in os.environ:
    PROGRAMS.insert(0, "browser_pictures")


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_app_does_what_it_is_for(server: Server, program: str, clips: Path) -> None:
    passed(server, program, VOICEFORGE_CLIPS=str(clips))
