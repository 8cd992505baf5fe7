"""Offers of real browsers are answered; whatever else comes is refused with what is wrong."""

import time
from pathlib import Path

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import given
from hypothesis import strategies as st

from transports.webrtc import sdp, stack
from transports.webrtc.sdp import BadOffer, Offer, Ours, answer, read

OFFERS = Path(__file__).parents[2] / "data" / "offers"
CHROMIUM = (OFFERS / "chromium_150.sdp").read_bytes().decode()
FIREFOX = (OFFERS / "firefox_153.sdp").read_bytes().decode()
VIDEO_FIRST = (OFFERS / "chromium_150_video_first.sdp").read_bytes().decode()


def answered(offer: Offer) -> SessionDescription:
    """As another stack reads our answer."""
    dtls = stack.rtcdtlstransport.RTCDtlsParameters(
        [stack.rtcdtlstransport.RTCDtlsFingerprint("sha-256", "AA:BB")], "client"
    )
    ice = stack.rtcicetransport.RTCIceParameters("frag", "password")
    return SessionDescription.parse(answer(offer, Ours(ice, dtls, [], 42)))


@pytest.mark.parametrize(
    ("text", "opus", "largest"), [(CHROMIUM, 111, 262_144), (FIREFOX, 109, (1 << 30) - 1)]
)
def test_a_browser_s_offer_is_taken_for_speech_and_events(
    text: str, opus: int, largest: int
) -> None:
    offer = read(text)
    assert (offer.audio, offer.data, offer.payload_type) == (0, 1, opus)
    assert offer.largest_message == largest
    told = answered(offer)
    assert [group.items for group in told.group] == [["0", "1"]]
    speech, events = told.media
    [codec] = speech.rtp.codecs
    assert (codec.name, codec.payloadType) == ("opus", opus)
    assert codec.parameters["useinbandfec"] == 1
    assert (speech.direction, speech.ssrc[0].ssrc) == ("sendrecv", 42)
    assert (events.kind, events.sctp_port) == ("application", 5000)
    assert f"a=max-message-size:{sdp.LARGEST_EVENT}" in str(events)


def test_speech_is_taken_from_the_section_that_has_some() -> None:
    section = CHROMIUM[CHROMIUM.index("m=audio") : CHROMIUM.index("m=application")]
    listens = section.replace("a=sendrecv", "a=recvonly").replace("a=mid:0", "a=mid:7")
    offer = read(CHROMIUM.replace(section, listens + section).replace("BUNDLE 0", "BUNDLE 7 0"))
    assert (offer.audio, offer.data) == (1, 2)


@pytest.mark.parametrize("line", ["a=rtcp-fb:* x\r\n", "a=fmtp:111 x\r\n", "a=ssrc:{n} c:1\r\n"])
def test_lines_that_nobody_reads_take_no_time(line: str) -> None:
    """The largest offer of them would hold up every call for seconds."""
    many = "".join(f"a=rtpmap:{n % 30 + 96} x/8000\r\n" for n in range(1000))
    more = "".join(line.format(n=n) for n in range(1500))
    began = time.process_time()
    offer = read(CHROMIUM.replace("a=sendrecv\r\n", "a=sendrecv\r\n" + many + more))
    assert time.process_time() - began < 0.5
    assert offer.payload_type == 111


def test_what_is_not_wanted_is_turned_down_in_its_place() -> None:
    offer = read(VIDEO_FIRST)
    told = answered(offer)
    assert [(one.kind, bool(one.port)) for one in told.media] == [
        ("video", False),
        ("audio", True),
        ("audio", False),
        ("application", True),
    ]
    assert [group.items for group in told.group] == [["1", "3"]]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("sendonly", "recvonly"), ("recvonly", "sendonly"), ("sendrecv", "sendrecv")],
)
def test_directions_mirror_each_other(theirs: str, ours: str) -> None:
    offer = read(CHROMIUM.replace("a=sendrecv", f"a={theirs}"))
    assert answered(offer).media[0].direction == ours


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no SDP"),
        ("hello", "no SDP"),
        ("v=0\r\n" * 20_000, "at most 65536"),
        ("v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF x\r\n", "cannot be read"),
        ("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", "no audio"),
        (CHROMIUM.replace("opus/48000/2", "isac/48000/2"), "no Opus"),
        (CHROMIUM.replace("a=ice-ufrag", "a=x-ufrag"), "ice-ufrag"),
        (CHROMIUM.replace("a=fingerprint", "a=x-finger"), "fingerprint"),
        (CHROMIUM.replace("a=sendrecv", "a=inactive"), "inactive"),
        (CHROMIUM.replace("a=rtcp-mux", "a=x"), "rtcp-mux"),
        (CHROMIUM.replace("a=group:BUNDLE 0 1\r\n", ""), "bundle"),
        (CHROMIUM.replace("a=sctp-port:5000", "a=sctp-port:70000"), "sctp-port is 70000"),
        (CHROMIUM + CHROMIUM[CHROMIUM.index("m=audio") :] * 16, "at most 32"),
    ],
)
def test_what_cannot_be_answered_is_told(text: str, told: str) -> None:
    with pytest.raises(BadOffer, match=told):
        read(text)


PLACES = st.integers(0, 60)


@pytest.mark.parametrize("text", [CHROMIUM, FIREFOX])
@given(
    st.lists(st.tuples(PLACES, st.text(max_size=40)), max_size=4),
    st.sets(PLACES, max_size=5),
)
def test_an_offer_that_was_tampered_with_is_answered_or_refused(
    text: str, changed: list[tuple[int, str]], left_out: set[int]
) -> None:
    lines = text.split("\r\n")
    for at, more in changed:
        lines[at % len(lines)] = lines[at % len(lines)][: len(more)] + more
    try:
        offer = read("\r\n".join(line for n, line in enumerate(lines) if n not in left_out))
    except BadOffer:
        return
    assert sdp.answer(offer, Ours(offer.ice, offer.dtls, [], 42)).startswith("v=0")
