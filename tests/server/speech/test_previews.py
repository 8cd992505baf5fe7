"""Previews of voices, by a scripted voice, behind the guard's list of what is public."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import soundfile

from actors.voices.catalogue import catalogue
from engine.capabilities import Speech, Utterance
from engine.inference import InferenceError, Priority
from engine.meter import Watch
from server.access.caller import Caller
from server.access.denied import Denied
from server.app import HANDLERS, build
from server.eleven import errors
from server.eleven_voice_routes import routes
from server.metering.collector import Collector
from server.public import is_public
from server.speech import previews
from server.speech.dictionaries import Dictionaries
from server.speech.previews import MOST_WAITING, Previews
from server.speech.speaking import Speaking
from tests.scripted import Scripted, tts
from tests.server.speech.test_speakers import speakers

JOE = catalogue().voice("joe")
KUMO = catalogue().voice("jm_kumo")
GERMAN = catalogue().voice("espeak-de")
ABSENT = catalogue().voice("de_DE-thorsten-high")


class Desk:
    """Previews in a folder, and the voice that speaks them."""

    def __init__(self, folder: Path, voice: Scripted[Utterance, Speech] | None = None) -> None:
        self.folder = folder
        self.voice = voice or tts(0.0)
        self.previews = self.another()

    def another(self) -> Previews:
        """Those of another gateway."""

        def voices(watch: Watch) -> Any:
            return watch(self.voice, "tts")

        collector = Collector(lambda used: None)
        unused: Any = None
        speaking = Speaking(voices, self, collector, speakers(), Dictionaries(unused))
        return Previews(self.folder, speaking)

    async def check(self, caller: Caller) -> None:
        """Nobody has used up anything."""

    @property
    def spoken(self) -> list[tuple[str, str]]:
        """Who said what; a sentence is asked for in pieces, of which the first begins with it."""
        said: list[tuple[str, str]] = []
        for one in self.voice.asked:
            if one.text.startswith(" "):
                voice, text = said.pop()
                said.append((voice, text + one.text))
            else:
                said.append((one.voice, one.text))
        return said

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir() if path.suffix == ".mp3")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "previews")


async def test_a_voice_says_its_sentence_behind_everybody_else(desk: Desk) -> None:
    sound = (await desk.previews.of(GERMAN)).sound
    assert desk.spoken == [("espeak-de", GERMAN.sample)]
    assert {tuple(one.priorities) for one in desk.voice.requests} == {(Priority.BATCH,)}
    assert len(soundfile.read(io.BytesIO(sound))[0]) > 24_000


async def test_it_is_made_once_however_many_ask_and_wherever(desk: Desk) -> None:
    here, there = desk.previews, desk.another()
    told = await asyncio.gather(*(one.of(JOE) for one in (here, there) * 5), here.of(KUMO))
    assert len({preview.sound for preview in told[:-1]}) == 1
    assert len(desk.spoken) == 2
    assert await desk.another().of(JOE) == told[0]
    assert len(desk.spoken) == 2


async def test_another_sentence_is_spoken_anew_and_what_was_is_removed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await desk.previews.of(JOE)
    changed = msgspec.structs.replace(JOE, sample="Good evening, everybody.")
    others = [changed if voice is JOE else voice for voice in catalogue().voices]
    monkeypatch.setattr(previews, "catalogue", lambda: type(catalogue())(others))
    (desk.folder / "half.part").write_bytes(b"a crash has left it")
    new = await desk.previews.of(changed)
    assert new.version != old.version
    assert new.sound != old.sound
    assert desk.files() == [previews.name_of(changed)]
    assert not (desk.folder / "half.part").exists()


async def test_a_voice_that_is_not_here_says_what_it_lacks(desk: Desk) -> None:
    with pytest.raises(Denied, match="its weights are not here") as refused:
        await desk.previews.of(ABSENT)
    assert (refused.value.status, refused.value.code) == (404, "voice_not_here")
    assert desk.voice.asked == []


async def test_a_voice_that_fails_leaves_nothing_and_is_asked_again(tmp_path: Path) -> None:
    async def script(utterance: Utterance) -> AsyncIterator[Speech]:
        yield Speech(b"\0\0" * 100, 24_000, ())
        raise InferenceError("worker_lost", "it died")

    desk = Desk(tmp_path / "previews", Scripted(script))
    for _ in range(2):
        with pytest.raises(Denied, match="it died") as refused:
            await desk.previews.of(JOE)
        assert refused.value.status == 503
    assert desk.files() == []
    assert len(desk.spoken) == 2


async def test_a_crowd_is_told_to_come_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "previews", tts(50.0))
    waiting = [asyncio.create_task(desk.previews.of(JOE)) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0.2)
    with pytest.raises(Denied, match="come again") as refused:
        await desk.previews.of(KUMO)
    assert refused.value.headers["retry-after"] == "5"
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert len(desk.spoken) == 1


async def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Denied, match="cannot be made or kept"):
        await Desk(tmp_path / "file" / "previews").previews.of(JOE)


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    handlers = routes(speakers(), desk.previews, errors.handlers(HANDLERS))
    transport = httpx.ASGITransport(build(lambda *_: None, handlers))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://here:9") as client:
        yield client


async def test_a_player_finds_it_and_asks_only_once(client: httpx.AsyncClient) -> None:
    listed = (await client.get("/v1/voices")).json()["voices"]
    url = next(one["preview_url"] for one in listed if one["voice_id"] == "joe")
    assert url == "http://here:9/v1/voices/joe/preview"
    assert is_public({"path": httpx.URL(url).path})
    assert not is_public({"path": "/v1/voices/joe"})
    heard = await client.get(url)
    assert (heard.status_code, heard.headers["content-type"]) == (200, "audio/mpeg")
    assert "max-age" in heard.headers["cache-control"]
    again = await client.get(url, headers={"if-none-match": heard.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/v1/voices/joe", "/v2/voices?search=piper"])
async def test_wherever_a_voice_is_told_of_it_can_be_heard(
    client: httpx.AsyncClient, path: str
) -> None:
    told = (await client.get(path)).json()
    voice = told["voices"][0] if "voices" in told else told
    assert voice["preview_url"].endswith("/v1/voices/joe/preview")


@pytest.mark.parametrize(
    ("voice_id", "status", "code"),
    [("bob", 404, "voice_not_found"), (ABSENT.id, 404, "voice_not_here")],
)
async def test_who_is_not_here_is_told_in_elevenlabs_words(
    client: httpx.AsyncClient, voice_id: str, status: int, code: str
) -> None:
    refused = await client.get(f"/v1/voices/{voice_id}/preview")
    assert (refused.status_code, refused.json()["detail"]["status"]) == (status, code)


def test_no_two_voices_share_a_file() -> None:
    names = {previews.name_of(voice) for voice in catalogue().voices}
    assert len(names) == len(catalogue().voices)
    assert all(is_public({"path": previews.path_of(voice.id)}) for voice in catalogue().voices)
