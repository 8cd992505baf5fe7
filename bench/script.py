"""What the scripted models of both sides answer, and after how long.

Runs in both virtual environments. The delays are about those of the real models with one caller;
what matters is that they are the same and cost nothing.
"""

import math
import struct

STT_S = 0.08
TURN_S = 0.05
FIRST_TOKEN_S = 0.15
TOKEN_S = 0.02
TTS_S = 0.05
HEARD = "What time does the library open on Sunday?"
REPLY = "The library opens at nine on weekdays and at ten on Sundays."
REPLY_HZ = 24_000
REPLY_S = 3.0


def tokens() -> list[str]:
    """The reply as an LLM streams it."""
    words = REPLY.split(" ")
    return [words[0], *(f" {word}" for word in words[1:])]


def reply_pcm() -> bytes:
    """What the reply sounds like: a hum of 3 s, as 16-bit PCM at `REPLY_HZ`."""
    samples = (
        int(8000 * math.sin(2 * math.pi * 200 * at / REPLY_HZ))
        for at in range(int(REPLY_S * REPLY_HZ))
    )
    return b"".join(struct.pack("<h", sample) for sample in samples)
