"""ElevenLabs' names of formats: codec, sampling frequency in Hz and, where it has one, bit rate in
kbit/s.
"""

from functools import partial
from typing import Literal, get_args

from server.speech.formats import MP3_LEAD, Format, Plain, Telephone, mp3, opus, wav_header
from transports.g711 import pcm_to_a_law, pcm_to_mu_law

Name = Literal[
    "mp3_22050_32",
    "mp3_24000_48",
    "mp3_44100_32",
    "mp3_44100_64",
    "mp3_44100_96",
    "mp3_44100_128",
    "mp3_44100_192",
    "pcm_8000",
    "pcm_16000",
    "pcm_22050",
    "pcm_24000",
    "pcm_32000",
    "pcm_44100",
    "pcm_48000",
    "wav_8000",
    "wav_16000",
    "wav_22050",
    "wav_24000",
    "wav_32000",
    "wav_44100",
    "wav_48000",
    "ulaw_8000",
    "alaw_8000",
    "opus_48000_32",
    "opus_48000_64",
    "opus_48000_96",
    "opus_48000_128",
    "opus_48000_192",
]

USUAL: Name = "mp3_44100_128"


def of(name: str) -> Format:
    """What a name stands for. Raises `ValueError` for what is none."""
    match name.split("_"):
        case ["mp3", hz, kbit_s]:
            return Format("audio/mpeg", partial(mp3, int(hz), int(kbit_s)), int(hz), MP3_LEAD)
        case ["opus", hz, kbit_s]:
            return Format("audio/ogg", partial(opus, int(hz), int(kbit_s)), int(hz))
        case ["pcm", hz]:
            return Format("audio/pcm", Plain, int(hz))
        case ["wav", hz]:
            return Format("audio/wav", partial(plain_wav, int(hz)), int(hz))
        case ["ulaw", hz]:
            return Format("audio/basic", partial(Telephone, pcm_to_mu_law), int(hz))
        case ["alaw", hz]:
            return Format("audio/x-alaw-basic", partial(Telephone, pcm_to_a_law), int(hz))
    raise ValueError(f"unknown format {name!r}: choose one of {', '.join(FORMATS)}")


def plain_wav(rate_hz: int) -> Plain:
    """The samples behind a header."""
    return Plain(wav_header(rate_hz))


FORMATS: dict[Name, Format] = {name: of(name) for name in get_args(Name)}

MEDIA_TYPES = tuple(dict.fromkeys(form.media_type for form in FORMATS.values()))
