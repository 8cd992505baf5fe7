"""`/app/`: the web app, as browsers load it. Files, and no more: what it does, it asks the API."""

import re

from server.access.credentials import header
from server.access.denied import Denied, tell
from server.lines import Application
from server.web_app_files import INDEX, File, Files
from transports.outbox import Message, Send
from transports.reading import Receive

ROOT = "/app/"

SHAPE = re.compile(r"/app(?:/.*)?", re.DOTALL)
"""Of its paths, none of which needs a key."""

ASSETS = "assets/"
"""Below it files have a hash of what is in them in their names: another content is another file."""

FOR_EVER = "public, max-age=31536000, immutable"
LOOK_AGAIN = "no-cache"

GET_IT = (
    "The web app is not built here. Install Node.js 20 or later with npm (Debian 13: "
    "`apt-get install nodejs npm`; older: nodejs.org), and `make run` builds it."
)

POLICY = {
    "content-security-policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "media-src 'self' blob:",
            "connect-src 'self'",
            "worker-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
    "cross-origin-opener-policy": "same-origin",
}
"""The page loads nothing from elsewhere, runs nothing but its own files, and stands in no frame."""


class WebApp:
    """An ASGI application around another, which answers everything else."""

    def __init__(self, application: Application, files: Files) -> None:
        self._application = application
        self._files = files

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or SHAPE.fullmatch(scope["path"]) is None:
            await self._application(scope, receive, send)
            return
        if f"{scope['path']}/" == ROOT and scope["type"] == "http":
            await _send(308, {"location": ROOT}, b"", send)
            return
        try:
            name, file = self._asked(scope)
        except Denied as denied:
            await tell(denied, scope, receive, send)
            return
        await answer(file, name, scope, send)

    def _asked(self, scope: Message) -> tuple[str, File]:
        """Raises `Denied`. What is no file is a page of the app's own: it shows that by itself."""
        path = scope["path"]
        if scope["type"] == "websocket":
            raise Denied(404, "not_found", f"there is no WebSocket at {path!r}")
        if scope["method"] not in ("GET", "HEAD"):
            text = f"{path!r} is a file: it is got, not changed by {scope['method']}"
            raise Denied(405, "method_not_allowed", text, headers={"allow": "GET, HEAD"})
        if not self._files:
            raise Denied(404, "app_not_built", GET_IT)
        name = path.removeprefix(ROOT)
        if name not in self._files:
            if name.startswith(ASSETS):  # of another version: no page stands for a script
                raise Denied(404, "not_found", f"there is no file {path!r}: load the page again")
            name = INDEX
        return name, self._files[name]


async def answer(file: File, name: str, scope: Message, send: Send) -> None:
    """The file; or that it is the one which the browser has."""
    headers = POLICY | {
        "cache-control": FOR_EVER if name.startswith(ASSETS) else LOOK_AGAIN,
        "etag": file.etag,
        "vary": "accept-encoding",
    }
    if is_known(file, scope):
        await _send(304, headers, b"", send)
        return
    body = file.body
    if file.squeezed is not None and takes_gzip(header(scope, b"accept-encoding") or ""):
        headers["content-encoding"] = "gzip"
        body = file.squeezed
    headers |= {"content-type": file.media_type, "content-length": str(len(body))}
    await _send(200, headers, body if scope["method"] == "GET" else b"", send)


def is_known(file: File, scope: Message) -> bool:
    """Whether the browser has it already."""
    known = (header(scope, b"if-none-match") or "").split(",")
    return any(tag.strip() in (file.etag, "*") for tag in known)


def takes_gzip(accepted: str) -> bool:
    """Whether an `Accept-Encoding` names it, and not to say no to it."""
    for coding in accepted.lower().split(","):
        name, _, weight = coding.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


async def _send(status: int, headers: dict[str, str], body: bytes, send: Send) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
