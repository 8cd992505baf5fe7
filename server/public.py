"""What needs no key. Everything else asks for one (`server.access.guard`)."""

from server import web_app
from server.recording import links
from server.speech import previews
from transports.outbox import Message

NO_KEY: list[dict[str, list[str]]] = [{}]
"""How OpenAPI says that a route needs none."""

PATHS = frozenset({"/", "/healthz", "/readyz", "/metrics", "/docs", "/schema/openapi.json"})

SHAPES = (links.SHAPE, previews.SHAPE, web_app.SHAPE)
"""Of signed links, which say themselves what they open; of what players in web pages ask for, which
have no key; and of the web app's files.
"""

WEB_SESSION = "/v1/web/session"
"""To which a key is posted to sign in: it is in the body."""


def is_public(scope: Message) -> bool:
    """Whether what a connection asks for needs no key."""
    path = scope["path"]
    if path == WEB_SESSION:
        return scope.get("method") == "POST"
    return path in PATHS or any(shape.fullmatch(path) for shape in SHAPES)
