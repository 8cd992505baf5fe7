"""Calls, by a client on another stack: how they begin, go on, and end."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine import frames
from engine.errors import RequestError
from engine.items import Message
from tests.peers.sound import transcribed, word_error_rate
from tests.transports.test_websocket import Registry, until
from tests.transports.webrtc.client import Client
from tests.transports.webrtc.speech import TEXT, speech
from transports.handshake import Refused
from transports.visits import Visits
from transports.webrtc import calls as module
from transports.webrtc import peer, stack
from transports.webrtc.calls import Calls
from transports.webrtc.ice import Reach

HERE = Reach(addresses=("127.0.0.1",))

ITEM = Message("item_a", "assistant", (), "in_progress")

FRAME_BYTES = 960

PER_S = 32_000

ALERT = b"\x15\xfe\xfd" + bytes(8) + b"\0\2\2\x28"
"""Of DTLS, in plain text: the handshake has failed."""


class Office:
    """A server's calls, and the clients that make them."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.calls = Calls(HERE)
        self.clients: list[Client] = []

    async def call(self, client: Client, session: Any = None, **query: str) -> str:
        """The session's id; the client connects."""
        self.clients.append(client)
        visits = Visits(self.registry)
        offer = await client.offer()
        answer, session_id, _ = await self.calls.begin(offer, visits, query, session)
        await client.take(answer)
        return session_id

    def session(self, number: int = 0) -> Any:
        return self.registry.session(number)

    async def close(self) -> None:
        for client in self.clients:
            await client.close()
        await self.calls.closed(0)


@pytest.fixture
async def office(new_client: Any) -> AsyncIterator[Office]:
    office = Office(Registry(type(new_client().session)))
    yield office
    await office.close()


async def say(session: Any, pcm: bytes) -> None:
    """Speech of the agent, as playout paces it."""
    session.say(
        frames.ResponseStarted("resp_1", 1, "audio", True, {}),
        frames.ReplyItemStarted("resp_1", 0, ITEM, None),
    )
    for at in range(0, len(pcm), FRAME_BYTES):
        session.say(frames.ReplyAudio("resp_1", "item_a", 0, pcm[at : at + FRAME_BYTES], 24_000))
        await asyncio.sleep(0.0199)


@pytest.mark.models
async def test_speech_and_events_go_both_ways(office: Office) -> None:
    client = Client(speech(48_000))
    session_id = await office.call(client)
    created = await client.told("session.created")
    assert created["session"]["id"] == session_id
    session = office.session()
    client.ask(type="response.create")
    await until(lambda: session.calls[-1][0] == "respond")
    await say(session, speech(24_000))
    await asyncio.sleep(0.5)
    for heard, rate_hz in ((session.heard, 16_000), (bytes(client.heard), 48_000)):
        assert word_error_rate(transcribed(heard, rate_hz), TEXT) <= 0.2
    kinds = [event["type"] for event in client.events]
    assert "response.content_part.added" in kinds
    assert "response.output_audio.delta" not in kinds


async def test_who_says_goodbye_ends_the_session(office: Office) -> None:
    client = Client()
    session_id = await office.call(client)
    await client.told("session.created")
    await client.close()
    await until(lambda: office.registry.gone == [(session_id, True)])
    await until(lambda: len(office.calls) == 0)


async def test_who_vanishes_may_come_back_and_goes_on(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "GONE_S", 0.5)
    monkeypatch.setattr(peer, "LOOK_S", 0.1)
    client = Client()
    session_id = await office.call(client)
    token = (await client.told("session.created"))["session"]["voiceforge"]["resume"]
    await until(lambda: len(office.session().heard) > 1000)
    await client.vanish()
    await until(lambda: office.registry.gone == [(session_id, False)])
    again = Client()
    assert await office.call(again, session_id=session_id, resume=token) == session_id
    assert (await again.told("session.created"))["session"]["id"] == session_id
    await until(lambda: office.session().calls[-1][0] == "attach")


async def test_who_has_vanished_is_taken_to_have_heard_nothing_since(office: Office) -> None:
    client = Client()
    await office.call(client)
    await until(lambda: len(office.session().heard) > 1000)
    [call] = office.calls._open.values()
    before_ms = call.peer.delay_ms
    assert before_ms < 500
    await client.vanish()
    await asyncio.sleep(2)
    assert 1500 < call.peer.delay_ms - before_ms < 3000


async def test_a_call_that_takes_over_ends_the_one_before(office: Office) -> None:
    client, other = Client(), Client()
    session_id = await office.call(client)
    token = (await client.told("session.created"))["session"]["voiceforge"]["resume"]
    await office.call(other, session_id=session_id, resume=token)
    await other.told("session.created")
    session = office.session()
    await until(lambda: len(session.heard) > PER_S)
    before, began = len(session.heard), time.monotonic()
    await asyncio.sleep(2)  # of the one that was left nothing is heard, not even that it is silent
    assert len(session.heard) - before < 1.3 * PER_S * (time.monotonic() - began)
    async with asyncio.timeout(10):
        await client.ended.wait()
    assert office.registry.gone == []


