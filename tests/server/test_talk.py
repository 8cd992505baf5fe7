"""The caller in a file, against a scripted realtime server."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Close

from server import wav
from server.talk import Report, Talk, TalkError, Wanted, realtime_url, reason


def tone(ms: int, level: int = 4000) -> bytes:
    return np.full(24 * ms, level, "<i2").tobytes()


class Agent:
    """Answers `reply_ms` after the caller's voice ends, with `reply` as it comes."""

    def __init__(self, reply: bytes, *, early: bool = False, fails: bool = False) -> None:
        self.reply = reply
        self.early = early
        self.fails = fails
        self.session: dict[str, Any] = {}
        self.heard = bytearray()
        self.truncated: list[dict[str, Any]] = []
        self.headers: dict[str, str] = {}

    async def serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self.headers = dict(socket.request.headers)
        speaking = False
        async for message in socket:
            event = json.loads(message)
            if event["type"] == "session.update":
                self.session = event["session"]
            elif event["type"] == "conversation.item.truncate":
                self.truncated.append(event)
            elif event["type"] == "input_audio_buffer.append":
                pcm = base64.b64decode(event["audio"])
                self.heard += pcm
                voiced = wav.audible(pcm) is not None
                if voiced and not speaking:
                    await self.say(socket, "input_audio_buffer.speech_started", audio_start_ms=0)
                if speaking != voiced and voiced == self.early:
                    await self.answer(socket)
                speaking = voiced

    async def answer(self, socket: ServerConnection) -> None:
        done: dict[str, Any] = {"id": "resp_1", "status": "completed", "status_details": None}
        if self.fails:
            error = {"type": "server_error", "code": "llm_down", "message": "no LLM"}
            done |= {"status": "failed", "status_details": {"type": "failed", "error": error}}
        await self.say(socket, "input_audio_buffer.speech_stopped", audio_end_ms=0)
        await self.say(
            socket,
            "conversation.item.input_audio_transcription.completed",
            transcript=" What time is it?",
        )
        await self.say(socket, "response.created", response={"id": "resp_1"})
        if self.reply:
            audio = base64.b64encode(self.reply).decode()
            await self.say(socket, "response.output_audio.delta", delta=audio, item_id="item_1")
        await self.say(socket, "response.output_audio_transcript.done", transcript="Noon.")
        await self.say(socket, "response.done", response=done)

    async def say(self, socket: ServerConnection, kind: str, **fields: Any) -> None:
        await socket.send(json.dumps({"type": kind, "event_id": "event_1", **fields}))


@asynccontextmanager
async def line(agent: Agent) -> AsyncIterator[str]:
    async with serve(agent.serve, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}/v1/realtime"


async def converse(
    agent: Agent, path: Path, live: Callable[[str], None] = lambda _: None, **wanted: Any
) -> tuple[Talk, Report]:
    wav.write(path, 24000, tone(100, 0) + tone(300) + tone(100, 0))
    async with line(agent) as url:
        options: dict[str, Any] = {"recordings": (path,), "wait_s": 3} | wanted
        talk = Talk(Wanted(url, **options), live)
        return talk, await talk.hold()


async def test_the_latency_runs_from_the_last_voiced_to_the_first_audible_sample(
    tmp_path: Path,
) -> None:
    agent = Agent(tone(50, 0) + tone(100))
    _, report = await converse(agent, tmp_path / "q.wav")
    [turn] = report.turns
    assert report.answered
    assert turn.last_voiced_ms - turn.first_voiced_ms == pytest.approx(300, abs=1)
    assert turn.response_latency_ms is not None
    # One frame of silence, then 50 ms of it, and whatever this machine is late.
    assert 60 < turn.response_latency_ms < 1000
    assert (turn.caller, turn.agent, turn.cut) == ("What time is it?", "Noon.", False)
    assert list(turn.timeline) == [
        "speech_started",
        "speech_stopped",
        "transcript",
        "response_created",
        "first_audio",
        "done",
    ]
    assert list(turn.timeline.values()) == sorted(turn.timeline.values())


async def test_the_recording_arrives_at_real_pace_and_is_followed_by_a_quiet_room(
    tmp_path: Path,
) -> None:
    agent = Agent(tone(100))
    started = asyncio.get_running_loop().time()
    await converse(agent, tmp_path / "q.wav")
    took_ms = (asyncio.get_running_loop().time() - started) * 1000
    sent_ms = len(agent.heard) / 48
    assert 500 + 700 < sent_ms <= took_ms + 20
    assert 0 < np.abs(np.frombuffer(agent.heard[-960:], "<i2")).max() < 10


async def test_several_recordings_are_several_turns(tmp_path: Path) -> None:
    path = tmp_path / "q.wav"
    _, report = await converse(Agent(tone(60)), path, recordings=(path, path))
    assert [turn.response_latency_ms is not None for turn in report.turns] == [True, True]
    assert report.turns[1].first_voiced_ms > report.turns[0].timeline["done"]


async def test_an_agent_that_starts_too_soon_has_cut_the_caller_and_is_truncated(
    tmp_path: Path,
) -> None:
    path = tmp_path / "q.wav"
    _, report = await converse(Agent(tone(100), early=True), path)
    assert report.turns[0].cut


