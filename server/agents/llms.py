"""The LLMs of agents that do not answer by the server's own."""

from collections.abc import Sequence
from functools import partial
from weakref import WeakValueDictionary

import aiohttp

from actors.fallback import FallbackChat
from actors.llm_plan import Endpoint, Patience
from actors.openai_llm import OpenAIChat
from engine.inference import InferenceError
from engine.services import Llm, Mind, as_ever
from server.agents.config import Llm as Choice
from server.agents.config import LlmEndpoint, ServersLlm
from server.outbound.client import Outbound
from server.outbound.errors import OutboundError

AT_ONCE = 32
"""Requests to one endpoint, of one gateway. The others wait, in the order of their urgency."""

Asked = tuple[Endpoint, Patience]


class Llms:
    """What agents of this process think with. Those who share an endpoint share its queue, and know
    alike that it is out.
    """

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        self._endpoints: WeakValueDictionary[Asked, OpenAIChat] = WeakValueDictionary()
        self._chains: WeakValueDictionary[tuple[Asked | None, ...], Chain] = WeakValueDictionary()

    def mind(self, choices: Sequence[Choice], secrets: dict[str, str]) -> Mind:
        """Who thinks, of an agent with these secrets."""
        if isinstance(choices[0], ServersLlm) and len(choices) == 1:
            return as_ever
        asked = tuple(asked_at(one, secrets) for one in choices)
        chain = self._chains.get(asked)
        if chain is None:
            chain = self._chains[asked] = Chain([self._endpoint(one) for one in asked])
        return chain.over

    def _endpoint(self, asked: Asked | None) -> tuple[OpenAIChat, str] | None:
        if asked is None:
            return None
        found = self._endpoints.get(asked)
        if found is None:
            endpoint, patience = asked
            post = partial(self._post, patience.connect_s)
            found = OpenAIChat(endpoint, at_once=AT_ONCE, patience=patience, post=post)
            self._endpoints[asked] = found
        return found, asked[0].model

    async def _post(
        self, connect_s: float, url: str, body: bytes, headers: dict[str, str]
    ) -> aiohttp.ClientResponse:
        try:
            return await self._outbound.opened(url, headers, body, connect_s)
        except OutboundError as error:
            raise InferenceError("llm_unreachable", str(error)) from error


class Chain:
    """LLMs in the order in which they are asked; None stands for the server's own."""

    def __init__(self, links: Sequence[tuple[OpenAIChat, str] | None]) -> None:
        self._links = links
        self._made: Llm | None = None

    def over(self, ours: Llm) -> Llm:
        """The LLM that asks them; it has the first one's name."""
        if self._made is None:
            named = [ours if link is None else link for link in self._links]
            llm, _ = named[-1]
            for before, _ in named[-2::-1]:
                llm = FallbackChat(before, llm)
            self._made = llm, named[0][1]
        return self._made


def keys_of(choices: Sequence[Choice]) -> set[str]:
    """The names of the secrets that they need."""
    return {one.key for one in choices if isinstance(one, LlmEndpoint) and one.key is not None}


def asked_at(choice: Choice, secrets: dict[str, str]) -> Asked | None:
    """Where, and how patiently. A key that is gone is none: the endpoint says so."""
    if isinstance(choice, ServersLlm):
        return None
    key, named = ("", "") if choice.key is None else (secrets.get(choice.key, ""), choice.key)
    endpoint = Endpoint(choice.base_url, choice.model, key, f"the agent's secret {named!r}")
    return endpoint, Patience(first_token_s=choice.first_token_ms / 1000)
