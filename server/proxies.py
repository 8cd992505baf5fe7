"""What a reverse proxy that is named says of the request that it passes on."""

from typing import Any

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from server.access.credentials import header


class BehindProxies(ProxyHeadersMiddleware):
    """uvicorn's, which believes such a proxy what the client's address and scheme are
    (`X-Forwarded-For`, `X-Forwarded-Proto`). This one also believes it under which name the client
    came here (`X-Forwarded-Host`).
    """

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        client = scope.get("client")
        if client and client[0] in self.trusted_hosts:
            named = header(scope, b"x-forwarded-host")
            if named:
                scope["headers"] = renamed(scope["headers"], named.split(",")[0].strip())
        await super().__call__(scope, receive, send)


def renamed(headers: list[tuple[bytes, bytes]], host: str) -> list[tuple[bytes, bytes]]:
    """The same for another host."""
    kept = [(name, value) for name, value in headers if name != b"host"]
    return [*kept, (b"host", host.encode("latin-1"))]
