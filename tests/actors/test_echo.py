"""Clips that come back through codecs and rooms are known again; others are not taken for them."""

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from actors.echo import AGENT_S, likeness
from bench.turns import turns
from engine.echo import ALIKE
from engine.frames import CALLER_HZ
from transports.webrtc.opus import Decoder, Encoder

TURNS = turns("question")[:24]
CLIPS = [turn.pcm().astype(np.int16) for turn in TURNS]

AGENT_HZ = 24_000

ROOM_SAMPLES = 2400


def through_opus(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    pcm = soxr.resample(samples.astype(np.float64), CALLER_HZ, AGENT_HZ).astype("<i2").tobytes()
    encoder, decoder = Encoder(AGENT_HZ), Decoder(CALLER_HZ)
    size = 2 * encoder.frame_samples
    heard = [
        decoder.decode(encoder.encode(pcm[at : at + size]))
        for at in range(0, len(pcm) - size, size)
    ]
    return np.frombuffer(b"".join(heard), np.int16)


def through_a_room(samples: NDArray[np.int16], level: float) -> NDArray[np.int16]:
    chance = np.random.default_rng(7)
    walls = np.zeros(ROOM_SAMPLES)
    walls[0] = 1
    fading = np.exp(-np.arange(40) / 15)
    walls[np.sort(chance.integers(30, ROOM_SAMPLES, 40))] = chance.normal(0, 0.25, 40) * fading
    echo = level * np.convolve(samples, walls)[: len(samples)]
    return (echo + chance.normal(0, 15, len(samples))).astype(np.int16)


def loudness(samples: NDArray[np.int16]) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


def agent(number: int) -> bytes:
    """The last two seconds of it, as it is sent."""
    samples = np.concatenate([CLIPS[(number + 1) % len(CLIPS)], CLIPS[number]])
    sent = soxr.resample(samples.astype(np.float64), CALLER_HZ, AGENT_HZ)
    return bytes(sent[-int(AGENT_S * AGENT_HZ) :].astype("<i2").tobytes())


@pytest.mark.parametrize("level", [0.5, 0.1])
def test_an_echo_is_known(level: float) -> None:
    for number, clip in enumerate(CLIPS):
        echo = through_a_room(through_opus(through_opus(clip)), level)
        said = echo[-int(1.4 * CALLER_HZ) : -int(0.6 * CALLER_HZ)]
        assert likeness(said.tobytes(), agent(number), AGENT_HZ) > ALIKE, number


def test_the_caller_is_not_taken_for_it_though_the_echo_sounds_too() -> None:
    """But one who is the same synthetic voice: that says the same word with the same waveform."""
    for number, turn in enumerate(TURNS):
        agents = {turn.speaker, TURNS[(number + 1) % len(TURNS)].speaker}
        if TURNS[(number + 11) % len(TURNS)].speaker in agents:
            continue
        other = CLIPS[(number + 11) % len(CLIPS)][int(0.3 * CALLER_HZ) : int(1.1 * CALLER_HZ)]
        echo = through_a_room(through_opus(CLIPS[number]), 0.1)[-len(other) :]
        if loudness(other) < 2 * loudness(echo):
            continue
        for heard in (other, other + echo[: len(other)]):
            assert likeness(heard.tobytes(), agent(number), AGENT_HZ) < ALIKE, number


@pytest.mark.parametrize("caller", [b"", bytes(64), bytes(32_000)])
def test_silence_is_no_echo(caller: bytes) -> None:
    assert likeness(caller, agent(0), AGENT_HZ) == 0
    assert likeness(agent(0), caller, AGENT_HZ) == 0


def test_another_rate_is_none_the_worse() -> None:
    clip = CLIPS[0]
    sent = soxr.resample(clip.astype(np.float64), CALLER_HZ, 22_050).astype("<i2").tobytes()
    assert likeness(through_opus(clip).tobytes(), sent, 22_050) > ALIKE
