"""What goes over the WebSocket of `/v1/text-to-speech/{voice_id}/stream-input`."""

import base64
from typing import Annotated

import msgspec
from msgspec import Meta

from server.eleven.alignment import ChunkAlignment
from server.eleven.wanted import VoiceSettings
from server.speech.dictionaries import Locator
from server.speech.speaking import LONGEST_CHARS


class Text(msgspec.Struct, frozen=True):
    """More of the text; empty at its end. `flush` has all of it spoken that came so far. What the
    first one says of the voice and of dictionaries holds for all. Pieces are cut where sentences
    and clauses end, so that what a client says of when to begin is accepted, and not needed.
    """

    text: Annotated[str, Meta(max_length=LONGEST_CHARS)]
    flush: bool | None = None
    voice_settings: VoiceSettings | None = None
    pronunciation_dictionary_locators: list[Locator] | None = None


class Credentials(msgspec.Struct, frozen=True):
    """The key, where a client could give it to no header: in its first message."""

    xi_api_key: str | None = None
    hyphened: str | None = msgspec.field(default=None, name="xi-api-key")
    authorization: str | None = None

    def key(self) -> str | None:
        """None without any."""
        bearer = (self.authorization or "").removeprefix("Bearer ").strip()
        return self.xi_api_key or self.hyphened or bearer or None


class AudioOutput(msgspec.Struct, frozen=True, rename="camel"):
    """A stretch of audio, in base64, with the characters that are heard in it; at the end none."""

    audio: str | None
    is_final: bool | None = None
    normalized_alignment: ChunkAlignment | None = None
    alignment: ChunkAlignment | None = None


class Failed(msgspec.Struct, frozen=True):
    """What went wrong; the socket is closed with this code."""

    message: str
    error: str
    code: int


def audio_output(audio: bytes, timed: ChunkAlignment | None) -> str:
    """As it is sent."""
    told = AudioOutput(base64.b64encode(audio).decode(), None, timed, timed)
    return msgspec.json.encode(told).decode()


FINAL = msgspec.json.encode(AudioOutput(None, is_final=True)).decode()
