"""One server with the real models for all clients. Its agents' tools may be on this machine."""

from collections.abc import Iterator

import pytest

from tests.server.program import Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with Server(VOICEFORGE_OUTBOUND__ALLOW="127.0.0.1") as server:
        yield server.until_ready()
