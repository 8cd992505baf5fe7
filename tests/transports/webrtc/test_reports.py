"""RTCP, with aiortc's own at the other side."""

import asyncio
import itertools
import time

import pytest
from aiortc.rtp import RtcpPacket, RtcpReceiverInfo, RtcpRrPacket, RtcpSenderInfo, RtcpSrPacket

from tests.virtual_time import in_virtual_time
from transports.webrtc.agent_track import AgentTrack
from transports.webrtc.packet import Packet
from transports.webrtc.reports import NTP_EPOCH_S, Reports


class Sides:
    """Ours, and what it sends."""

    def __init__(self) -> None:
        self.sent: list[object] = []
        self.track = AgentTrack(111, lambda packet: None)
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
