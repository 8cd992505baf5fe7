"""A webhook, from the route of a server that runs to somebody else's."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.program import Server
from tests.server.receiver import Receiver
from tests.server.test_access import asked
from tests.server.wire import until

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(VOICEFORGE_GATEWAYS="2", VOICEFORGE_OUTBOUND__ALLOW="127.0.0.1") as server:
        yield server.until_ready()


async def test_a_webhook_is_tried_and_its_secret_is_in_no_log(server: Server) -> None:
    async with Receiver() as receiver:
        made = await asked(server, "POST", "/v1/webhooks", {"url": f"{receiver.url}?key=hush"})
        receiver.known.append(made["secret"])
        job: Any = await asked(server, "POST", f"/v1/webhooks/{made['webhook']['id']}/test")

        async def done() -> bool:
            nonlocal job
            job = await asked(server, "GET", f"/v1/jobs/{job['id']}")
            return bool(job["ended_at"])

        await until(done, 5)
        assert (job["state"], job["result"], job["attempts"]) == ("done", {"status": 204}, 1)
        assert [event["type"] for event in receiver.events] == ["webhook.test"]
    assert made["secret"] not in "".join(server.out + server.err)
    assert "hush" not in "".join(server.out + server.err)


async def test_a_secret_is_sealed_with_a_key_that_is_no_record(server: Server) -> None:
    body = {"value": "hush-7f3a"}
    await asked(server, "PUT", "/v1/secrets/calendar", body)
    status, text = await asyncio.to_thread(server.ask, "GET", "/v1/secrets")
    assert (status, [one["name"] for one in json.loads(text)["data"]]) == (200, ["calendar"])
    assert "hush-7f3a" not in text + "".join(server.out + server.err)
    assert (server.state / "secret.key").stat().st_mode & 0o777 == 0o600


async def test_a_private_address_is_refused_before_anything_is_sent(server: Server) -> None:
    body = {"url": "http://169.254.169.254/latest"}
    status, text = await asyncio.to_thread(server.ask, "POST", "/v1/webhooks", body)
    assert (status, json.loads(text)["error"]["code"]) == (400, "refused_address")
