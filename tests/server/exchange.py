"""A realtime client without a network: events in, events out, through the real ASGI application."""

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

from actors.ear import SessionEar
from actors.speak import Speak
from actors.think import Think
from engine.caller_audio import CallerAudio
from engine.capabilities import Chat, ChatDelta
from engine.inference import InferenceError
from engine.meter import Watch
from engine.playout import PlayoutClock
from engine.services import Mind, Services, Tongue
from engine.settings import SessionSettings
from tests import scripted
from transports.visits import Sessions, Visits
from transports.websocket import RealtimeSocket

Reply = Callable[[Chat], str | InferenceError | list[ChatDelta]]

FRAME_MS = 20


def services(reply: Reply = lambda chat: "Certainly.") -> Services:
    """Scripted models behind real actors."""
    stt, turn, llm, tts = scripted.stt(), scripted.turn(), scripted.llm(reply), scripted.tts()

    def ear(audio: CallerAudio, settings: SessionSettings, watch: Watch) -> SessionEar:
        hearing = watch(stt, "stt"), watch(turn, "turn")
        made = scripted.ScriptedEar(None, *hearing, audio, settings)  # type: ignore[arg-type]
        made.actors = (scripted.LoudnessVad(), *made.actors[1:])
        return made

    def voice(watch: Watch, mind: Mind, tongue: Tongue) -> tuple[Think, Speak]:
        return Think(watch(*mind((llm, "llm")))), Speak(tongue(watch(tts, "tts")))

    return Services(clock=PlayoutClock(), ear=ear, voice=voice)


class Client:
    """One connection. Use `async with`; leaving the block hangs up with `code`."""

    def __init__(self, sessions: Sessions, query: str = "", code: int = 1000) -> None:
        self.events: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []
        self.code = code
        self._socket = RealtimeSocket(Visits(sessions))
        self._query = query
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._news = asyncio.Condition()

    async def __aenter__(self) -> "Client":
        scope = {
            "type": "websocket",
            "query_string": self._query.encode(),
            "subprotocols": [],
            "extensions": {"websocket.http.response": {}},
        }
        self._inbox.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.create_task(self._socket(scope, self._inbox.get, self._send))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._inbox.put_nowait({"type": "websocket.disconnect", "code": self.code})
        await self.task

    async def _send(self, message: Any) -> None:
        self.messages.append(message)
        if message["type"] == "websocket.send":
            self.events.append(json.loads(message["text"]))
        async with self._news:
            self._news.notify_all()

    def put(self, kind: str, **fields: Any) -> None:
        """Send one event."""
        self.put_text(json.dumps({"type": kind, **fields}))

    def put_text(self, text: str) -> None:
        """Send anything."""
        self._inbox.put_nowait({"type": "websocket.receive", "text": text})

    async def until(self, kind: str, within_s: float = 20) -> dict[str, Any]:
        """The first event of a kind, waiting for it if need be."""
        async with asyncio.timeout(within_s), self._news:
            await self._news.wait_for(lambda: any(e["type"] == kind for e in self.events))
        return next(event for event in self.events if event["type"] == kind)

    async def refused(self) -> dict[str, Any]:
        """The status and body of a refused handshake."""
        await self.task
        start, body = self.messages
        return {"status": start["status"], **json.loads(body["body"])}

    async def say(self, text: str, silence_ms: int = 1500) -> None:
        """Speak at real pace, then be silent for a while."""
        pcm = scripted.spoken(text, 24_000) + scripted.silence(silence_ms, 24_000)
        size = FRAME_MS * 48
        for start in range(0, len(pcm), size):
            audio = base64.b64encode(pcm[start : start + size]).decode()
            self.put("input_audio_buffer.append", audio=audio)
            await asyncio.sleep(FRAME_MS / 1000)
