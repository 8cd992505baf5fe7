"""What is said in a recording: some windows are heard at once, and told in their order."""

from collections import Counter, deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import msgspec
from msgspec.structs import replace

from actors.piece_length import LONGEST_S, PieceLength
from actors.stt_router import KNOWN, Recogniser
from engine.capabilities import Clip, TimedWord, Transcript
from engine.inference import Inference, Priority, Request
from server.transcription.decoding import RATE_HZ
from server.transcription.windows import Window, windows

AT_ONCE = 24
"""Windows of one recording that are asked for, or wait to be told: so much of it is held. While one
batch of twelve is computed another waits."""

MOST_GUESSES = 5
"""Windows are heard one by one until their language is known; some are always doubtful."""

FIRST_MS, LATER_MS = 500, 20_000
"""For the order among those that are no callers: a short recording waits for no long one."""


MOST_TERMS, LONGEST_TERM = 100, 50
"""Names that may be said, as in conversations, and their characters."""


class Wanted(msgspec.Struct, frozen=True):
    """How a recording is heard: `words` asks for their times, `terms` are names that may be said,
    `language` is a BCP-47 tag, or "auto".
    """

    language: str = "auto"
    words: bool = False
    terms: tuple[str, ...] = ()
    by: Recogniser = "auto"


class Heard(msgspec.Struct, frozen=True):
    """What was said in a window. Times count from the beginning of the recording, which is `of_ms`
    long, if it says so.
    """

    text: str
    language: str
    confidence: float
    start_ms: int
    end_ms: int
    words: tuple[TimedWord, ...]
    of_ms: int = 0


async def transcribe(
    stt: Inference[Clip, Transcript], samples: AsyncIterator[bytes], wanted: Wanted
) -> AsyncGenerator[Heard, None]:
    """Each window as soon as it and all before it are heard. The language of a recording is that of
    its first window that is not doubtful, or of most of the first five. For the fast recogniser,
    which callers wait for too, windows are as brief as `PieceLength` says. Closing stops the work.
    Raises `InferenceError`.
    """
    language = wanted.language
    asked: deque[tuple[Window, Request[Transcript]]] = deque()
    guesses: Counter[str] = Counter()
    first = True
    length = PieceLength()
    brief = (lambda: length.seconds) if wanted.by == "fast" else (lambda: LONGEST_S)
    async with aclosing(windows(samples, brief)) as parts:
        try:
            while True:
                while len(asked) < (AT_ONCE if language != "auto" else 1):
                    window = await anext(parts, None)
                    if window is None:
                        break
                    clip = Clip(window.pcm, language, "", wanted.words, wanted.terms, wanted.by)
                    request = stt.request(
                        clip,
                        priority=Priority.BATCH,
                        deadline_ms=FIRST_MS if first else LATER_MS,
                    )
                    asked.append((window, request))
                    first = False
                if not asked:
                    return
                window, request = asked[0]
                heard = await said(window, request)
                asked.popleft()
                length.learn(len(window.pcm) / 2 / RATE_HZ, request.compute_ms)
                if language == "auto" and heard.text and heard.language:
                    guesses[heard.language] += 1
                    if heard.confidence >= KNOWN:
                        language = heard.language
                    elif guesses.total() >= MOST_GUESSES:
                        language = guesses.most_common(1)[0][0]
                yield heard
        finally:
            for _, request in asked:
                request.cancel()


async def said(window: Window, request: Request[Transcript]) -> Heard:
    """What the recogniser heard in a window."""
    transcript = Transcript("")
    async for result in request:
        transcript = result
    start_ms = window.start_samples * 1000 // RATE_HZ
    return Heard(
        transcript.text.strip(),
        transcript.language,
        transcript.confidence,
        start_ms,
        start_ms + len(window.pcm) // 2 * 1000 // RATE_HZ,
        tuple(
            replace(word, start_ms=word.start_ms + start_ms, end_ms=word.end_ms + start_ms)
            for word in transcript.words
        ),
    )
