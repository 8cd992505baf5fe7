"""The HTTP routes: health, readiness, metrics and the pages."""

from typing import Any

from litestar import MediaType, Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from server import docs, web_app
from server.access.authority import Needs
from server.access.caller import caller_of
from server.access.denied import Denied, retry
from server.metrics import Metrics
from server.metrics_of_all import together
from server.public import NO_KEY
from server.readiness import Readiness, State
from server.refusals import refusals
from server.system import GatewaySilent, System, Whole

RETRY_SILENT_S = 5


def routes(
    readiness: Readiness, metrics: Metrics, system: System, *, has_app: bool
) -> list[HTTPRouteHandler]:
    """The handlers, bound to the process that they tell of. `has_app`: whether `/app/` is there."""

    @get("/", media_type=MediaType.HTML, include_in_schema=False, sync_to_thread=False)
    def root(request: Request[Any, Any, Any]) -> Response[str]:
        if has_app and "text/html" in request.headers.get("accept", ""):
            return Redirect(web_app.ROOT)  # to a browser: others are shown how to ask
        return Response(docs.front(request.headers.get("host", "127.0.0.1:8000"), has_app))

    made: list[str] = []

    @get("/docs", media_type=MediaType.HTML, include_in_schema=False, sync_to_thread=True)
    def documentation(request: Request[Any, Any, Any]) -> str:
        if not made:  # 50 ms, in which nobody shall wait for audio
            made.append(docs.documentation(request.app.openapi_schema.to_schema()))
        return made[0]

    @get(
        "/healthz",
        media_type=MediaType.TEXT,
        sync_to_thread=False,
        security=NO_KEY,
        summary="Is it alive?",
    )
    def healthz() -> str:
        """`ok` as long as the process serves requests at all."""
        return "ok"

    @get("/readyz", summary="Do the models answer?", security=NO_KEY, raises=[])
    async def readyz() -> Response[State]:
        """200 when every model answered a small real request within the last 20 s, else 503.

        `models` says `ready`, or what is missing, by model.
        """
        state = await readiness.state()
        return Response(state, status_code=200 if state.ready else 503)

    @get(
        "/metrics",
        security=NO_KEY,
        media_type=MediaType.TEXT,
        responses=refusals(400, keyed=False),
        summary="For Prometheus",
    )
    async def prometheus(own: FromQuery[bool] = False) -> Response[str]:
        """Counters and histograms in Prometheus' text format.

        Those of all gateways, each labelled, wherever the question arrives; `own=true`: of one.
        """
        texts = [metrics.exposition()]
        if not own:
            texts += await system.texts_of_others("/metrics?own=true")
        shown = texts[0] if own else together(texts) + await system.exposition()
        return Response(shown, headers={"content-type": CONTENT_TYPE_LATEST})

    @get(
        "/v1/system",
        guards=[Needs("system")],
        responses=refusals(),
        summary="What runs here, and how busy it is",
    )
    async def live() -> Whole:
        """Gateways with their sessions, workers with their queues and batches, the machine, whether
        it lets another session in, and what `voiceforge capacity` measured of it.
        """
        return await system.whole()

    @post(
        "/v1/realtime/calls/{call_id:str}/hangup",
        status_code=200,
        guards=[Needs("sessions")],
        responses=refusals(404),
        summary="End a session",
    )
    async def hang_up(call_id: FromPath[str], request: Request[Any, Any, Any]) -> None:
        """End the session with this id, in whichever gateway it lives; 404 if it is nowhere."""
        try:
            found = await system.hang_up(call_id, caller_of(request.scope))
        except GatewaySilent as silent:
            raise retry(503, "gateway_silent", str(silent), RETRY_SILENT_S) from silent
        if not found:
            raise Denied(404, "session_not_found", f"no session {call_id!r} is open")

    return [root, documentation, healthz, readyz, prometheus, live, hang_up]
