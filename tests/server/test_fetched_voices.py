"""A voice that is not here, through the whole server: fetched and heard. "joe" stands in for it."""

import json
from pathlib import Path

import httpx
import pytest

from actors.store import Store
from actors.workers import MODELS
from server.fleet import VAD_MODEL
from tests.peers.sound import transcribed, word_error_rate
from tests.server.program import Server, voiceforge
from tests.voice_hub import KRISTIN, VoiceHub

pytestmark = pytest.mark.models

TEXT = "Please tell me about the history of this old city."


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A store that holds only what every server needs."""
    for model in (*MODELS.values(), VAD_MODEL):
        (tmp_path / model).symlink_to(Store().pull(model))
    return tmp_path


def publish(hub: VoiceHub) -> None:
    joe = Store().path("piper-joe")
    hub.publish(KRISTIN, joe / "en_US-joe-medium.onnx", joe / "en_US-joe-medium.onnx.json")


def spoken(server: Server) -> httpx.Response:
    wanted = {"input": TEXT, "voice": KRISTIN.id, "response_format": "pcm"}
    url = f"{server.url}/v1/audio/speech"
    return httpx.post(url, json=wanted, headers=server.headers, timeout=60)


def listed(server: Server) -> list[str]:
    told = json.loads(server.get("/v1/voices")[1])
    return [voice["voice_id"] for voice in told["voices"]]


def test_a_voice_is_fetched_when_it_is_first_asked_for_and_speaks(root: Path) -> None:
    with VoiceHub() as hub:
        publish(hub)
        environ = {"VOICEFORGE_MODELS": str(root), "VOICEFORGE_HUB": hub.url}
        with Server(**environ) as server:
            server.until_ready()
            assert KRISTIN.id not in listed(server)
            answer = spoken(server)
            assert answer.status_code == 200, answer.text
            assert answer.headers["x-voiceforge-voice"] == KRISTIN.id
            assert word_error_rate(transcribed(answer.content, 24_000), TEXT) <= 0.15
            assert KRISTIN.id in listed(server)
            preview = httpx.get(f"{server.url}/v1/voices/{KRISTIN.id}/preview", timeout=60)
            assert preview.status_code == 200


def test_a_server_that_fetches_nothing_says_what_to_do_and_that_helps(root: Path) -> None:
    environ = {"VOICEFORGE_MODELS": str(root), "VOICEFORGE_SPEECH__FETCH_VOICES": "false"}
    with VoiceHub() as hub:
        publish(hub)
        environ["VOICEFORGE_HUB"] = hub.url
        with Server(**environ) as server:
            server.until_ready()
            refused = spoken(server)
            assert refused.status_code == 400
            assert f"voiceforge voices pull {KRISTIN.id}" in refused.json()["error"]["message"]
            assert hub.asked == []
        pulled = voiceforge("voices", "pull", KRISTIN.id, timeout_s=60, **environ)
        assert pulled.status == 0, pulled.err
        assert "ready in" in pulled.err
    with Server(**environ) as server:
        server.until_ready()
        assert word_error_rate(transcribed(spoken(server).content, 24_000), TEXT) <= 0.15
