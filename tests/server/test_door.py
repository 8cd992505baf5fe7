"""How a gateway asks for places, alone: the supervisor is a list of what it was asked."""

import asyncio

import pytest

from server.access.caller import OURSELVES, Caller
from server.asking import Asking
from server.control import Away, Enter, Leave, Owner, Refusal, ToSupervisor, Welcome
from server.door import PATIENCE_S, Place, SupervisedDoor
from storage.accounts import Limits
from tests.server.test_sessions import virtual
from transports.handshake import Refused


class Asked:
    """A door, what the supervisor was told, and why sessions were refused."""

    def __init__(self) -> None:
        self.told: list[ToSupervisor] = []
        self.reasons: list[str] = []
        self.line = Asking(self.told.append)
        self.door = SupervisedDoor(self.line, self.reasons.append)

    async def entering(self, caller: Caller = OURSELVES) -> "asyncio.Task[Place]":
        """Somebody who waits at the door."""
        task = asyncio.create_task(self.door.enter(caller))
        await asyncio.sleep(0)
        return task


@virtual
async def test_a_place_is_asked_for_marked_and_given_back_under_its_number() -> None:
    asking = Asked()
    first, second = await asking.entering(), await asking.entering()
    assert asking.told == [Enter(0), Enter(1)]
    asking.line.answered(Welcome(1))
    place = await second
    assert not first.done()
    place.mark(away=True)
    place.mark(away=False)
    place.give_back()
    assert asking.told[2:] == [Away(1, True), Away(1, False), Leave(1)]
    asking.line.answered(Welcome(0))
    await first


@virtual
async def test_a_no_says_why_and_when_to_ask_again() -> None:
    asking = Asked()
    waiting = await asking.entering()
    asking.line.answered(Refusal(0, "full", "3 sessions are open", 10))
    with pytest.raises(Refused, match="3 sessions are open") as refused:
        await waiting
    assert refused.value.retry_after_s == 10
    assert asking.reasons == ["full"]
    assert asking.told == [Enter(0)]  # there is nothing to give back


@virtual
async def test_a_client_that_goes_while_it_waits_leaves_no_place_behind() -> None:
    asking = Asked()
    waiting = await asking.entering()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert asking.told == [Enter(0), Leave(0)]
    asking.line.answered(Welcome(0))  # it was on its way


@virtual
async def test_an_answer_that_is_lost_is_a_no_and_leaves_no_place_behind() -> None:
    asking = Asked()
    waiting = await asking.entering()
    began = asyncio.get_running_loop().time()
    with pytest.raises(Refused):
        await waiting
    assert asyncio.get_running_loop().time() - began == pytest.approx(PATIENCE_S, abs=0.1)
    assert asking.told == [Enter(0), Leave(0)]
    assert asking.reasons == ["unanswered"]
    asking.line.answered(Welcome(0))  # too late
    again = await asking.entering()
    asking.line.answered(Welcome(1))
    await again


@virtual
async def test_an_answer_that_comes_twice_counts_once() -> None:
    asking = Asked()
    waiting = await asking.entering()
    asking.line.answered(Welcome(0))
    asking.line.answered(Refusal(0, "full", "no", 1))
    await waiting
    assert asking.reasons == []


@virtual
async def test_the_supervisor_is_told_whose_session_it_is_and_how_many_they_may_have() -> None:
    asking = Asked()
    limited = Limits(concurrent_sessions=3)
    await asking.entering(Caller("acc_1", "key_1", ("realtime",), account_limits=limited))
    assert asking.told == [Enter(0, (Owner("key_1", "acc_1"), Owner("acc_1", "acc_1", limited)))]


@virtual
async def test_who_has_enough_sessions_is_told_so_and_not_that_the_machine_is_full() -> None:
    asking = Asked()
    waiting = await asking.entering()
    asking.line.answered(Refusal(0, "session_limit", "acc_1 may have 3 sessions at once", 10))
    with pytest.raises(Refused) as refused:
        await waiting
    assert (refused.value.status, refused.value.code) == (429, "session_limit")
