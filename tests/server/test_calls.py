"""Calls of a whole server with two gateways, by a client on aiortc."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from tests.server.program import Server
from tests.transports.webrtc.client import Client
from tests.transports.webrtc.speech import speech

pytestmark = [pytest.mark.models]

SDP = "application/sdp"

OFFER = (Path(__file__).parents[1] / "data" / "offers" / "chromium_150.sdp").read_bytes()

TURN = "turn:127.0.0.1:3478"

QUESTION = {
    "type": "message",
    "role": "user",
    "content": [{"type": "input_text", "text": "What is the capital of France?"}],
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    environ = {
        "VOICEFORGE_GATEWAYS": "2",
        "VOICEFORGE_WEBRTC__ADDRESSES": "127.0.0.1",
        "VOICEFORGE_WEBRTC__PORTS": "42000-42999",
        "VOICEFORGE_WEBRTC__TURN": TURN,
        "VOICEFORGE_WEBRTC__TURN_SECRET": "north",
    }
    with Server(**environ) as server:
        yield server.until_ready()


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    client = Client(speech(48_000))
    yield client
    await client.close()


def post(
    server: Server, body: bytes, kind: str = SDP, query: str = "", key: str | None = None
) -> tuple[int, dict[str, str], str]:
    """Status, headers and text of the answer to an offer."""
    headers = {"content-type": kind}
    if key != "":
        headers["authorization"] = f"Bearer {key or server.key}"
    url = f"{server.url}/v1/realtime/calls{query}"
    request = urllib.request.Request(url, body, headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, lowered(answer.headers), answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, lowered(refused.headers), refused.read().decode()


def lowered(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


async def call(server: Server, client: Client, query: str = "", key: str | None = None) -> str:
    """The session's id."""
    offer = (await client.offer()).encode()
    status, headers, text = await asyncio.to_thread(post, server, offer, SDP, query, key)
    assert status == 201, text
    assert headers["content-type"] == SDP
    await client.take(text)
    session_id = (await client.told("session.created"))["session"]["id"]
    assert headers["location"] == f"/v1/realtime/calls/{session_id}"
    return str(session_id)


async def test_a_call_comes_to_the_ports_that_it_may(server: Server, client: Client) -> None:
    await call(server, client)
    answer = client.connection.remoteDescription.sdp
    [candidate] = {line for line in answer.splitlines() if line.startswith("a=candidate")}
    assert candidate.split()[4] == "127.0.0.1"
    assert 42_000 <= int(candidate.split()[5]) <= 42_999


async def test_a_spoken_question_is_answered(server: Server, client: Client) -> None:
    await call(server, client)
    done = await client.told("response.done")
    assert done["response"]["status"] == "completed"
    await client.told("output_audio_buffer.stopped")
    assert client.loudness() > 3000


async def test_events_out_of_order_are_told_each_and_the_call_goes_on(server: Server) -> None:
    """On the data channel: the end of things that have not begun, and answers to nothing."""
    client = Client()
    wrong: list[dict[str, Any]] = [
        {"type": "response.cancel"},
        {"type": "input_audio_buffer.commit"},
        {
            "type": "conversation.item.truncate",
            "item_id": "a",
            "content_index": 0,
            "audio_end_ms": 9,
        },
        {"type": "conversation.item.delete", "item_id": "a"},
        {"type": "conversation.item.retrieve", "item_id": "a"},
        {"type": "conversation.item.create", "previous_item_id": "a", "item": QUESTION},
    ]
    try:
        await call(server, client)
        for number, event in enumerate(wrong):
            client.ask(event_id=str(number), **event)
        client.ask(type="output_audio_buffer.clear")  # of nothing: nothing happens
        client.ask(type="conversation.item.create", item=QUESTION)
        client.ask(type="response.create", response={"output_modalities": ["text"]})
        done = await client.told("response.done")
        assert done["response"]["status"] == "completed"
        told = [event["error"] for event in client.events if event["type"] == "error"]
        assert [error["event_id"] for error in told] == [str(n) for n in range(len(wrong))]
    finally:
        await client.close()


