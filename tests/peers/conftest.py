"""One server with the real models for all clients."""

from collections.abc import Iterator

import pytest

from tests.server.program import Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server.until_ready()
