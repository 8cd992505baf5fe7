"""In how many packets of our speech there is a copy of the frame before (FEC), by bit rate.

Opus gives a part of its bits to that only where it thinks that enough are left: below a bit rate
that depends on the bandwidth and on the losses it is told to expect, there is none at all.
"""

import time
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from actors.piper import Piper
from actors.store import Store
from bench.answerer import ANSWERS
from bench.report import Row
from bench.sound import from_pcm, loud
from engine.capabilities import Utterance
from transports.webrtc.agent_track import LEAST_LOSS, RATE_HZ
from transports.webrtc.opus import BIT_S, FRAME_MS, SILENT_BYTES, Encoder

RATES_BIT_S = (24_000, 28_000, BIT_S, 40_000)

FRAME_BYTES = 2 * RATE_HZ * FRAME_MS // 1000

FIRST_CELT = 16
"""Configurations from here on know no FEC (RFC 6716, 3.1)."""


class Encoded(msgspec.Struct, frozen=True):
    """What became of speech: the share of audible frames' packets with a copy of the frame before,
    the bits a second, and the CPU time of a frame.
    """

    copied: float
    bit_s: float
    frame_us: float


def copies(packet: bytes) -> bool:
    """Whether a packet of one mono frame holds a copy of the frame before: the flag behind that of
    its own voice activity (RFC 6716, 4.2.3).
    """
    return len(packet) > SILENT_BYTES and packet[0] >> 3 < FIRST_CELT and bool(packet[1] & 0x40)


def speech() -> list[bytes]:
    """Frames of what the scripted agent says."""
    piper = Piper(Store().path("piper-joe"))
    utterances = (Utterance(text, "joe", rate_hz=RATE_HZ) for text in ANSWERS)
    pcm = b"".join(made.pcm for one in utterances for made in piper.speak(one))
    return [pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES)]


def encoded(frames: Sequence[bytes], bit_s: int) -> Encoded:
    """Encode frames as the agent's track does while nothing is lost."""
    encoder = Encoder(RATE_HZ, bit_s)
    encoder.expect_loss(LEAST_LOSS)
    began = time.process_time()
    packets = [encoder.encode(frame) for frame in frames]
    took_s = time.process_time() - began
    audible = [copies(p) for p, f in zip(packets, frames, strict=True) if len(loud(from_pcm(f)))]
    sent = [packet for packet in packets if len(packet) > SILENT_BYTES]
    rate = 8000 * sum(map(len, sent)) / (len(sent) * FRAME_MS)
    return Encoded(float(np.mean(audible)), rate, 1e6 * took_s / len(packets))


def measured() -> tuple[list[Row], list[str]]:
    """The share at our bit rate, and those at others."""
    frames = speech()
    found = {bit_s: encoded(frames, bit_s) for bit_s in RATES_BIT_S}
    share = 100 * found[BIT_S].copied
    return [Row("fec_frames", share, None, None, None, None, "%")], list(told(found))


def told(found: dict[int, Encoded]) -> Iterator[str]:
    """A line for each bit rate."""
    for bit_s, one in found.items():
        yield (
            f"Opus at {bit_s // 1000} kbit/s, while no losses are reported: FEC in "
            f"{100 * one.copied:.0f} % of audible frames, {one.bit_s / 1000:.1f} kbit/s, "
            f"{one.frame_us:.0f} us of CPU a frame"
        )
