"""A model hub on this machine, as huggingface.co answers: who asks for a large file is sent on to
another address, and told its size and SHA-256 on the way.
"""

import asyncio
import hashlib
from pathlib import Path

from aiohttp import web

from actors.voices.catalogue import Voice, catalogue
from tests.server.local_server import LocalServer

KRISTIN = catalogue().voice("en_US-kristin-medium")


class VoiceHub(LocalServer):
    """Has `files` by their paths; `told` has what it says of each large one, where that is wrong;
    while it does not `go` on, large files do not come.
    """

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.files: dict[str, Path] = {}
        self.told: dict[str, str] = {}
        self.asked: list[str] = []
        self.slow_s = 0.0

    def publish(self, voice: Voice, weights: Path, settings: Path) -> None:
        """Put a voice where its row says that it lies."""
        folder = voice.source.partition("/tree/")[2].replace("main/", "/resolve/main/", 1)
        repository = voice.source.partition("/tree/")[0].partition("//")[2].partition("/")[2]
        stem = f"/{repository}{folder}/{voice.id}.onnx"
        self.files |= {stem: weights, f"{stem}.json": settings}

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/":
            return web.Response()
        self.asked.append(f"{request.method} {request.path}")
        path = self.files.get(request.path.removeprefix("/cdn"))
        if path is None:
            return web.Response(status=404)
        if request.path.endswith(".json"):
            return web.FileResponse(path, headers={"ETag": '"a1b2"'})
        if request.path.startswith("/cdn"):
            await asyncio.sleep(self.slow_s)
            return web.FileResponse(path)
        headers = {
            "Location": f"/cdn{request.path}",
            "X-Linked-Size": str(path.stat().st_size),
            "X-Linked-Etag": f'"{hashlib.sha256(path.read_bytes()).hexdigest()}"',
        }
        return web.Response(status=302, headers=headers | self.told)
