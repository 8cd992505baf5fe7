"""Recordings as the routes give them, with a key and with a link. Behind the real guard."""

import io
import wave
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
import pytest

from server.recording import wav
from storage import accounts, keys, records
from storage.keys import Terms
from storage.records import Changes
from storage.sessions import Session
from tests.server.access.test_routes import Site, site
from tests.storage.conftest import database, embedded, url

__all__ = ["database", "embedded", "site", "url"]

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
SOUND = bytes(range(256)) * 500 * wav.FRAME
ROUTE = "/v1/sessions/over/recording"


class Desk:
    """A baker's sessions: one over, one open, one not recorded; and a stranger."""

    def __init__(self, site: Site, account: str) -> None:
        self.site = site
        self.account = account

    async def get(self, path: str, key: str = "baker", method: str = "GET") -> httpx.Response:
        headers = {"authorization": f"Bearer {self.site.keys[key]}"} if key else {}
        body: Any = None if method == "GET" else {"format": "wav", "seconds": 60}
        return await self.site.client.request(method, path, headers=headers, json=body)

    async def link(self, **body: Any) -> tuple[int, Any]:
        return await self.site.ask("POST", f"{ROUTE}/link", body, key="baker")


@pytest.fixture
async def desk(site: Site) -> Desk:
    owned = {}
    for name in ("baker", "miller"):
        account = await site.database.once(partial(accounts.create, name=name))
        terms = Terms(("records",))
        owned[name], site.keys[name] = await site.database.once(
            partial(keys.create, account_id=account.id, name="reader", terms=terms)
        )
    baker = owned["baker"].account_id
    told = (baker, "k", "websocket", "w", NOON)
    sessions = (
        Session("over", *told, ended_at=NOON, end_reason="client_left", recorded=True),
        Session("open", *told, recorded=True),
        Session("unrecorded", *told, ended_at=NOON, end_reason="client_left"),
    )
    await site.database.once(lambda c: records.write(c, "w", 1, Changes(sessions)))
    site.recordings.make_room(baker)
    for name in ("over", "open"):
        body = wav.header(0) + SOUND + b"torn"[: 3 if name == "open" else 0]
        site.recordings.wav(baker, name).write_bytes(body)
    return Desk(site, baker)


def heard(answer: httpx.Response) -> bytes:
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["content-length"]) == len(answer.content)
    with wave.open(io.BytesIO(answer.content)) as file:
        sound: bytes = file.readframes(file.getnframes())
    return sound


async def test_a_link_needs_no_more_than_a_recording(desk: Desk) -> None:
    headers = {"authorization": f"Bearer {desk.site.keys['baker']}"}
    made = await desk.site.client.post(f"{ROUTE}/link", headers=headers)
    assert made.status_code == 201, made.text
    assert heard(await desk.get(made.json()["url"], "")) == SOUND


async def test_a_recording_is_given_whole_whatever_its_header_says(desk: Desk) -> None:
    answer = await desk.get(ROUTE)
    assert heard(answer) == SOUND
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["content-disposition"] == 'attachment; filename="over.wav"'
    assert heard(await desk.get("/v1/sessions/open/recording?format=wav")) == SOUND
    assert heard(await desk.get(ROUTE, "admin")) == SOUND


async def test_it_is_given_as_opus_when_it_is_over(desk: Desk) -> None:
    for _ in range(2):  # the second time it is kept
        answer = await desk.get(f"{ROUTE}?format=opus")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/ogg")
        assert answer.content.startswith(b"OggS")
        assert desk.site.recordings.ogg(desk.account, "over").read_bytes() == answer.content
    answer = await desk.get("/v1/sessions/open/recording?format=opus")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "session_open")


