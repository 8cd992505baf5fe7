"""Speech with the time of each character, as ElevenLabs' clients read it."""

import base64
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import msgspec

from engine.capabilities import Speech
from server.eleven.alignment import Aligner, Alignment, Timed, alignment
from server.speech.formats import Encoder


class TimedAudio(msgspec.Struct, frozen=True):
    """The audio in base64. Numbers and signs are timed where they stand in the text, so that the
    normalized alignment is the same one.
    """

    audio_base64: str
    alignment: Alignment | None = None
    normalized_alignment: Alignment | None = None


class Stretch(msgspec.Struct, frozen=True):
    """The next bytes of a file, and the characters that are heard in what went into them."""

    audio: bytes
    characters: list[Timed]


async def stretches(
    speech: AsyncGenerator[Speech, None], encoder: Encoder, aligner: Aligner
) -> AsyncGenerator[Stretch, None]:
    """A file of it, as it grows; nothing of no speech."""
    samples = 0
    async with aclosing(speech):
        async for one in speech:
            samples += len(one.pcm) // 2
            yield Stretch(await encoder.feed(one.pcm), aligner.up_to(one.words))
        if samples:
            rest = b"".join([piece async for piece in encoder.end()])
            yield Stretch(rest, aligner.rest(samples))


async def lines(found: AsyncIterator[Stretch]) -> AsyncIterator[bytes]:
    """Each in a line of JSON."""
    async for one in found:
        if one.audio or one.characters:
            times = alignment(one.characters)
            audio = base64.b64encode(one.audio).decode()
            yield msgspec.json.encode(TimedAudio(audio, times, times)) + b"\n"


async def whole(found: AsyncIterator[Stretch]) -> AsyncIterator[bytes]:
    """All of it as one `TimedAudio`, written as it is made: of the audio, which may be hours, no
    more is held than three bytes make in base64.
    """
    yield b'{"audio_base64":"'
    held = b""
    characters: list[Timed] = []
    async for one in found:
        held += one.audio
        characters += one.characters
        even = len(held) // 3 * 3
        if even:
            yield base64.b64encode(held[:even])
            held = held[even:]
    times = msgspec.json.encode(alignment(characters))
    last = base64.b64encode(held)
    yield last + b'","alignment":' + times + b',"normalized_alignment":' + times + b"}"
