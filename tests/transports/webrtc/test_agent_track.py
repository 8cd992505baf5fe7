"""How the agent's speech goes out: paced, in one time, silent at its end."""

import asyncio
import itertools

from tests.transports.webrtc.speech import FRAMES, speech
from tests.virtual_time import in_virtual_time
from transports.webrtc.agent_track import FRAME_TICKS, TAIL_FRAMES, AgentTrack
from transports.webrtc.packet import Packet, sequence_after, ticks_after

FRAME_S, FRAME_BYTES = 0.02, 960


def said(pauses: dict[int, float], frames: int = FRAMES) -> list[tuple[float, Packet]]:
    """What is sent, and when; before these frames there are pauses."""

    async def speak() -> list[tuple[float, Packet]]:
        loop, gone = asyncio.get_running_loop(), []
        track = AgentTrack(111, lambda packet: gone.append((loop.time(), packet)))
        pcm = speech(24_000)
        for number in range(frames):
            await asyncio.sleep(pauses.get(number, 0.0))
            track.say(pcm[number * FRAME_BYTES : (number + 1) * FRAME_BYTES])
            await asyncio.sleep(FRAME_S)
        await asyncio.sleep(1)
        assert track.sent_packets == len(gone)
        track.close()
        return gone

    return in_virtual_time(speak())


def test_frames_follow_each_other_in_one_time_and_end_in_silence() -> None:
    packets = [packet for _, packet in said({}, frames=60)]
    assert 60 <= len(packets) <= 60 + TAIL_FRAMES
    assert [packet.marked for packet in packets] == [True] + [False] * (len(packets) - 1)
    for one, other in itertools.pairwise(packets):
        assert sequence_after(other.sequence, one.sequence) == 1
        assert ticks_after(other.ticks, one.ticks) == FRAME_TICKS


def test_a_pause_is_one_in_time_and_not_in_number() -> None:
    packets = said({50: 2.0}, frames=100)
    [begins] = [n for n, (_, packet) in enumerate(packets) if n and packet.marked]
    (_, before), (_, after) = packets[begins - 1 : begins + 1]
    assert sequence_after(after.sequence, before.sequence) == 1
    pause_s = (2.0 - TAIL_FRAMES * FRAME_S, 2.0 + FRAME_S)
    assert pause_s[0] <= ticks_after(after.ticks, before.ticks) / 48_000 <= pause_s[1]
    (began, first), (at, _) = packets[0], packets[begins]
    assert abs(ticks_after(after.ticks, first.ticks) / 48_000 - (at - began)) <= FRAME_S


def test_a_late_clock_leaves_no_gap() -> None:
    packets = [packet for _, packet in said({30: 0.015, 60: 0.01}, frames=90)]
    for one, other in itertools.pairwise(packets):
        assert ticks_after(other.ticks, one.ticks) == FRAME_TICKS


def test_the_last_frame_may_be_short() -> None:
    async def speak() -> list[Packet]:
        gone: list[Packet] = []
        track = AgentTrack(111, gone.append)
        track.say(speech(24_000)[20_000 : 20_000 + FRAME_BYTES + 200])
        await asyncio.sleep(1)
        track.close()
        return gone

    packets = in_virtual_time(speak())
    assert 2 <= len(packets) <= 1 + TAIL_FRAMES
