"""RTCP, with aiortc's own at the other side."""

import asyncio
import itertools
import time

import pytest
from aiortc.rtp import RtcpPacket, RtcpReceiverInfo, RtcpRrPacket, RtcpSenderInfo, RtcpSrPacket

from tests.virtual_time import in_virtual_time
from transports.webrtc.agent_track import PAUSE_TICKS, AgentTrack
from transports.webrtc.packet import CLOCK_HZ, Packet, ticks_after
from transports.webrtc.reports import MOST_JITTER_S, NTP_EPOCH_S, Reports


class Sides:
    """Ours, and what it sends."""

    def __init__(self) -> None:
        self.sent: list[object] = []
        self.packets: list[tuple[float, Packet]] = []
        loop = asyncio.get_running_loop()
        self.track = AgentTrack(111, lambda packet: self.packets.append((loop.time(), packet)))
        self.reports = Reports(self.track, lambda data: self.sent.extend(RtcpPacket.parse(data)))

    def close(self) -> None:
        self.track.close()
        self.reports.close()


async def hear(sides: Sides, seconds: float, lost: int = 0, jitter_s: float = 0.0) -> None:
    """So much speech; each `lost`-th packet does not come."""
    late = itertools.cycle([0.0, jitter_s])
    for number in range(round(seconds * 50)):
        if not lost or number % lost:
            wait = next(late)
            await asyncio.sleep(wait)
            sides.reports.note(Packet(111, 65_530 + number & 0xFFFF, number * 960, 5, b"x"))
            await asyncio.sleep(0.02 - wait)
        else:
            await asyncio.sleep(0.02)


def test_what_came_is_reported() -> None:
    async def run() -> RtcpReceiverInfo:
        sides = Sides()
        await hear(sides, 4, lost=10, jitter_s=0.01)
        sides.close()
        [report] = sides.sent[-1].reports  # type: ignore[attr-defined]
        return report  # type: ignore[no-any-return]

    report = in_virtual_time(run())
    assert report.ssrc == 5
    assert report.fraction_lost / 256 == pytest.approx(0.1, abs=0.04)
    assert 10 <= report.packets_lost <= 20
    assert report.highest_sequence > 65_536  # it went round once
    assert report.jitter / 48 == pytest.approx(10, abs=2)


def test_who_speaks_tells_the_time() -> None:
    async def run() -> RtcpSrPacket:
        sides = Sides()
        sides.track.say(bytes(range(256)) * 75)
        await asyncio.sleep(2)
        sides.close()
        return sides.sent[-1]  # type: ignore[return-value]

    told = in_virtual_time(run())
    assert isinstance(told, RtcpSrPacket)
    assert told.sender_info.packet_count >= 20
    now_s = time.time() + NTP_EPOCH_S
    assert abs(told.sender_info.ntp_timestamp / 2**32 - now_s) < 60


def test_a_report_s_two_times_are_one_moment_of_the_speech_that_was_sent() -> None:
    """A receiver tells by them how late our speech is, also after a pause."""

    async def run() -> tuple[Sides, float]:
        sides = Sides()
        epoch_ntp = sides.reports.now_ntp
        began = asyncio.get_running_loop().time()
        for said_s in (0.7, 1.9, 1.1):
            for _ in range(round(said_s * 50)):
                sides.track.say(bytes(range(240)) * 4)
                await asyncio.sleep(0.02)
            await asyncio.sleep(1.3)
        sides.close()
        return sides, began - epoch_ntp / 2**32

    sides, epoch_s = in_virtual_time(run())
    reports = [one.sender_info for one in sides.sent if isinstance(one, RtcpSrPacket)]
    assert len(reports) >= 4
    for told in reports:
        at_s = told.ntp_timestamp / 2**32 + epoch_s
        sent_s, packet = [one for one in sides.packets if one[0] <= at_s][-1]
        elapsed_s = ticks_after(told.rtp_timestamp, packet.ticks) / CLOCK_HZ
        assert elapsed_s == pytest.approx(at_s - sent_s, abs=PAUSE_TICKS / CLOCK_HZ)


@pytest.mark.parametrize("jitter", [48_000, (1 << 32) - 1])
def test_a_jitter_that_cannot_be_is_not_believed(jitter: int) -> None:
    async def run() -> float:
        sides = Sides()
        heard = RtcpReceiverInfo(
            ssrc=sides.track.source,
            fraction_lost=0,
            packets_lost=0,
            highest_sequence=100,
            jitter=jitter,
            lsr=0,
            dlsr=0,
        )
        sides.reports.receive(bytes(RtcpRrPacket(ssrc=9, reports=[heard])))
        sides.close()
        return sides.reports.jitter_s

    assert in_virtual_time(run()) == MOST_JITTER_S


def test_the_way_there_and_back_and_what_is_lost_on_it_are_learnt() -> None:
    async def run() -> Sides:
        sides = Sides()
        then = sides.reports.now_ntp - int(0.3 * 2**32)
        heard = RtcpReceiverInfo(
            ssrc=sides.track.source,
            fraction_lost=64,
            packets_lost=9,
            highest_sequence=100,
            jitter=480,
            lsr=(then >> 16) & 0xFFFFFFFF,
            dlsr=int(0.1 * 65_536),
        )
        sides.reports.receive(bytes(RtcpRrPacket(ssrc=9, reports=[heard])))
        sides.close()
        return sides

    reports = in_virtual_time(run()).reports
    assert reports.round_trip_s == pytest.approx(0.2, abs=0.05)
    assert (reports.lost, reports.jitter_s) == (0.25, 0.01)


def test_the_other_side_s_report_is_answered_with_when_it_came() -> None:
    async def run() -> RtcpReceiverInfo:
        sides = Sides()
        info = RtcpSenderInfo(
            ntp_timestamp=0x0123456789ABCDEF, rtp_timestamp=1, packet_count=1, octet_count=1
        )
        sides.reports.receive(bytes(RtcpSrPacket(ssrc=5, sender_info=info)))
        await hear(sides, 2)
        sides.close()
        return sides.sent[0].reports[0]  # type: ignore[attr-defined, no-any-return]

    report = in_virtual_time(run())
    assert report.lsr == 0x456789AB
    assert 0.4 < report.dlsr / 65_536 < 1.6


def test_garbage_is_left() -> None:
    async def run() -> None:
        sides = Sides()
        for data in (b"", b"\x81", b"\x81\xc9\xff\xff", b"\x81\xc9\x00\x07" + bytes(8)):
            sides.reports.receive(data)
        sides.close()

    in_virtual_time(run())
