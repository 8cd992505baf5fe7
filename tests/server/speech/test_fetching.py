"""A voice that is asked for by name is fetched, once, or it is told why not."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.hub import Hub
from actors.store import Store
from actors.voices.weights import VoiceWeights
from server.access.denied import Denied
from server.speech.fetching import Fetching
from server.speech.speakers import Speakers
from tests.voice_hub import KRISTIN, VoiceHub

GET = "GET /cdn/rhasspy/piper-voices/resolve/main/en/en_US/kristin/medium/en_US-kristin-medium.onnx"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[VoiceHub]:
    for name in ("weights", "settings"):
        (tmp_path / name).write_text(name)
    with VoiceHub() as hub:
        hub.publish(KRISTIN, tmp_path / "weights", tmp_path / "settings")
        yield hub


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A store with "joe"."""
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "piper-joe").symlink_to(Store().path("piper-joe"))
    return tmp_path / "store"


def fetching(root: Path, url: str, patience_s: float = 20.0) -> Fetching:
    return Fetching(VoiceWeights(root, Hub(url), offline=False), patience_s)


async def test_however_many_ask_it_is_fetched_once_and_speaks(root: Path, hub: VoiceHub) -> None:
    hub.slow_s = 0.2
    speakers = Speakers(root, "error", fetching=fetching(root, hub.url))
    asked = (speakers.parts("The library opens at nine.", KRISTIN.id, None) for _ in range(5))
    for parts in await asyncio.gather(*asked):
        assert [part.chosen.voice.id for part in parts] == [KRISTIN.id]
    await speakers.check(KRISTIN.id, None)
    assert hub.asked.count(GET) == 1


async def test_who_waits_too_long_is_told_to_come_again(root: Path, hub: VoiceHub) -> None:
    hub.slow_s = 0.5
    waiting = fetching(root, hub.url, patience_s=0.1)
    with pytest.raises(Denied, match="is not here yet") as refused:
        await waiting.fetch(KRISTIN)
    assert (refused.value.status, refused.value.headers["retry-after"]) == (503, "15")
    give_up = asyncio.get_running_loop().time() + 10
    while not VoiceWeights(root, Hub(hub.url), offline=True).here(KRISTIN.id):
        assert asyncio.get_running_loop().time() < give_up
        await asyncio.sleep(0.05)
    await waiting.aclose()
    assert hub.asked.count(GET) == 1


async def test_where_no_hub_is_it_is_an_error_or_another_voice_speaks(root: Path) -> None:
    away = fetching(root, "http://127.0.0.1:7")
    with pytest.raises(Denied, match="voiceforge voices pull en_US-kristin-medium") as refused:
        await Speakers(root, "error", fetching=away).parts("Hello.", KRISTIN.id, None)
    assert (refused.value.status, refused.value.code) == (400, "voice_not_here")
    parts = await Speakers(root, "fallback", fetching=away).parts("Hello.", KRISTIN.id, None)
    assert [part.chosen.voice.id for part in parts] == ["en_US-joe-medium"]


async def test_what_is_not_named_or_could_not_speak_is_not_fetched(
    root: Path, hub: VoiceHub
) -> None:
    speakers = Speakers(root, "error", fetching=fetching(root, hub.url))
    await speakers.parts("The library opens at nine.", None, "en-GB")
    for voice in ("de_DE-thorsten-high", "af_heart", "en_US-lessac-medium"):  # for research
        with pytest.raises(Denied, match="its weights are not here"):
            await speakers.parts("Hello.", voice, None)
    assert hub.asked == []


async def test_a_gateway_that_ends_waits_for_nothing(root: Path, hub: VoiceHub) -> None:
    hub.slow_s = 0.5
    ending = fetching(root, hub.url)
    asking = asyncio.create_task(ending.fetch(KRISTIN))
    await asyncio.sleep(0.2)
    await ending.aclose()
    with pytest.raises(Denied, match="the server ends"):
        await asking
