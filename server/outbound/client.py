"""Asks other people's servers over HTTP, and trusts neither their address nor their answer."""

import asyncio
import contextlib
import re
import zlib
from collections.abc import AsyncIterator, Mapping
from types import TracebackType

import aiohttp
import msgspec
from aiohttp import hdrs
from yarl import URL

from server.outbound.addresses import LookUp, Resolver, Rules
from server.outbound.errors import OutboundError, TooLarge
from server.version import VERSION

MOST_REDIRECTS = 3

REDIRECTS = (301, 302, 303, 307, 308)
KEEP_METHOD = (307, 308)
"""The others make a GET of it, as browsers do (WHATWG Fetch, HTTP-redirect fetch)."""

FOR_ANYBODY = frozenset({"accept", "accept-language", "content-type", "user-agent"})
"""Headers that go along to another origin. Any other may hold a secret."""

OURS = frozenset({"connection", "content-length", "host", "transfer-encoding", "upgrade"})
"""Headers that the connection needs, and nobody else sets."""

NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")  # RFC 9110, 5.5

USER_AGENT = f"VoiceForge/{VERSION}"

LONGEST_URL = 8000
"""Characters: more than servers take (RFC 9110, 4.1 asks them for 8000)."""


class Answer(msgspec.Struct, frozen=True):
    """What the server said. Names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Outbound:
    """One for a process. Use `async with`.

    It takes no proxy from the environment and keeps no cookies. Connections are used again.
    """

    def __init__(self, rules: Rules, look_up: LookUp | None = None) -> None:
        self._rules = rules
        self._look_up = look_up
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Outbound":
        resolver = Resolver(self._rules, self._look_up)
        self._session = aiohttp.ClientSession(
            # Those who ask are bounded themselves: a slow server must not keep others waiting.
            connector=aiohttp.TCPConnector(limit=0, resolver=resolver, use_dns_cache=False),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            auto_decompress=False,
            skip_auto_headers=[hdrs.CONTENT_TYPE],
        )
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        assert self._session is not None
        await self._session.close()

    def check(self, url: str) -> None:
        """Raises the `OutboundError` that can be known before the name is looked up."""
        self._rules.check_literal(host_of(checked(url)))

    async def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout_s: float,
        most_bytes: int,
        redirects: int = 0,
    ) -> Answer:
        """What is answered, whichever its status, within `timeout_s` from looking up the name to
        the last byte. `redirects` (0-3) are followed; without any, one is the answer.

        Raises `OutboundError`; `TooLarge` for a body of more than `most_bytes`, unpacked.
        """
        assert 0 <= redirects <= MOST_REDIRECTS, redirects
        where = checked(url)
        given = checked_headers(headers or {})
        try:
            async with asyncio.timeout(timeout_s):
                return await self._follow(method, where, given, body, most_bytes, redirects)
        except TimeoutError as error:
            text = f"{where.raw_host} did not answer within {timeout_s:g} s"
            raise OutboundError("timeout", text) from error

    async def opened(
        self, url: str, headers: Mapping[str, str], body: bytes, connect_s: float
    ) -> aiohttp.ClientResponse:
        """The answer to a POST as it begins, for whoever reads it as it comes: close it. No
        redirect is followed, and nothing unpacked. The caller bounds the time.

        Raises `OutboundError` where it may not go, aiohttp's errors for what goes wrong there.
        """
        assert self._session is not None, "used outside of `async with`"
        where = checked(url)
        self._rules.check_literal(host_of(where))
        sent = {"user-agent": USER_AGENT, **checked_headers(headers)}
        patience = aiohttp.ClientTimeout(total=None, sock_connect=connect_s)
        return await self._session.post(
            where, headers=sent, data=body, timeout=patience, allow_redirects=False
        )

    async def _follow(
        self,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        body: bytes,
        most_bytes: int,
        redirects: int,
    ) -> Answer:
        for left in range(redirects, -1, -1):
            async with self._answering(method, url, headers, body) as answer:
                target = answer.headers.get(hdrs.LOCATION)
                if not redirects or answer.status not in REDIRECTS or target is None:
                    return await read(answer, host_of(url), most_bytes)
                status = answer.status
            if left:
                following = followed(url, target)
                if status not in KEEP_METHOD and method not in ("GET", "HEAD"):
                    method, body = "GET", b""
                    headers = {n: v for n, v in headers.items() if n != "content-type"}
                if following.origin() != url.origin():
                    headers = {n: v for n, v in headers.items() if n in FOR_ANYBODY}
                url = following
        raise OutboundError("bad_redirect", f"{host_of(url)} redirects more than {redirects} times")

    @contextlib.asynccontextmanager
    async def _answering(
        self, method: str, url: URL, headers: Mapping[str, str], body: bytes
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        assert self._session is not None, "used outside of `async with`"
        host = host_of(url)
        self._rules.check_literal(host)
        sent = {"user-agent": USER_AGENT, "accept-encoding": "identity", **headers}
        try:
            async with self._session.request(
                method, url, headers=sent, data=body or None, allow_redirects=False
            ) as answer:
                yield answer
        except (aiohttp.ClientError, OSError) as error:
            raise OutboundError("unreachable", f"{host} {trouble(error)}") from error


async def read(answer: aiohttp.ClientResponse, host: str, most_bytes: int) -> Answer:
    """The whole answer, unpacked where that was done unasked. Raises `TooLarge`."""
    packed = answer.headers.get(hdrs.CONTENT_ENCODING, "").lower() in ("gzip", "x-gzip", "deflate")
    unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32) if packed else None
    body, begun = bytearray(), False
    async for piece in answer.content.iter_any():
        begun = True
        room = most_bytes - len(body) + 1
        try:
            body += unpack.decompress(piece, room) if unpack is not None else piece
        except zlib.error as error:
            text = f"{host} answers with what cannot be unpacked"
            raise OutboundError("unreachable", text) from error
        if len(body) > most_bytes:
            raise TooLarge(host, answer.status, most_bytes)
        if unpack is not None and unpack.eof:
            break  # what follows would be kept
    if unpack is not None and begun and not unpack.eof:
        raise OutboundError("unreachable", f"{host} broke off its answer")
    headers = {name.lower(): ", ".join(answer.headers.getall(name)) for name in answer.headers}
    return Answer(answer.status, headers, bytes(body))


def checked(text: str) -> URL:
    """The URL, if it may be asked. Raises `OutboundError`, which shows none of it but its scheme
    and host.
    """
    if len(text) > LONGEST_URL:
        wrong = f"the URL has {len(text)} characters: {LONGEST_URL} are the most"
        raise OutboundError("bad_url", wrong)
    try:
        url = URL(text)
        host, port = url.raw_host, url.explicit_port
    except ValueError as error:
        raise OutboundError("bad_url", "the URL cannot be understood") from error
    if url.scheme not in ("http", "https") or not host:
        raise OutboundError("bad_url", "the URL must begin with http:// or https:// and a host")
    if url.raw_user is not None or url.raw_password is not None:
        wrong = f"the URL of {host} holds a name or password: send them in a header"
        raise OutboundError("bad_url", wrong)
    if port == 0:
        raise OutboundError("bad_url", f"the URL of {host} names port 0, where nobody is")
    return url.with_fragment(None)


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """By their names in lower case. Raises `OutboundError`, which shows no value."""
    for name, value in headers.items():
        if not NAME.fullmatch(name) or name.lower() in OURS:
            raise OutboundError("bad_header", f"there can be no header {name[:80]!r} of one's own")
        if not VALUE.fullmatch(value):
            text = f"the header {name} has a value with characters that headers cannot have"
            raise OutboundError("bad_header", text)
    return {name.lower(): value for name, value in headers.items()}


def followed(url: URL, target: str) -> URL:
    """Where a redirect leads. Raises `OutboundError`."""
    host = host_of(url)
    try:
        following = checked(str(url.join(URL(target))))
    except (OutboundError, ValueError) as error:
        raise OutboundError("bad_redirect", f"{host} redirects to what is no URL for us") from error
    if url.scheme == "https" and following.scheme == "http":
        raise OutboundError("bad_redirect", f"{host} redirects from https to http")
    return following


def host_of(url: URL) -> str:
    """As it is looked up."""
    assert url.raw_host is not None
    return url.raw_host


def trouble(error: Exception) -> str:
    """What is wrong, in words that hold nothing of the request."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return f"has a certificate that is not trusted: {reason(error.certificate_error)}"
        case aiohttp.ClientSSLError():
            return "does not speak TLS as it should"
        case aiohttp.ClientConnectorDNSError():
            return "is a name that cannot be looked up"
        case aiohttp.ClientConnectorError():
            return f"cannot be reached: {error.os_error.strerror or 'no connection'}"
        case aiohttp.ServerDisconnectedError() | OSError():
            return "has closed the connection"
        case aiohttp.ClientPayloadError():
            return "broke off its answer"
    return "does not answer as HTTP servers do"


def reason(error: Exception) -> str:
    """OpenSSL's word for it, such as "self-signed certificate"."""
    return str(getattr(error, "verify_message", "") or "it cannot be verified")
