"""Wrong keys and who must wait for them."""

import pytest

from server.access.guesses import AT_ONCE, EACH_S, MOST_ADDRESSES, Guesses


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_some_mistakes_cost_nothing_and_more_of_them_time() -> None:
    clock = Clock()
    guesses = Guesses(clock)
    for _ in range(AT_ONCE - 1):
        guesses.wrong("192.0.2.1")
        assert guesses.wait_s("192.0.2.1") == 0
    guesses.wrong("192.0.2.1")
    assert guesses.wait_s("192.0.2.1") == EACH_S
    assert guesses.wait_s("192.0.2.2") == 0
    clock.now += EACH_S
    assert guesses.wait_s("192.0.2.1") == 0
    guesses.wrong("192.0.2.1")
    assert guesses.wait_s("192.0.2.1") == EACH_S


def test_in_the_long_run_an_address_gets_one_guess_in_each_span() -> None:
    clock = Clock()
    guesses = Guesses(clock)
    tried = 0
    for _ in range(36_000):  # an hour of trying every 0.1 s
        if not guesses.wait_s("192.0.2.1"):
            guesses.wrong("192.0.2.1")
            tried += 1
        clock.now += 0.1
    assert tried <= AT_ONCE + 3600 / EACH_S + 1


def test_mistakes_are_forgotten() -> None:
    clock = Clock()
    guesses = Guesses(clock)
    for _ in range(AT_ONCE):
        guesses.wrong("192.0.2.1")
    clock.now += AT_ONCE * EACH_S
    for _ in range(AT_ONCE - 1):
        guesses.wrong("192.0.2.1")
    assert guesses.wait_s("192.0.2.1") == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "", True),
    ],
)
def test_an_ipv6_customer_has_one_count(one: str, other: str, same: bool) -> None:
    guesses = Guesses(Clock())
    for _ in range(AT_ONCE):
        guesses.wrong(one)
    assert bool(guesses.wait_s(other)) == same


def test_so_many_addresses_are_remembered_and_no_more() -> None:
    guesses = Guesses(Clock())
    for number in range(MOST_ADDRESSES + 50):
        guesses.wrong(f"2001:db8:{number:x}::1")
    assert len(guesses._paid_at) == MOST_ADDRESSES
