"""Voices that are asked for and not here: fetched from the hub, each once, however many ask."""

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from actors.download import StoreError
from actors.voices.catalogue import Voice
from actors.voices.weights import VoiceWeights
from server.access.denied import Denied, retry
from server.pulling import Pulling, Stopped

PATIENCE_S = 60.0
"""A request waits for so long; who comes again finds it further on, or here."""

RETRY_S = 15

AT_ONCE, MOST = 2, 6
"""Voices that are fetched at once, and with those that wait for it."""

log = logging.getLogger(__name__)


class Fetching:
    """What is on its way into the store, in threads: a download is hardly any work."""

    def __init__(self, weights: VoiceWeights, patience_s: float = PATIENCE_S) -> None:
        self._weights = weights
        self._patience_s = patience_s
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._told: dict[str, str] = {}
        self._stop = threading.Event()
        self._threads = ThreadPoolExecutor(AT_ONCE, "fetching")  # others are needed for callers

    async def fetch(self, voice: Voice, patience_s: float | None = None) -> None:
        """Until it is here. Raises `Denied` if it cannot be had, or not so soon."""
        task = self._tasks.get(voice.id)
        if task is None and len(self._tasks) >= MOST:
            text = f"{MOST} voices are fetched already: come again"
            raise retry(503, "voice_on_its_way", text, RETRY_S)
        if task is None:
            task = self._tasks[voice.id] = asyncio.create_task(self._fetch(voice))
            task.add_done_callback(looked_at)  # who asked may have gone
        try:
            async with asyncio.timeout(self._patience_s if patience_s is None else patience_s):
                await asyncio.shield(task)
        except TimeoutError:
            told = self._told.get(voice.id, "asking the hub")
            text = f"voice {voice.id} is not here yet: {told}; come again"
            raise retry(503, "voice_on_its_way", text, RETRY_S) from None
        except Stopped:
            text = f"voice {voice.id} is not here, and the server ends: come again"
            raise retry(503, "voice_on_its_way", text, RETRY_S) from None
        except StoreError as failed:
            raise Denied(400, "voice_not_here", f"voice: {failed}") from failed

    async def _fetch(self, voice: Voice) -> None:
        def told(text: str) -> None:
            self._told[voice.id] = text

        log.info("a voice is fetched", extra={"voice": voice.id})
        try:
            progress = Pulling(lambda text: None, told, self._stop)
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._threads, self._weights.pull, voice, progress)
        except StoreError as failed:
            log.warning("no voice", extra={"voice": voice.id, "error": str(failed)})
            raise
        finally:
            del self._tasks[voice.id]

    async def aclose(self) -> None:
        """Stop; what came so far is gone on with another time."""
        self._stop.set()
        self._threads.shutdown(wait=False, cancel_futures=True)
        ended = await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception) and not isinstance(error, Stopped | StoreError):
                log.error("fetching a voice failed", exc_info=error)


def looked_at(task: asyncio.Task[None]) -> None:
    """Its error is in the log already."""
    if not task.cancelled():
        task.exception()
