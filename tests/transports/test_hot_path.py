"""What the two most frequent events cost; `pytest -s` prints it. The bounds catch blunders only."""

import base64
import json
import timeit
from typing import Any

from engine import frames
from engine.items import Message

ROUNDS = 2_000


def us_each(work: Any) -> float:
    return min(timeit.repeat(work, number=ROUNDS, repeat=3)) / ROUNDS * 1e6


def test_twenty_ms_of_the_caller_cost_little(client: Any) -> None:
    client.session.hear = lambda pcm: None
    audio = base64.b64encode(bytes(range(240)) * 4).decode()
    message = json.dumps({"type": "input_audio_buffer.append", "audio": audio})
    cost = us_each(lambda: client.realtime.receive(message))
    print(f"\ninput_audio_buffer.append, 20 ms at 24 kHz, decoded and resampled: {cost:.1f} us")
    assert cost < 300


def test_forty_ms_of_the_agent_cost_little(client: Any) -> None:
    client.outlet.put = lambda text: None
    item = Message("item_a", "assistant", (), "in_progress")
    client.session.say(
        frames.ResponseStarted("resp_1", 1, "audio", True, {}),
        frames.ReplyItemStarted("resp_1", 0, item, None),
    )
    frame = frames.ReplyAudio("resp_1", "item_a", 0, bytes(range(240)) * 8, 24_000)
    cost = us_each(lambda: client.realtime.send(frame))
    print(f"\nresponse.output_audio.delta, 40 ms at 24 kHz, encoded: {cost:.1f} us")
    assert cost < 300
