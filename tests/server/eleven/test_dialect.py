"""Each client hears no in its own words."""

import msgspec
import pytest

from server.access.denied import Denied, tell

THEIRS = {"detail": {"status": "expired", "message": "it is old"}}


async def told(path: str, **headers: str) -> object:
    """What a request is told that is denied before any route."""
    sent: list[bytes] = []

    async def receive() -> object:
        return {}

    async def send(message: object) -> None:
        assert isinstance(message, dict)
        sent.append(message.get("body", b""))

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "path": path, "headers": raw}
    await tell(Denied(401, "expired", "it is old"), scope, receive, send)  # type: ignore[arg-type]
    return msgspec.json.decode(b"".join(sent))


@pytest.mark.parametrize(
    "path",
    [
        "/v1/pronunciation-dictionaries",
        "/v1/pronunciation-dictionaries/add-from-rules",
        "/v1/text-to-speech/joe",
        "/v1/text-to-speech/joe/stream/with-timestamps",
        "/v1/speech-to-text",
        "/v1/voices",
        "/v1/voices/joe",
        "/v1/voices/a\nb",
        "/v2/voices",
        "/v1/user",
        "/v1/user/subscription",
    ],
)
async def test_routes_that_only_elevenlabs_has_say_it_in_its_shape(path: str) -> None:
    assert await told(path) == THEIRS
    assert await told(path, authorization="Bearer vf_1") == THEIRS


@pytest.mark.parametrize("path", ["/v1/models", "/v1/usage", "/v1/audio/speech"])
async def test_all_others_say_it_as_the_key_came(path: str) -> None:
    assert await told(path, xi_api_key="vf_1") == THEIRS
    for headers in ({}, {"authorization": "Bearer vf_1", "xi_api_key": "vf_1"}):
        answer = await told(path, **headers)
        assert isinstance(answer, dict)
        assert answer["error"]["code"] == "expired"