async def test_calls_are_spread_and_come_back_from_the_other_gateway(server: Server) -> None:
    clients = [Client() for _ in range(4)]
    try:
        sessions = [await call(server, one) for one in clients]
        assert {session.split("_")[1] for session in sessions} == {"0", "1"}
        for one, session in list(zip(clients, sessions, strict=True)):
            created = await one.told("session.created")
            token = created["session"]["voiceforge"]["resume"]
            again = Client()
            clients.append(again)
            assert await call(server, again, f"?session_id={session}&resume={token}") == session
    finally:
        for one in clients:
            await one.close()


async def test_a_websocket_s_session_goes_on_as_a_call_and_back(
    server: Server, client: Client
) -> None:
    address = server.url.replace("http", "ws") + "/v1/realtime"
    headers = {"authorization": f"Bearer {server.key}"}
    async with connect(f"{address}?model=gpt-realtime", additional_headers=headers) as socket:
        created = json.loads(await socket.recv())["session"]
        query = f"?session_id={created['id']}&resume={created['voiceforge']['resume']}"
        assert await call(server, client, query) == created["id"]
        await client.told("output_audio_buffer.stopped")
        assert client.loudness() > 3000
    async with connect(f"{address}{query}", additional_headers=headers) as socket:
        assert json.loads(await socket.recv())["session"]["id"] == created["id"]
        async with asyncio.timeout(10):
            await client.ended.wait()


async def test_a_revoked_key_ends_its_calls(server: Server, client: Client) -> None:
    status, text = server.ask("GET", "/v1/admin/accounts")
    account = json.loads(text)["data"][0]["id"]
    wanted = {"account_id": account, "name": "caller", "scopes": ["realtime"]}
    status, text = server.ask("POST", "/v1/admin/keys", wanted)
    assert status == 201, text
    made = json.loads(text)
    await call(server, client, key=made["secret"])
    status, text = server.ask("POST", f"/v1/admin/keys/{made['key']['id']}/revoke")
    assert status < 300, text
    error = (await client.told("error"))["error"]
    assert error["code"] == "key_revoked"
    async with asyncio.timeout(10):
        await client.ended.wait()


async def test_a_form_may_hold_the_session(server: Server, client: Client) -> None:
    offer = await client.offer()
    session = json.dumps({"type": "realtime", "instructions": "Sell bread."})
    parts = {"sdp": offer, "session": session}
    body = "".join(
        f'--x\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in parts.items()
    )
    kind = "multipart/form-data; boundary=x"
    status, _, text = await asyncio.to_thread(post, server, f"{body}--x--\r\n".encode(), kind)
    assert status == 201, text
    await client.take(text)
    created = await client.told("session.created")
    assert created["session"]["instructions"] == "Sell bread."


@pytest.mark.parametrize(
    ("body", "kind", "key", "status", "told"),
    [
        (b"v=0", SDP, "", 401, "needs an API key"),
        (b"v=0", SDP, "vf_wrong", 401, "no such key"),
        (b"", SDP, None, 400, "no SDP"),
        (b"\xff\xfe", SDP, None, 400, "no text"),
        (b"v=0", "text/plain", None, 400, "send the offer as application/sdp"),
        (b"v=0", "multipart/form-data; boundary=x", None, 400, "the form cannot be read"),
        (b"--x--\r\n", "multipart/form-data; boundary=x", None, 400, "no offer"),
        (
            b'--x\r\ncontent-disposition: form-data; name="sdp"\r\n\r\nv=0\r\n--x\r\n'
            b'content-disposition: form-data; name="session"\r\n\r\n[]\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
            None,
            400,
            "session: no JSON object",
        ),
        (b"v=0" + bytes(2_000_000), SDP, None, 413, ""),
    ],
)
def test_what_is_no_offer_is_told(
    server: Server, body: bytes, kind: str, key: str | None, status: int, told: str
) -> None:
    got, _, text = post(server, body, kind, key=key)
    assert (got, told in text) == (status, True), text


def test_a_session_that_is_not_here_is_told(server: Server) -> None:
    for owner in ("0", "1", "7"):
        query = f"?session_id=sess_{owner}_gone&resume=guess"
        status, _, text = post(server, OFFER, query=query)
        assert (status, json.loads(text)["error"]["code"]) == (400, "session_not_found"), text


def test_a_relay_is_named_with_credentials_of_the_key(server: Server) -> None:
    status, text = server.ask("GET", "/v1/realtime/ice_servers")
    [told] = json.loads(text)["ice_servers"]
    assert (status, told["urls"]) == (200, [TURN])
    assert told["username"].split(":")[1].startswith("key_")
    assert "north" not in text