@pytest.mark.parametrize("form", ["wav", "opus"])
async def test_a_player_jumps_about_in_it(desk: Desk, form: str) -> None:
    _, made = await desk.link(format=form)
    whole = (await desk.get(made["url"], "")).content
    size = len(whole)
    for asked, begin, end in (
        ("bytes=0-", 0, size),
        ("bytes=20-99", 20, 100),
        ("bytes=44-44", 44, 45),
        ("bytes=-7", size - 7, size),
        (f"bytes={size - 3}-{size + 9}", size - 3, size),
    ):
        answer = await desk.site.client.get(made["url"], headers={"range": asked})
        assert (answer.status_code, answer.content) == (206, whole[begin:end]), asked
        assert answer.headers["content-range"] == f"bytes {begin}-{end - 1}/{size}"
        assert int(answer.headers["content-length"]) == end - begin
    beyond = await desk.site.client.get(made["url"], headers={"range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    assert beyond.json()["error"]["code"] == "range_not_satisfiable"
    for headers in (
        {b"range": b"bytes=9-1"},
        {b"range": b"bytes=0-1,3-4"},
        {b"range": b"\xff"},
        {b"range": b"bytes=0-1", b"if-range": b'"x"'},
    ):
        answer = await desk.site.client.get(made["url"], headers=headers)
        assert (answer.status_code, answer.content) == (200, whole), headers
        assert answer.headers["accept-ranges"] == "bytes"


async def test_what_still_grows_is_given_whole(desk: Desk) -> None:
    headers = {"authorization": f"Bearer {desk.site.keys['baker']}", "range": "bytes=0-9"}
    answer = await desk.site.client.get("/v1/sessions/open/recording", headers=headers)
    assert heard(answer) == SOUND
    assert answer.headers["accept-ranges"] == "none"


async def test_a_stranger_hears_nothing(desk: Desk) -> None:
    for method, path in (("GET", ROUTE), ("POST", f"{ROUTE}/link")):
        assert (await desk.get(path, "miller", method)).status_code == 404
        assert (await desk.get(path, "usage", method)).status_code == 403
        assert (await desk.get(path, "", method)).status_code == 401


async def test_what_was_not_recorded_is_told(desk: Desk) -> None:
    for method, path in (("GET", ""), ("POST", "/link")):
        answer = await desk.get(f"/v1/sessions/unrecorded/recording{path}", method=method)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_recorded")
    assert (await desk.get("/v1/sessions/none/recording")).status_code == 404
    assert (await desk.get(f"{ROUTE}?format=mp3")).status_code == 400


async def test_a_link_needs_no_key(desk: Desk) -> None:
    status, made = await desk.link()
    assert status == 201, made
    assert 290 < made["expires_at"] - datetime.now(UTC).timestamp() <= 300
    assert heard(await desk.get(made["url"], "")) == SOUND
    status, made = await desk.link(format="opus", seconds=1)
    assert (await desk.get(made["url"], "")).content.startswith(b"OggS")
    desk.site.links._wall = lambda: made["expires_at"]
    assert (await desk.get(made["url"], "")).status_code == 404
    for wrong in ("x", "x.y", made["url"].rpartition("/")[2] + "A"):
        assert (await desk.get(f"/v1/recordings/{wrong}", "")).status_code == 404
    for body in ({"seconds": 0}, {"seconds": 86_401}, {"format": "mp3"}, {"color": "red"}):
        assert (await desk.link(**body))[0] == 400


async def test_a_deleted_session_is_heard_no_more(desk: Desk) -> None:
    _, made = await desk.link()
    await desk.get(f"{ROUTE}?format=opus")
    assert (await desk.site.ask("DELETE", "/v1/sessions/over", key="baker"))[0] == 204
    assert [session for _, session in desk.site.recordings.kept()] == ["open"]
    assert (await desk.get(made["url"], "")).status_code == 404


async def test_a_deleted_accounts_recordings_are_gone(desk: Desk) -> None:
    assert (await desk.site.ask("DELETE", f"/v1/admin/accounts/{desk.account}"))[0] == 204
    assert list(desk.site.recordings.kept()) == []
