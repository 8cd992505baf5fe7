"""The HTTP routes: health, readiness, metrics and the pages."""

from typing import Any

from litestar import MediaType, Request, Response, get
from litestar.handlers import HTTPRouteHandler
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from server import docs
from server.metrics import Metrics
from server.readiness import Readiness, State

PUBLIC = frozenset({"/", "/healthz", "/readyz", "/metrics", "/docs", "/schema/openapi.json"})
"""The routes that need no key. Everything else asks for one, once there are keys."""


def routes(readiness: Readiness, metrics: Metrics) -> list[HTTPRouteHandler]:
    """The handlers, bound to the process that they tell of."""

    @get("/", media_type=MediaType.HTML, include_in_schema=False, sync_to_thread=False)
    def root(request: Request[Any, Any, Any]) -> str:
        return docs.front(request.headers.get("host", "127.0.0.1:8000"))

    @get("/docs", media_type=MediaType.HTML, include_in_schema=False, sync_to_thread=False)
    def documentation(request: Request[Any, Any, Any]) -> str:
        return docs.documentation(request.app.openapi_schema.to_schema())

    @get("/healthz", media_type=MediaType.TEXT, sync_to_thread=False, summary="Is it alive?")
    def healthz() -> str:
        """`ok` as long as the process serves requests at all."""
        return "ok"

    @get("/readyz", summary="Do the models answer?", raises=[])
    async def readyz() -> Response[State]:
        """200 when every model answered a small real request within the last 20 s, else 503.

        `models` says `ready`, or what is missing, by model.
        """
        state = await readiness.state()
        return Response(state, status_code=200 if state.ready else 503)

    @get("/metrics", media_type=MediaType.TEXT, sync_to_thread=False, summary="For Prometheus")
    def prometheus() -> Response[bytes]:
        """Counters and histograms in Prometheus' text format."""
        return Response(metrics.exposition(), headers={"content-type": CONTENT_TYPE_LATEST})

    return [root, documentation, healthz, readyz, prometheus]
