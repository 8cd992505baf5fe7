"""Tools that are HTTP requests to somebody's systems."""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from engine.capabilities import ToolSpec
from engine.tools import Outcome
from server.agents.arguments import Arguments
from server.agents.config import HttpTool
from server.agents.filling import Unfillable, filled_headers, filled_url, with_query
from server.agents.running import filler_of
from server.outbound.client import Answer, Outbound
from server.outbound.errors import OutboundError
from server.outbound.signing import signed

log = logging.getLogger(__name__)

MOST_BYTES = 256 * 1024
"""Of an answer: more is not read."""

MOST_CHARACTERS = 16_000
"""Of an answer that the LLM is shown: a few thousand tokens, all of which it reads again at each
turn."""

MOST_OF_ERROR = 1000
"""Characters, of what a server says with a status that is an error."""

WITHOUT_BODY = ("GET", "DELETE")

BUSY = (429, 502, 503, 504)
"""Statuses of which another try may be better."""

PASSING = ("timeout", "unreachable")
"""Troubles that may be over at another try."""

FIRST_DELAY_S = 0.25
"""Before the second try; twice as long before each that follows."""

REDIRECTS = 3


class CallsServer:
    """One of them. `who` are headers that say for which session and agent it asks."""

    def __init__(
        self,
        tool: HttpTool,
        arguments: Arguments,
        outbound: Outbound,
        secrets: Mapping[str, str],
        who: Mapping[str, str],
    ) -> None:
        self.spec = ToolSpec(tool.name, tool.description, tool.parameters)
        self.arguments = arguments
        self.filler = filler_of(tool.filler)
        self._tool = tool
        self._outbound = outbound
        self._secrets = secrets
        self._who = who

    async def run(
        self, given: dict[str, Any], variables: Mapping[str, str], call_id: str
    ) -> Outcome:
        tool = self._tool
        try:
            url, rest = filled_url(tool.url, variables, given)
            headers = filled_headers(tool.headers, variables, self._secrets)
            body = b""
            if tool.method in WITHOUT_BODY:
                url = with_query(url, rest)
            else:
                body = msgspec.json.encode(rest)
                headers = {"content-type": "application/json"} | headers
            headers |= {"idempotency-key": call_id, **self._who}
            headers |= signed_by(tool.sign_with, self._secrets, call_id, body)
        except Unfillable as wrong:
            return Outcome(f"the tool cannot be called: {wrong}", failed=True)
        return await self._ask(url, headers, body)

    async def _ask(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        tool, began = self._tool, time.monotonic()
        delay_s = FIRST_DELAY_S
        for tries_left in range(tool.retries, -1, -1):
            try:
                answer = await self._outbound.ask(
                    tool.method,
                    url,
                    headers=headers,
                    body=body,
                    timeout_s=tool.timeout_ms / 1000,
                    most_bytes=MOST_BYTES,
                    redirects=REDIRECTS,
                )
                outcome, again = outcome_of(answer), answer.status in BUSY
                code = str(answer.status)
            except OutboundError as error:
                outcome, again = Outcome(str(error), failed=True), error.code in PASSING
                code = error.code
            if not again or not tries_left:
                break
            await asyncio.sleep(delay_s)
            delay_s *= 2
        ms = round((time.monotonic() - began) * 1000)
        log.info("tool called", extra={"tool": tool.name, "code": code, "ms": ms})
        return outcome


def signed_by(
    name: str | None, secrets: Mapping[str, str], ident: str, body: bytes
) -> dict[str, str]:
    """The headers of a signature with the secret of this name, if there is to be one. Raises
    `Unfillable`.
    """
    if name is None:
        return {}
    if name not in secrets:
        raise Unfillable(f"there is no secret {name}")
    try:
        return signed(ident, body, [secrets[name]])
    except ValueError as wrong:
        raise Unfillable(f"the secret {name} signs nothing: {wrong}") from None


def outcome_of(answer: Answer) -> Outcome:
    """What the LLM is told of an answer."""
    try:
        text = answer.body.decode()
    except UnicodeDecodeError:
        text = ""
    if "\0" in text or (answer.body and not text):
        return Outcome("the tool answered with something that is no text", failed=True)
    if answer.status >= 400:
        return Outcome(f"HTTP {answer.status}: {text[:MOST_OF_ERROR]}", failed=True)
    return Outcome(limited(text) or "done")


def limited(text: str) -> str:
    """As much of a tool's answer as the LLM is shown."""
    left_out = len(text) - MOST_CHARACTERS
    if left_out <= 0:
        return text
    return f"{text[:MOST_CHARACTERS]} … ({left_out} more characters are left out)"
