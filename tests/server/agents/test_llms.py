"""Who thinks for an agent: endpoints of its own, one after another, and the server's."""

import asyncio
import gc
from collections.abc import AsyncIterator, Sequence

import msgspec
import pytest
from aiohttp import web

from engine.capabilities import Chat, ChatDelta, ChatMessage
from engine.inference import InferenceError, Priority
from engine.services import Llm, as_ever
from server.agents.config import AgentConfig, LlmEndpoint, ServersLlm
from server.agents.llms import Llms, keys_of
from server.outbound.addresses import Rules
from server.outbound.client import Outbound
from server.outbound.networks import networks
from tests.scripted import llm as scripted
from tests.server.local_server import LocalServer

CHAT = Chat((ChatMessage("user", "Who are you?"),))
SECRETS = {"VENDOR": "sk-1", "OTHER": "sk-2"}
OURS: Llm = scripted(lambda chat: "ours"), "own"


class Vendor(LocalServer):
    """An endpoint; what it is asked with, and whether it fails."""

    def __init__(self, name: str) -> None:
        super().__init__(self.complete)
        self.name = name
        self.keys: list[str] = []
        self.status = 200
        self.waits_s = 0.0

    async def complete(self, request: web.Request) -> web.StreamResponse:
        self.keys.append(request.headers["Authorization"])
        assert (await request.json())["model"] == f"{self.name}-large"
        if self.status == 307:
            raise web.HTTPTemporaryRedirect("http://169.254.169.254/v1/chat/completions")
        if self.status != 200:
            return web.json_response({"error": {"message": "no, sk-1"}}, status=self.status)
        await asyncio.sleep(self.waits_s)
        said = {"choices": [{"index": 0, "delta": {"content": self.name}, "finish_reason": "stop"}]}
        text = f"data: {msgspec.json.encode(said).decode()}\n\ndata: [DONE]\n\n"
        return web.Response(text=text, content_type="text/event-stream")

    def endpoint(self, key: str = "VENDOR", first_token_ms: int = 10_000) -> LlmEndpoint:
        return LlmEndpoint(
            base_url=f"{self.url}/v1",
            model=f"{self.name}-large",
            key=key,
            first_token_ms=first_token_ms,
        )


@pytest.fixture
async def llms() -> AsyncIterator[Llms]:
    async with Outbound(Rules(networks("127.0.0.1"))) as outbound:
        yield Llms(outbound)


async def said(llms: Llms, choices: Sequence[LlmEndpoint | ServersLlm]) -> str:
    llm, _ = llms.mind(choices, SECRETS)(OURS)
    request = llm.request(CHAT, priority=Priority.FIRST, deadline_ms=500)
    deltas: list[ChatDelta] = [delta async for delta in request]
    await asyncio.wait_for(request.stopped(), 5)
    assert request.settled
    return "".join(delta.text for delta in deltas)


async def test_an_agent_that_names_none_thinks_as_ever(llms: Llms) -> None:
    config = AgentConfig()
    assert llms.mind(config.llm, {}) is as_ever
    assert await said(llms, config.llm) == "ours"


async def test_the_first_answers_with_its_key_and_where_it_fails_the_next(llms: Llms) -> None:
    with Vendor("one") as one, Vendor("two") as two:
        chain = (one.endpoint(), two.endpoint("OTHER"), ServersLlm())
        assert await said(llms, chain) == "one"
        assert (one.keys, two.keys) == (["Bearer sk-1"], [])
        one.status = 503
        mind = llms.mind(chain, SECRETS)  # somebody else is still in a session
        assert await said(llms, chain) == "two"
        assert await said(llms, chain) == "two"
        assert len(one.keys) == 2, "one that has just failed is left alone, whoever asks"
        two.status = 500
        assert await said(llms, chain) == "ours"
        assert two.keys == ["Bearer sk-2"] * 3
        assert mind(OURS)[1] == "one-large"


async def test_one_that_says_nothing_in_time_has_failed(llms: Llms) -> None:
    with Vendor("slow") as slow:
        slow.waits_s = 30.0
        began = asyncio.get_running_loop().time()
        assert await said(llms, (slow.endpoint(first_token_ms=500), ServersLlm())) == "ours"
        assert asyncio.get_running_loop().time() - began < 10


@pytest.mark.parametrize(
    ("status", "told"),
    [(401, "does not accept the key"), (307, "answered 307"), (429, "answered 429")],
)
async def test_the_only_one_fails_with_a_reason_that_holds_no_key(
    llms: Llms, status: int, told: str
) -> None:
    with Vendor("one") as one:
        one.status = status
        with pytest.raises(InferenceError, match=told) as failed:
            await said(llms, (one.endpoint(),))
    if status == 401:
        assert "the agent's secret 'VENDOR'" in str(failed.value)
        assert "sk-1" not in str(failed.value)


async def test_private_addresses_are_not_asked() -> None:
    async with Outbound(Rules()) as outbound:
        with Vendor("one") as one:
            for where in (one.url, one.url.replace("127.0.0.1", "localhost")):
                endpoint = LlmEndpoint(base_url=f"{where}/v1", model="one-large")
                with pytest.raises(InferenceError, match=r"outbound\.allow"):
                    await said(Llms(outbound), (endpoint,))
            assert one.keys == []


async def test_who_asks_the_same_shares_it_and_what_nobody_asks_is_let_go(llms: Llms) -> None:
    with Vendor("one") as one:
        alone, chained = (one.endpoint(),), (one.endpoint(), ServersLlm())
        minds = [llms.mind(choices, SECRETS) for choices in (alone, alone, chained)]
        assert minds[0] == minds[1] != minds[2]
        assert len(llms._endpoints) == 1
        assert llms.mind(alone, {"VENDOR": "changed"}) != minds[0]
        minds.clear()
        gc.collect()
        assert len(llms._endpoints) == len(llms._chains) == 0


def test_the_secrets_that_are_needed_are_named() -> None:
    with_key = LlmEndpoint(base_url="https://a.example/v1", model="m", key="VENDOR")
    without = LlmEndpoint(base_url="https://b.example/v1", model="m")
    assert keys_of((ServersLlm(), with_key, without)) == {"VENDOR"}
