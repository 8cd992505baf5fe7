"""Order out of disorder, at no cost where there is none."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transports.webrtc.jitter import FIRST_S, LEAST_S, MOST_AHEAD, MOST_S, JitterBuffer, Lost
from transports.webrtc.packet import Packet

FRAME_S = 0.02


def packet(number: int) -> Packet:
    return Packet(111, number % 65_536, number * 960 % 2**32, 1, b"speech")


def played(arrivals: list[tuple[float, int]]) -> list[tuple[float, int | Lost]]:
    """What is passed on, and when, of packets that come at these times."""
    buffer = JitterBuffer()
    passed: list[tuple[float, int | Lost]] = []

    def take(now: float) -> None:
        passed.extend(
            (now, piece if isinstance(piece, Lost) else piece.sequence)
            for piece in buffer.take(now)
        )

    for at, number in sorted(arrivals):
        while (due := buffer.due()) is not None and due <= at:
            take(due)
        buffer.put(packet(number), at)
        take(at)
    while (due := buffer.due()) is not None:
        take(due)
    return passed


def test_a_steady_line_costs_no_delay() -> None:
    sent = [(number * FRAME_S, number) for number in range(200)]
    assert played(sent) == sent


def test_packets_that_overtake_each_other_are_put_in_order() -> None:
    assert [piece for _, piece in played([(0, 0), (0.02, 2), (0.03, 1), (0.06, 3)])] == [0, 1, 2, 3]


def test_what_does_not_come_is_given_up_on_in_time() -> None:
    sent = [(0.0, 0), (0.04, 2), (0.06, 3)]
    [_, (at, lost), *rest] = played(sent)
    assert isinstance(lost, Lost)
    assert (lost.count, lost.following.sequence) == (1, 2)
    assert at == pytest.approx(0.04 + FIRST_S, abs=0.002)
    assert [piece for _, piece in rest] == [2, 3]


def test_it_learns_to_wait_for_what_comes_late_and_forgets_it() -> None:
    buffer = JitterBuffer()

    def put(number: int, at: float) -> None:
        buffer.put(packet(number), at)
        list(buffer.take(at))

    put(0, 0.0)
    put(2, 0.04)
    put(1, 0.14)
    assert buffer.wait_s == pytest.approx(0.125, abs=0.005)
    for number in range(3, 4000):
        put(number, number * FRAME_S)
    assert buffer.wait_s == LEAST_S
    put(4001, 80.02)
    put(4000, 81.5)
    assert buffer.wait_s == MOST_S


@given(st.integers(0, 2**32), st.integers(0, 65_535), st.floats(0, 0.15), st.floats(0, 0.4))
def test_nothing_comes_twice_out_of_order_or_unaccounted_for(
    seed: int, first: int, spread_s: float, loss: float
) -> None:
    chance = random.Random(seed)
    arrivals: list[tuple[float, int]] = []
    for number in range(300):
        if number == 0 or chance.random() >= loss:
            at = number * FRAME_S + (chance.random() * spread_s if number else 0)
            arrivals.append((at, first + number))
            if chance.random() < 0.05:
                arrivals.append((at + chance.random() * spread_s, first + number))
    counted = first % 65_536
    for _, piece in played(arrivals):
        if isinstance(piece, Lost):
            counted += piece.count
            assert piece.following.sequence == counted % 65_536
        else:
            assert piece == counted % 65_536
            counted += 1
    assert counted == first % 65_536 + max(number for _, number in arrivals) - first + 1


@pytest.mark.parametrize("jump", [MOST_AHEAD + 1, 5000, -5000])
def test_a_stream_that_begins_anew_goes_on(jump: int) -> None:
    sent = [(number * FRAME_S, number + 10_000) for number in range(10)]
    sent += [(1 + number * FRAME_S, number + 10_000 + jump) for number in range(10)]
    passed = [piece for _, piece in played(sent) if not isinstance(piece, Lost)]
    assert passed[-7:] == [number + 10_000 + jump for number in range(3, 10)]


def test_a_stray_packet_of_long_ago_changes_nothing() -> None:
    sent = [(number * FRAME_S, number + 10_000) for number in range(50)]
    assert played([*sent, (0.5, 3)]) == sent
