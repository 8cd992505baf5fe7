"""Whole conversations at the most talkative level leave no word of theirs in the log."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from engine.inference import InferenceError
from server import log
from server.door import OpenDoor
from server.lag import LoopLag
from server.metrics import Metrics
from server.sessions import SessionRegistry
from server.settings import LimitSettings, LogSettings
from tests.server.exchange import Client, services
from tests.virtual_time import in_virtual_time

SAID = "my pin is zebra"
ANSWERED = "Your xylophone is ready."
SECRETS = ("zebra", "xylophone", "walrus", "quokka", "cGFzc3dvcmQ")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers, root.level
    stream = io.StringIO()
    log.configure(LogSettings(level="debug"), stream)
    yield stream
    root.handlers, level = before
    root.setLevel(level)


def reply(chat: Any) -> str:
    said = chat.messages[-1].content or ""
    if "walrus" in said:
        raise ValueError(f"cannot answer {said}")
    if "quokka" in said:
        raise InferenceError("llm_refused", f"the endpoint refused {said}")
    return ANSWERED


async def conversations() -> None:
    sessions = SessionRegistry(lambda: shared, LimitSettings(), Metrics(LoopLag()), OpenDoor())
    shared = services(reply)
    for said in (SAID, "quokka", "walrus"):
        async with Client(sessions) as client:
            await client.until("session.created")
            client.put("session.update", session={"type": "realtime", "instructions": "walrus"})
            client.put("session.update", session={"type": "realtime", "voice": {"quokka": 1}})
            client.put_text('{"type": "zebra", "audio": "cGFzc3dvcmQ')
            client.put("input_audio_buffer.append", audio="cGFzc3dvcmQ zebra")
            await client.say(said)
            ends = "voiceforge.session.ended" if said == "walrus" else "response.done"
            await client.until(ends)
    await asyncio.sleep(1)


def test_no_word_and_no_audio_reaches_the_log(stream: io.StringIO) -> None:
    in_virtual_time(conversations())
    text = stream.getvalue()
    lines = [json.loads(line) for line in text.splitlines()]
    events = [line["event"] for line in lines]
    assert events.count("session opened") == 3
    assert "session failed" in events
    sessions = [line["session"] for line in lines if line["event"] == "session opened"]
    assert len(set(sessions)) == 3
    assert [word for word in SECRETS if word in text] == []
