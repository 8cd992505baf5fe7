"""The connections to an OpenAI-compatible endpoint, and what becomes of its failures.

The client is aiohttp (Apache-2.0): closing its response closes the connection at once, which is
what tells a server to stop generating; it streams without a task of its own per response, at a
fraction of httpx's cost per chunk.
"""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp

from actors.llm_plan import Endpoint, Patience
from actors.openai_chat import chat_body, refusal_text
from engine.capabilities import Chat
from engine.inference import InferenceError

_KEPT_S = 3.0  # idle connections; llama.cpp closes them after 5 s
_AT_ONCE_S = 0.3
_USAGE_S = 1.0  # how long the token counts may follow the end of the answer


Post = Callable[[str, bytes, dict[str, str]], Awaitable[aiohttp.ClientResponse]]
"""Sends a body and headers to a URL, following no redirect; raises aiohttp's errors, or an
`InferenceError` where it will not. Compressed answers need not be unpacked: none is asked for.
"""


class ChatHttp:
    """Asks one endpoint, by `post` or over connections of its own. Raises `InferenceError` as
    `actors.openai_llm` says.
    """

    def __init__(self, endpoint: Endpoint, patience: Patience, post: Post | None = None) -> None:
        self._endpoint = endpoint
        self._patience = patience
        self._post = post or self._over_our_own
        self._usage = True  # until the endpoint does not know how to tell it
        self._http: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.close()

    async def post(self, chat: Chat, slot: int | None = None) -> aiohttp.ClientResponse:
        """Send the request; returns once the endpoint has accepted it. Close the response.

        `slot`: of llama.cpp; None leaves the choice to it.
        """
        response = await self._send(chat, slot)
        if response.status == 200:
            return response
        try:
            said = refusal_text(await self._body(response))
        finally:
            response.close()
        if response.status == 400 and self._usage and "stream_options" in said:
            self._usage = False
            return await self.post(chat, slot)
        raise _refused(self._endpoint, response.status, said)

    async def _send(self, chat: Chat, slot: int | None) -> aiohttp.ClientResponse:
        endpoint = self._endpoint
        url = endpoint.base_url.rstrip("/") + "/chat/completions"
        headers = {
            "Content-Type": "application/json",
            "Accept": "text/event-stream",
            "Accept-Encoding": "identity",
        }
        if endpoint.api_key:
            headers["Authorization"] = f"Bearer {endpoint.api_key}"
        body = chat_body(
            chat, endpoint.model, embedded=endpoint.embedded, usage=self._usage, slot=slot
        )
        patience = self._patience
        try:
            async with asyncio.timeout(patience.connect_s + patience.first_token_s):
                return await self._asked(url, body, headers)
        except aiohttp.ConnectionTimeoutError as slow:
            raise InferenceError(
                "llm_unreachable", f"no connection to {url} within {patience.connect_s:g} s"
            ) from slow
        except TimeoutError as slow:
            raise _too_slow("first token", patience.first_token_s) from slow
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError) as cut:
            raise InferenceError("llm_cut", f"{url} hung up before it answered") from cut
        except (aiohttp.ClientError, ValueError) as lost:
            raise InferenceError("llm_unreachable", f"cannot reach {url}: {lost}") from lost

    async def _asked(
        self, url: str, body: bytes, headers: dict[str, str]
    ) -> aiohttp.ClientResponse:
        """Ask; once more if a kept connection was just being closed, which cannot be foreseen.

        It shows at once. An endpoint that hangs up later has worked on the request.
        """
        clock = asyncio.get_running_loop().time
        asked_at = clock()
        try:
            return await self._post(url, body, headers)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            if clock() - asked_at > _AT_ONCE_S:
                raise
            return await self._post(url, body, headers)

    async def _over_our_own(
        self, url: str, body: bytes, headers: dict[str, str]
    ) -> aiohttp.ClientResponse:
        return await self._session().post(url, data=body, headers=headers, allow_redirects=False)

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        """The start of an error's body; empty if it does not come."""
        try:
            async with asyncio.timeout(self._patience.connect_s):
                return await response.content.read(65_536)
        except (aiohttp.ClientError, TimeoutError):
            return b""

    async def read(self, response: aiohttp.ClientResponse, *, begun: bool, finished: bool) -> bytes:
        """The next bytes, or none at the end. `finished`: only the token counts may follow."""
        patience = self._patience
        limit_s = patience.between_tokens_s if begun else patience.first_token_s
        try:
            async with asyncio.timeout(_USAGE_S if finished else limit_s):
                return await response.content.readany()
        except TimeoutError:
            if finished:
                return b""
            raise _too_slow("next token" if begun else "first token", limit_s) from None
        except aiohttp.ClientError as cut:
            if finished:
                return b""
            raise InferenceError("llm_cut", f"the answer was cut in the middle: {cut}") from cut

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0,  # the gate limits
                    keepalive_timeout=_KEPT_S,
                ),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._patience.connect_s),
                auto_decompress=True,
            )
        return self._http


def _too_slow(stage: str, limit_s: float) -> InferenceError:
    return InferenceError("llm_timeout", f"no {stage} from the endpoint within {limit_s:g} s")


def _refused(endpoint: Endpoint, status: int, said: str) -> InferenceError:
    if status in (429, 503):
        code = "llm_overloaded"
    else:
        ours = status in (401, 402, 403, 404)  # the key, the model: no fault of the request
        code = "llm_refused" if 400 <= status < 500 and not ours else "llm_failed"
    if status in (401, 403):
        said = f"it does not accept the key ({endpoint.key})"  # its own words may quote it
    return InferenceError(code, f"{endpoint.base_url} answered {status}: {said}")
