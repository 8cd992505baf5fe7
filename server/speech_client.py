"""Asks a server for speech and transcripts, as the commands do."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from server.microphone import Speaker
from server.reach import Reached
from server.web import WebError, is_here

RATE_HZ = 24_000

Far = Callable[[float, float | None], None]
"""Told how many seconds are heard, of how many, if that is known."""


async def played(server: Reached, wanted: dict[str, Any]) -> None:
    """Play speech as it comes. Raises `WebError`, and `RecordingError` where nothing can."""
    speaker = Speaker(RATE_HZ)
    asked = {**wanted, "response_format": "pcm"}
    async with session(server) as http, http.post("/v1/audio/speech", json=asked) as answer:
        await checked(answer)
        await speaker.play(answer.content.iter_any())


async def saved(server: Reached, wanted: dict[str, Any], out: Path) -> None:
    """Write speech to a file: whole, or not at all. Raises `WebError`."""
    part = out.with_name(f".{out.name}.part")
    try:
        async with session(server) as http, http.post("/v1/audio/speech", json=wanted) as answer:
            await checked(answer)
            with part.open("wb") as file:
                async for piece in answer.content.iter_any():
                    file.write(piece)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


async def transcript(
    server: Reached, recording: Path, wanted: dict[str, str], far: Far
) -> dict[str, Any]:
    """What is said in a file, as OpenAI's clients read it. Raises `WebError`."""
    with recording.open("rb") as file:
        body = aiohttp.FormData({**wanted, "stream": "true"})
        body.add_field("file", file, filename=recording.name)
        route = "/v1/audio/transcriptions"
        async with session(server) as http, http.post(route, data=body) as answer:
            await checked(answer)
            async for event in events(answer):
                match event["type"]:
                    case "transcript.text.delta":
                        far(event["heard_s"], event["duration_s"] or None)
                    case "transcript.text.done":
                        return {name: value for name, value in event.items() if name != "type"}
                    case "error":
                        raise WebError(event["error"]["message"])
    raise WebError("the server ended in the middle of it")


async def events(answer: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    """Server-sent events."""
    async for line in answer.content:
        if line.startswith(b"data: "):
            yield msgspec.json.decode(line[6:])


def session(server: Reached) -> aiohttp.ClientSession:
    """Asks this server; past proxies, where it is on this machine."""
    return aiohttp.ClientSession(
        server.url,
        headers={"authorization": f"Bearer {server.key}"},
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=30),
        trust_env=not is_here(server.url),
        read_bufsize=16 << 20,  # the last event of a long transcript is one line
    )


async def checked(answer: aiohttp.ClientResponse) -> None:
    """Raises `WebError` if it is a no."""
    if answer.status != 200:
        try:
            said = msgspec.json.decode(await answer.read())["error"]["message"]
        except (msgspec.MsgspecError, KeyError, TypeError):
            said = f"HTTP {answer.status}"
        raise WebError(str(said))
