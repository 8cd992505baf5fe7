"""What a gateway remembers of keys."""

import asyncio
from datetime import UTC, datetime

import pytest

from server.access.caller import Caller
from server.access.keyring import FRESH_S, MOST, STALE_S, Keyring, Known
from storage.accounts import Limits
from storage.errors import Unavailable
from storage.keys import Key, hashed
from tests.server.access.test_guesses import Clock

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def known(key_id: str = "key_1", good_for_s: float = float("inf")) -> Known:
    key = Key(
        key_id, "acc_1", "shop", "vf_abcd", ("realtime",), (), (), Limits(), NOW, None, None, None
    )
    return Known(key, Caller("acc_1", key_id, ("realtime",)), good_for_s)


class Records:
    """A database of keys, and a keyring over it."""

    def __init__(self) -> None:
        self.keys = {hashed("vf_one"): known()}
        self.away = False
        self.asked: list[bool] = []
        self.answer = asyncio.Event()
        self.answer.set()
        self.clock = Clock()
        self.ring = Keyring(self._look, self.clock)

    async def _look(self, hash_: bytes, secret: bool) -> Known | None:
        self.asked.append(secret)
        found = self.keys.get(hash_)
        await self.answer.wait()
        if self.away:
            raise Unavailable("it is away")
        return found


async def test_a_key_is_looked_up_once_in_five_seconds() -> None:
    records = Records()
    for _ in range(10):
        assert await records.ring.find("vf_one") == known()
        records.clock.now += FRESH_S / 11
    assert records.ring.remembered("vf_one") is not None
    records.clock.now += FRESH_S
    assert records.ring.remembered("vf_one") is None


async def test_one_that_is_not_there_is_never_remembered() -> None:
    records = Records()
    for _ in range(3):
        assert await records.ring.find("vf_none") is None
    assert len(records.asked) == 3
    records.keys[hashed("vf_none")] = known("key_2")
    assert await records.ring.find("vf_none") is not None


async def test_a_client_secret_is_told_by_its_first_letters() -> None:
    records = Records()
    await records.ring.find("vf_one")
    await records.ring.find("ek_one")
    assert records.asked == [False, True]


async def test_its_end_is_kept_by_a_clock_that_nobody_sets() -> None:
    records = Records()
    records.keys[hashed("vf_one")] = known(good_for_s=2.0)
    await records.ring.find("vf_one")
    records.clock.now += 1.9
    assert records.ring.remembered("vf_one") is not None
    records.clock.now += 0.2
    assert records.ring.remembered("vf_one") is None


async def test_while_the_database_is_away_known_keys_go_on_for_an_hour() -> None:
    records = Records()
    await records.ring.find("vf_one")
    records.away = True
    records.clock.now += STALE_S - FRESH_S - 1
    assert records.ring.remembered("vf_one") is None
    assert await records.ring.find("vf_one") == known()
    assert records.ring.remembered("vf_one") == known()  # and nobody waits for a while
    with pytest.raises(Unavailable):
        await records.ring.find("vf_other")
    records.clock.now += FRESH_S + 2
    assert records.ring.remembered("vf_one") is None
    with pytest.raises(Unavailable):
        await records.ring.find("vf_one")


async def test_but_not_beyond_their_own_end() -> None:
    records = Records()
    records.keys[hashed("vf_one")] = known(good_for_s=60)
    await records.ring.find("vf_one")
    records.away = True
    records.clock.now += 61
    with pytest.raises(Unavailable):
        await records.ring.find("vf_one")


async def test_one_that_is_revoked_is_forgotten_though_a_look_was_on_its_way() -> None:
    records = Records()
    await records.ring.find("vf_one")
    records.clock.now += FRESH_S + 1
    records.answer.clear()
    looking = asyncio.create_task(records.ring.find("vf_one"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    records.ring.forget(["key_1"])
    del records.keys[hashed("vf_one")]
    late = asyncio.create_task(records.ring.find("vf_one"))
    await asyncio.sleep(0)
    records.answer.set()
    assert await looking == known()  # it was asked before
    assert await late is None
    assert records.ring.remembered("vf_one") is None


async def test_those_who_ask_at_the_same_time_share_the_answer_though_one_leaves() -> None:
    records = Records()
    records.answer.clear()
    asking = [asyncio.create_task(records.ring.find("vf_one")) for _ in range(20)]
    await asyncio.sleep(0.01)
    asking[0].cancel()
    records.answer.set()
    assert await asyncio.gather(*asking[1:]) == [known()] * 19
    assert len(records.asked) == 1


async def test_one_that_has_ended_is_told_and_not_remembered() -> None:
    records = Records()
    records.keys[hashed("vf_one")] = known(good_for_s=-1)
    for _ in range(2):
        found = await records.ring.find("vf_one")
        assert found is not None
        assert found.good_for_s == -1
    assert len(records.asked) == 2
    assert not records.ring.seen("vf_one")


async def test_so_many_are_remembered_and_no_more() -> None:
    records = Records()
    for number in range(MOST + 10):
        records.keys[hashed(f"vf_{number}")] = known(f"key_{number}")
        await records.ring.find(f"vf_{number}")
    assert records.ring.remembered("vf_0") is None
    assert records.ring.remembered(f"vf_{MOST + 9}") is not None
    assert len(records.ring._seen) == MOST
