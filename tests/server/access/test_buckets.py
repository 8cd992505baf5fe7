"""Requests, counted by the supervisor and lent to gateways: none is lost, none is given twice."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.access.buckets import Buckets
from server.access.caller import Caller
from server.access.denied import Denied
from server.access.leases import Leases
from server.asking import Asking
from server.control import PutBack, Take, ToSupervisor
from storage.accounts import Limits
from tests.server.access.test_guesses import Clock


class Site:
    """Gateways and their supervisor on one clock; what it was asked is in `told`."""

    def __init__(self, gateways: int = 1) -> None:
        self.clock = Clock()
        self.buckets = Buckets(self.clock)
        self.told: list[ToSupervisor] = []
        self.deaf = False
        self.lines = [Asking(lambda m, i=i: self._hear(i, m)) for i in range(gateways)]  # type: ignore[misc]
        self.gateways = [Leases(line, self.clock) for line in self.lines]

    def _hear(self, index: int, message: Any) -> None:
        self.told.append(message)
        if isinstance(message, Take) and not self.deaf:
            loop = asyncio.get_running_loop()
            loop.call_soon(self.lines[index].answered, self.buckets.take(message))
        elif isinstance(message, PutBack):
            self.buckets.put_back(message.owner, message.count)

    async def served(self, caller: Caller, tries: int, gateway: int = 0) -> int:
        """How many of so many requests were."""
        count = 0
        for _ in range(tries):
            try:
                await self.gateways[gateway].take(caller)
                count += 1
            except Denied as denied:
                if denied.status != 429:
                    raise
        return count


def caller(key: int | None = None, account: int | None = None, name: str = "1") -> Caller:
    return Caller(
        "acc_1",
        f"key_{name}",
        ("realtime",),
        Limits(requests_per_minute=key),
        Limits(requests_per_minute=account),
    )


async def test_who_has_no_limit_asks_nobody() -> None:
    site = Site()
    assert await site.served(caller(), 100) == 100
    assert site.told == []
    assert await site.gateways[0].take(caller()) == {}


async def test_a_minutes_requests_are_there_at_once_and_then_come_evenly() -> None:
    site = Site()
    assert await site.served(caller(60), 100) == 60
    site.clock.now += 10
    assert await site.served(caller(60), 100) == 10
    site.clock.now += 3600
    assert await site.served(caller(60), 100) == 60


async def test_a_no_says_when_to_come_again_and_is_right() -> None:
    site = Site()
    await site.served(caller(6), 6)
    with pytest.raises(Denied, match="key_1 may make 6 requests a minute") as denied:
        await site.gateways[0].take(caller(6))
    assert denied.value.headers == {
        "retry-after": "10",
        "x-ratelimit-limit-requests": "6",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "60.0s",
    }
    asked = len(site.told)
    assert await site.served(caller(6), 50) == 0
    assert len(site.told) == asked  # until then the answer is known
    site.clock.now += 10
    assert await site.served(caller(6), 5) == 1


async def test_it_is_told_what_is_left() -> None:
    site = Site()
    left = []
    for _ in range(4):
        told = await site.gateways[0].take(caller(100))
        left.append(int(told["x-ratelimit-remaining-requests"]))
    assert left == [99, 98, 97, 96]
    assert told["x-ratelimit-limit-requests"] == "100"
    assert told["x-ratelimit-reset-requests"] == "2.4s"


async def test_most_requests_ask_nobody() -> None:
    site = Site()
    assert await site.served(caller(6000), 1000) == 1000
    assert len(site.told) == 1000 / 50


async def test_gateways_share_one_count() -> None:
    site = Site(3)
    served = [await site.served(caller(90), 45, gateway) for gateway in range(3)]
    assert served == [45, 42, 0]  # three of 48 are lent to the first still
    assert await site.served(caller(90), 45) == 3


async def test_what_was_lent_and_not_used_goes_back() -> None:
    site = Site(2)
    await site.served(caller(100), 1, 0)
    assert await site.served(caller(100), 200, 1) == 95  # five were lent to the other
    site.clock.now += 1.1
    site.gateways[0].return_idle()
    assert await site.served(caller(100), 200, 1) == 4 + 1  # and one has come since


async def test_a_key_and_its_account_are_both_counted() -> None:
    site = Site()
    assert await site.served(caller(10, 30, "1"), 20) == 10
    assert await site.served(caller(None, 30, "2"), 50) == 20
    site.clock.now += 2.1  # one more for the account, none yet for the key that has had its own
    assert await site.served(caller(10, 30, "1"), 5) == 0
    assert await site.served(caller(None, 30, "2"), 5) == 1


async def test_whom_the_account_refuses_the_key_does_not_count() -> None:
    site = Site()
    assert await site.served(caller(100, 5), 50) == 5
    site.clock.now += 0.1
    assert await site.served(caller(100, None), 200) == 95


async def test_with_a_new_limit_as_much_is_left_in_proportion() -> None:
    site = Site()
    assert await site.served(caller(6000), 4500) == 4500
    site.clock.now += 0.001
    assert await site.served(caller(60), 100) == 15
    with pytest.raises(Denied) as denied:
        await site.gateways[0].take(caller(60))
    assert denied.value.headers["retry-after"] == "1"
    site.clock.now += 30
    assert await site.served(caller(120), 200) == 60


async def test_many_at_once_share_an_answer() -> None:
    site = Site()
    told = await asyncio.gather(
        *(site.gateways[0].take(caller(60)) for _ in range(100)), return_exceptions=True
    )
    assert len([one for one in told if isinstance(one, dict)]) == 60
    assert len(site.told) == 60 / 3 + 1


async def test_a_supervisor_that_does_not_answer_is_a_503(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("server.access.leases.PATIENCE_S", 0.01)
    site = Site()
    site.deaf = True
    with pytest.raises(Denied) as denied:
        await site.gateways[0].take(caller(60))
    assert (denied.value.status, denied.value.code) == (503, "overloaded")
    assert denied.value.headers["retry-after"] == "5"
    began = asyncio.get_running_loop().time()
    told = await asyncio.gather(
        *(site.gateways[0].take(caller(60)) for _ in range(50)), return_exceptions=True
    )
    assert all(isinstance(one, Denied) for one in told)
    assert asyncio.get_running_loop().time() - began < 0.5  # they wait together
    assert len(site.told) == 2


async def test_what_is_lent_too_late_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.access.leases.PATIENCE_S", 0.01)
    site = Site()
    site.deaf = True
    with pytest.raises(Denied):
        await site.gateways[0].take(caller(60))
    (asked,) = site.told
    assert isinstance(asked, Take)
    site.lines[0].answered(site.buckets.take(asked))
    assert site.told[1:] == [PutBack("key_1", 3)]
    site.deaf = False
    assert await site.served(caller(60), 100) == 60


@given(
    limit=st.integers(1, 200),
    steps=st.lists(st.tuples(st.integers(0, 2), st.floats(0, 20), st.integers(0, 60)), max_size=20),
)
def test_never_more_than_allowed_whatever_the_gateways_do(
    limit: int, steps: list[tuple[int, float, int]]
) -> None:
    async def run() -> None:
        site = Site(3)
        began, served = site.clock.now, 0
        for gateway, pause_s, tries in steps:
            site.clock.now += pause_s
            for leases in site.gateways:
                leases.return_idle()
            served += await site.served(caller(limit), tries, gateway)
            assert served <= limit + (site.clock.now - began) * limit / 60 + 1e-6

    asyncio.run(run())
