"""A server that is told by webhooks: it believes what the standard's own library has verified."""

from typing import Any

from aiohttp import web
from standardwebhooks import Webhook


class Receiver:
    """On a port of 127.0.0.1. Use `async with`. It answers with each of `statuses` in turn, the
    last of them from then on, and has `known` the secrets.
    """

    def __init__(self, *known: str) -> None:
        self.known = list(known)
        self.statuses = [204]
        self.events: list[dict[str, Any]] = []
        self.tries: list[tuple[str, bytes]] = []
        self.text = ""
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> "Receiver":
        app = web.Application()
        app.router.add_post("/told", self._told)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/told"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _told(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.tries.append((request.headers["webhook-id"], body))
        assert request.content_type == "application/json"
        for secret in self.known:
            verified = Webhook(secret).verify(body, dict(request.headers))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status < 300:
            self.events.append(verified)
        return web.Response(status=status, text=self.text, headers={"location": self.url})
