"""Whether what the caller's microphone brings is the agent, come back.

Browsers and phones cancel most of their echo. What they leave is clear speech, so that neither a
voice activity detector nor a recogniser tells it from the caller. The waveform does: it is a copy
of what was just sent, through whatever codecs and rooms. Each piece of the caller's sound is
compared with all of the agent's last speech at every offset (normalised cross-correlation, of the
first differences, which stand for whitening).
"""

import numpy as np
from numpy.typing import NDArray

from engine.frames import CALLER_HZ

RATE_HZ = 8_000

PIECE_S = 0.3

CALLER_S, AGENT_S = 0.6, 2.0
"""How much of the caller's last sound is looked at, and of the agent's: sound cards, Bluetooth and
the network delay it by up to a second."""

FAINTEST = 4.0
"""Mean square of a difference of samples: a piece that is fainter says nothing."""


def likeness(caller: bytes, agent: bytes, agent_hz: int) -> float:
    """0 to 1. Mono 16-bit PCM; the caller's at `CALLER_HZ`. Takes 2 ms."""
    theirs = differences(caller, CALLER_HZ, CALLER_S)
    size = int(PIECE_S * RATE_HZ)
    ours = np.pad(differences(agent, agent_hz, AGENT_S), size)  # its first word may be its only one
    if len(theirs) < size:
        return 0.0
    length = 1 << (len(ours) + size - 1).bit_length()
    spectrum = np.fft.rfft(ours, length)
    sums = np.concatenate([[0.0], np.cumsum(ours.astype(np.float64) ** 2)])
    energies = np.maximum(sums[size : len(ours)] - sums[: len(ours) - size], size * FAINTEST)
    weights, alike = 0.0, 0.0
    for start in range(len(theirs) % size, len(theirs) - size + 1, size):
        piece = theirs[start : start + size]
        energy = float(piece @ piece)
        if energy < size * FAINTEST:
            continue
        products = np.fft.irfft(spectrum * np.conj(np.fft.rfft(piece, length)), length)
        best = np.abs(products[: len(energies)]) / np.sqrt(energies * energy)
        weights += energy**0.5
        alike += energy**0.5 * float(best.max())
    return alike / weights if weights else 0.0


def differences(pcm: bytes, rate_hz: int, seconds: float) -> NDArray[np.float32]:
    """Between the samples of the last so many seconds, at `RATE_HZ`."""
    samples = np.frombuffer(pcm, np.int16)[-int(seconds * rate_hz) :].astype(np.float32)
    if rate_hz % RATE_HZ == 0:
        step = rate_hz // RATE_HZ
        whole = len(samples) // step * step
        lowered = samples[len(samples) - whole :].reshape(-1, step).mean(axis=1)
    else:
        at = np.arange(0, len(samples), rate_hz / RATE_HZ)
        lowered = np.interp(at, np.arange(len(samples)), samples).astype(np.float32)
    return np.diff(lowered)
