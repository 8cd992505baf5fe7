"""Signed links: what they open, and that nobody makes one."""

import base64
import stat
from pathlib import Path

import pytest

from server.recording.links import FILE, SHAPE, Link, Links

NOW = 1_800_000_000.0


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def links(tmp_path: Path, clock: Clock) -> Links:
    links = Links(tmp_path / FILE, clock)
    links.see_to_secret()
    return links


def test_a_link_opens_one_recording_until_its_time_is_over(links: Links, clock: Clock) -> None:
    token, until = links.make("acc_1", "sess_0_x", "opus", 60)
    assert until == NOW + 60
    assert links.open(token) == Link("acc_1", "sess_0_x", "opus", until)
    clock.now += 60
    assert links.open(token) is None


def test_a_changed_link_opens_nothing(links: Links) -> None:
    token, _ = links.make("acc_1", "sess_0_x", "wav", 60)
    body, signature = token.split(".")
    other = base64.urlsafe_b64encode(b'["acc_2","sess_0_y","wav",9999999999]').decode().rstrip("=")
    flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
    for wrong in (
        f"{other}.{signature}",
        f"{body}.{flipped}",
        f"{body}.",
        f".{signature}",
        body,
        f"{token}.x",
        "token",
        "",
        "é.é",
        "\ud800.x",
    ):
        assert links.open(wrong) is None


def test_without_the_secret_nothing_opens(links: Links, tmp_path: Path, clock: Clock) -> None:
    token, _ = links.make("acc_1", "s", "wav", 60)
    file = tmp_path / FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    links.see_to_secret()  # the next start keeps it
    assert Links(file, clock).open(token) is not None
    file.unlink()
    assert links.open(token) is None
    links.see_to_secret()
    assert links.open(token) is None


def test_only_a_token_stands_at_the_public_path() -> None:
    for path in ("/v1/recordings/", "/v1/recordings", "/v1/recordings/a/b", "/v1/recordings//"):
        assert SHAPE.fullmatch(path) is None
    assert SHAPE.fullmatch("/v1/recordings/abc.def") is not None