async def test_an_interrupted_agent_is_told_how_much_was_heard(tmp_path: Path) -> None:
    path = tmp_path / "two.wav"
    agent = Agent(tone(5000))
    wav.write(path, 24000, tone(200) + tone(200, 0) + tone(200))
    async with line(agent) as url:
        talk = Talk(Wanted(url, recordings=(path,), wait_s=0.1), lambda _: None)
        await talk.hold()
    [event] = agent.truncated
    assert event["item_id"] == "item_1"
    assert 100 < event["audio_end_ms"] < 1000


async def test_no_answer_is_a_report_without_a_latency(tmp_path: Path) -> None:
    said: list[str] = []
    agent = Agent(b"", fails=True)
    _, report = await converse(agent, tmp_path / "q.wav", said.append, wait_s=0.2)
    assert not report.answered
    assert report.errors == [{"type": "server_error", "code": "llm_down", "message": "no LLM"}]
    assert "caller: What time is it?" in said
    assert "error: llm_down no LLM" in said


async def test_why_a_server_refuses_is_said(tmp_path: Path) -> None:
    class Refusing(Agent):
        async def serve(self, socket: ServerConnection) -> None:
            error = {"code": "unknown_variable", "message": "{{name}} has no value"}
            await socket.send(json.dumps({"type": "error", "error": error}))
            await socket.close(1008, "unknown_variable")

    said: list[str] = []
    with pytest.raises(TalkError, match="unknown_variable"):
        await converse(Refusing(b""), tmp_path / "q.wav", said.append)
    assert "error: unknown_variable {{name}} has no value" in said


async def test_the_end_that_an_agent_makes_is_a_good_one(tmp_path: Path) -> None:
    class Leaving(Agent):
        async def serve(self, socket: ServerConnection) -> None:
            call = {"type": "mcp_call", "name": "end_call", "arguments": "{}", "output": "bye"}
            await socket.send(json.dumps({"type": "conversation.item.done", "item": call}))
            ended = {"type": "voiceforge.session.ended", "reason": "agent_ended"}
            await socket.send(json.dumps(ended))
            await socket.close(1000, "agent_ended")

    said: list[str] = []
    await converse(Leaving(b""), tmp_path / "q.wav", said.append)
    assert said[-2:] == ["tool: end_call {} -> bye", "the agent ended the conversation"]


async def test_what_is_wanted_reaches_the_server(tmp_path: Path) -> None:
    agent = Agent(tone(60))
    await converse(
        agent, tmp_path / "q.wav", voice="alloy", instructions="Be brief.", api_key="sk-1"
    )
    assert agent.session["audio"]["output"]["voice"] == "alloy"
    assert agent.session["instructions"] == "Be brief."
    assert agent.headers["authorization"] == "Bearer sk-1"


async def test_what_was_heard_stands_where_it_was_heard(tmp_path: Path) -> None:
    talk, report = await converse(Agent(tone(100)), tmp_path / "q.wav")
    first, last = wav.audible(talk.heard.pcm()) or (0, 0)
    [turn] = report.turns
    assert first / 24 == pytest.approx(turn.last_voiced_ms + (turn.response_latency_ms or 0), abs=1)
    assert (last - first) / 24 == pytest.approx(100, abs=1)


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("ws://127.0.0.1:8000", "ws://127.0.0.1:8000/v1/realtime"),
        ("https://voice.example/", "wss://voice.example/v1/realtime"),
        ("ws://127.0.0.1:8000/other?call_id=c", "ws://127.0.0.1:8000/other?call_id=c"),
    ],
)
def test_an_address_alone_is_enough(address: str, url: str) -> None:
    assert realtime_url(address) == url


async def test_a_server_that_is_not_there_is_said_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "q.wav"
    wav.write(path, 24000, tone(100))
    talk = Talk(Wanted("ws://127.0.0.1:9/v1/realtime", recordings=(path,)), lambda _: None)
    with pytest.raises(TalkError, match="nothing listens there; start it with `voiceforge serve`"):
        await talk.hold()


async def test_a_recording_without_sound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "q.wav"
    wav.write(path, 24000, bytes(48000))
    async with line(Agent(b"")) as url:
        talk = Talk(Wanted(url, recordings=(path,)), lambda _: None)
        with pytest.raises(TalkError, match="nothing audible"):
            await talk.hold()


async def test_without_a_recording_and_a_sound_card_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sounddevice", None)
    async with line(Agent(b"")) as url:
        talk = Talk(Wanted(url), lambda _: None)
        with pytest.raises(wav.RecordingError, match="pip install sounddevice"):
            await talk.hold()


@pytest.mark.parametrize(
    ("goodbye", "told"),
    [
        (Close(1000, "drained"), "the server ended the conversation (drained)"),
        (Close(1011, ""), "the server ended the conversation (1011)"),
        (None, "no close frame received or sent"),
    ],
)
def test_a_goodbye_is_told_whether_it_is_met_in_listening_or_in_speaking(
    goodbye: Close | None, told: str
) -> None:
    assert reason(ConnectionClosed(goodbye, None)) == told
