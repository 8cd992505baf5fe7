"""A plain Litestar handler that calls our Piper: `python -m bench.plain_speech PORT`.

What anybody would write first: the model in the web server's process, its speech streamed as it is
made, each request in threads.
"""

import sys
from collections.abc import Iterator
from typing import Any

import uvicorn
from litestar import Litestar, get, post
from litestar.response import Stream

from actors.piper import Piper
from actors.store import Store
from engine.capabilities import Utterance

RATE_HZ = 24_000


def application() -> Litestar:
    voice = Piper(Store().path("piper-joe"))

    @post("/v1/audio/speech", status_code=200)
    async def speak(data: dict[str, Any]) -> Stream:
        def spoken() -> Iterator[bytes]:
            for speech in voice.speak(Utterance(data["input"], "joe", 1.0, RATE_HZ)):
                yield speech.pcm

        return Stream(spoken(), media_type="audio/pcm")

    @get("/readyz", sync_to_thread=False)
    def readyz() -> str:
        return "ready"

    return Litestar([speak, readyz])


if __name__ == "__main__":
    uvicorn.run(application(), port=int(sys.argv[1]), log_level="warning")