async def test_a_return_that_fails_takes_nothing_from_the_one_that_does_not(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CONNECT_S", 1.0)
    client, lost, back = Client(), Client(), Client()
    session_id = await office.call(client)
    token = (await client.told("session.created"))["session"]["voiceforge"]["resume"]
    query = {"session_id": session_id, "resume": token}
    office.clients.append(lost)
    await office.calls.begin(await lost.offer(), Visits(office.registry), query)
    assert office.registry.back == []
    await office.call(back, **query)
    await back.told("session.created")
    await asyncio.sleep(1.5)
    assert len(office.calls) == 1
    assert (office.registry.back, office.registry.gone) == ([session_id], [])


async def test_who_returns_to_what_has_ended_meanwhile_is_told(office: Office) -> None:
    client, back = Client(), Client()
    session_id = await office.call(client)
    token = (await client.told("session.created"))["session"]["voiceforge"]["resume"]
    office.clients.append(back)
    query = {"session_id": session_id, "resume": token}
    answer, _, _ = await office.calls.begin(await back.offer(), Visits(office.registry), query)
    office.session().say(frames.SessionEnded("too_long", "it was long enough"))
    await back.take(answer)
    assert (await back.told("error"))["error"]["code"] == "session_not_found"


async def test_a_bug_of_ours_while_a_client_connects_leaves_nothing_behind(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(self: peer.Peer) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(peer.Peer, "connect", fails)
    session_id = await office.call(Client())
    await until(lambda: len(office.calls) == 0)
    assert office.registry.gone == [(session_id, True)]


async def test_a_token_that_is_none_is_told_and_leaves_nothing_behind(office: Office) -> None:
    with pytest.raises(RequestError, match="no session waits"):
        await office.call(Client(), session_id="sess_0", resume="guess")
    assert len(office.calls) == 0


async def test_a_session_is_as_the_offer_has_it(office: Office) -> None:
    client = Client()
    await office.call(client, {"type": "realtime", "instructions": "Sell bread."})
    assert (await client.told("session.created"))["session"]["instructions"] == "Sell bread."
    with pytest.raises(RequestError, match="temperature"):
        await office.call(Client(), {"type": "realtime", "temperature": "hot"})
    assert len(office.calls) == 1


async def test_the_end_of_a_session_is_told_before_its_call_ends(office: Office) -> None:
    client = Client()
    await office.call(client)
    await client.told("session.created")
    office.session().say(frames.SessionEnded("hung_up", "somebody hung up"))
    assert (await client.told("voiceforge.session.ended"))["reason"] == "hung_up"
    async with asyncio.timeout(10):
        await client.ended.wait()


async def test_the_end_is_told_though_its_packet_is_lost(office: Office) -> None:
    client = Client()
    await office.call(client)
    await client.told("session.created")
    [call] = office.calls._open.values()
    await until(lambda: call.peer._sctp is not None and not call.peer._sctp._sent_queue)
    line = call.peer._ice
    send, lost = line._send, asyncio.Event()

    async def losing(data: bytes) -> None:
        if lost.is_set():
            await send(data)
        lost.set()

    line._send = losing
    office.session().say(frames.SessionEnded("hung_up", "somebody hung up"))
    assert (await client.told("voiceforge.session.ended"))["reason"] == "hung_up"
    assert lost.is_set()


async def test_callers_who_do_not_come_are_few_and_soon_forgotten(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_CONNECTING", 3)
    monkeypatch.setattr(module, "CONNECT_S", 0.5)
    nobody = Client()
    office.clients.append(nobody)
    offer = await nobody.offer()
    visits = Visits(office.registry)
    begun, refused = 0, 0
    for _ in range(1000):
        try:
            await office.calls.begin(offer, visits, {})
            begun += 1
        except Refused:
            refused += 1
    assert refused > 900
    await until(lambda: len(office.calls) == 0)
    assert office.registry.gone == [(f"sess_{number}", True) for number in range(begun)]
    assert begun >= 3


async def test_one_key_s_offers_leave_room_for_others(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_CONNECTING_EACH", 2)
    nobody = Client()
    office.clients.append(nobody)
    offer = await nobody.offer()
    visits = Visits(office.registry)
    for _ in range(2):
        await office.calls.begin(offer, visits, {}, who="key_a")
    with pytest.raises(Refused, match="2 callers of this key") as refused:
        await office.calls.begin(offer, visits, {}, who="key_a")
    assert (refused.value.status, refused.value.code) == (429, "too_many_offers")
    await office.calls.begin(offer, visits, {}, who="key_b")
    assert len(office.calls) == 3


async def test_a_call_that_nobody_has_room_for_leaves_nothing_behind(office: Office) -> None:
    office.registry.full = True
    with pytest.raises(Refused):
        await office.call(Client())
    assert len(office.calls) == 0


async def test_no_offer_is_refused(office: Office) -> None:
    with pytest.raises(RequestError) as refused:
        await office.calls.begin("hello", Visits(office.registry), {})
    assert refused.value.code == "invalid_offer"


async def test_an_event_that_the_client_cannot_take_is_named(office: Office) -> None:
    client = Client()
    await office.call(client)
    await client.told("session.created")
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a" * 9}]}
    client.ask(type="conversation.item.create", item=item)
    await client.told("conversation.item.added")
    lease = office.registry.leases["sess_0"]
    monstrous = json.dumps({"type": "huge", "text": "x" * 300_000})
    lease.transport._audience.tell_client(monstrous)  # type: ignore[attr-defined]
    error = (await client.told("error"))["error"]
    assert error["code"] == "event_too_large"


async def test_bad_events_are_told_and_the_call_goes_on(office: Office) -> None:
    client = Client()
    await office.call(client)
    await client.told("session.created")
    for message in ("no json", "{}", json.dumps({"type": "nothing.known"}), b"\xff\xfe"):
        assert client.channel is not None
        client.channel.send(message)
    client.ask(type="response.create")
    await until(lambda: any(call == "respond" for call, _ in office.session().calls))
    await until(lambda: sum(event["type"] == "error" for event in client.events) == 4)


async def test_who_floods_is_disconnected(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "MOST_EVENTS", 20)
    client = Client()
    session_id = await office.call(client)
    await client.told("session.created")
    for _ in range(3000):
        client.ask(type="response.cancel")
    await until(lambda: office.registry.gone == [(session_id, False)])


async def test_who_sends_more_than_can_be_kept_is_disconnected(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "MOST_BYTES", 2000)
    client = Client()
    session_id = await office.call(client)
    await client.told("session.created")
    client.ask(type="response.create", response={"instructions": "x" * 1500})
    await until(lambda: office.session().calls[-1][0] == "respond")
    assert office.registry.gone == []
    client.ask(type="response.create", response={"instructions": "x" * 2000})
    await until(lambda: office.registry.gone == [(session_id, False)])


@pytest.mark.parametrize("size", [2001, 3_000_000])
async def test_an_event_that_is_too_large_ends_the_call_and_says_so(
    office: Office, size: int
) -> None:
    """As over the WebSocket; the session may be gone on with."""
    office.calls = Calls(HERE, max_event_bytes=2000)
    client = Client()
    session_id = await office.call(client)
    await client.told("session.created")
    assert client.connection.sctp is not None
    assert client.connection.sctp._remote_max_message_size == 2000
    client.connection.sctp._remote_max_message_size = 0  # as a client that does not care
    assert client.channel is not None
    client.channel.send("x" * size)
    assert (await client.told("error"))["error"]["code"] == "event_too_large"
    async with asyncio.timeout(10):
        await client.ended.wait()
    assert office.registry.gone == [(session_id, False)]


async def test_a_call_without_events_is_one(office: Office) -> None:
    client = Client(speech(48_000), events=False)
    await office.call(client)
    await until(lambda: len(office.session().heard) > 16_000)


async def test_strangers_spoil_no_call(office: Office) -> None:
    """Whoever knows the port, while keys are agreed on and later: alerts of DTLS, SRTP that is not
    theirs, RTCP, checks of nobody.
    """
    packets = (ALERT, b"\x80" + bytes(40), b"\x80\xc8" + bytes(40), b"\x80", b"\0\1" + bytes(18))

    async def disturb(stranger: socket.socket) -> None:
        while True:
            for data in packets:
                stranger.send(data)
            await asyncio.sleep(0.002)

    client = Client(speech(48_000))
    begun = asyncio.create_task(office.call(client))
    await until(lambda: len(office.calls) == 1)
    [call] = office.calls._open.values()
    [way] = call.peer._way._protocols
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.connect(way.transport.get_extra_info("sockname"))
        disturbing = asyncio.create_task(disturb(stranger))
        await begun
        await client.told("session.created")
        before = len(office.session().heard)
        await until(lambda: len(office.session().heard) > before + 16_000)
        disturbing.cancel()
    assert len(office.calls) == 1


def test_no_library_of_the_media_stack_is_loaded() -> None:
    """In a process of its own: this one has all of aiortc for its client."""
    import subprocess
    import sys

    look = "import server.gateway; print('x264' in open('/proc/self/maps').read())"
    told = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"


def test_our_copy_of_the_stack_is_nobody_else_s() -> None:
    import aiortc.rtcdtlstransport

    assert aiortc.rtcdtlstransport is not stack.rtcdtlstransport
