"""The web app in a Chromium that is reached over a line which can be cut, in a namespace."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bench.bad_line import HERE, Impairment, LineFailed, line
from tests.peers.node import passed
from tests.peers.sound import clip, room, write_wav
from tests.server.program import Server

pytestmark = [pytest.mark.models, pytest.mark.peers]

CHROMIUM = os.environ.get("CHROMIUM", "chromium")

MICROPHONE_HZ = 48_000
"""The one rate at which Chromium's fake microphone plays a file as it is."""

ASKED = ("What is the largest ocean on earth?", "I want to cancel my subscription.")

BETWEEN_MS = 13_000


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    """Where the browser is."""
    try:
        with line(Impairment()) as within:
            yield within[-1]
    except LineFailed as failed:
        pytest.skip(str(failed))


NO_ROUTE = {
    "VOICEFORGE_WEBRTC__ADDRESSES": "127.0.0.1",
    "VOICEFORGE_WEBRTC__ANNOUNCED": "192.0.2.1",
}
"""An address for documentation (RFC 5737), which leads nowhere."""


@pytest.mark.parametrize(
    ("program", "environ"), [("browser_network", {}), ("browser_no_route", NO_ROUTE)]
)
def test_the_call_goes_on(
    namespace: str, tmp_path: Path, program: str, environ: dict[str, str]
) -> None:
    quiet = room(BETWEEN_MS, MICROPHONE_HZ)
    asked = b"".join(clip(text, MICROPHONE_HZ) + quiet for text in ASKED)
    write_wav(tmp_path / "asking.wav", room(1500, MICROPHONE_HZ) + asked, MICROPHONE_HZ)
    chromium = tmp_path / "chromium"
    within = f"ip netns exec {namespace}"
    chromium.write_text(f'#!/bin/sh\nexec {within} {CHROMIUM} "$@"\n')
    chromium.chmod(0o755)
    with Server(VOICEFORGE_HOST="0.0.0.0", **environ) as server:
        passed(
            server.until_ready(),
            program,
            VOICEFORGE_URL=f"http://{HERE}:{urlsplit(server.url).port}",
            VOICEFORGE_CLIPS=str(tmp_path),
            CHROMIUM=str(chromium),
            LINE_NAMESPACE=namespace,
        )
