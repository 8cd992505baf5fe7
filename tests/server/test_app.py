"""The web application's routes, around models that are scripted."""

import re
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from litestar.testing import AsyncTestClient
from litestar.types import ASGIApp, Receive, Scope, Send
from prometheus_client.parser import text_string_to_metric_families

from engine.frames import Failure, ResponseEnded, TurnMeasured, Usage
from engine.inference import InferenceError, Priority
from engine.load import Load, Served
from engine.status import State, WorkerStatus
from server.access.guard import Trusted
from server.app import build
from server.control import GatewayStatus
from server.door import OpenDoor
from server.lag import LoopLag
from server.metrics import Metrics
from server.public import PATHS
from server.readiness import Readiness
from server.routes import routes
from server.sessions import SessionRegistry
from server.settings import LimitSettings
from server.system import System


class Model:
    """A model that answers, or fails with `error`."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.asked = 0

    async def ask(self) -> None:
        self.asked += 1
        if self.error is not None:
            raise self.error


class Site:
    """An application, with hands on what it shows."""

    def __init__(
        self, client: AsyncTestClient[Any], readiness: Readiness, metrics: Metrics
    ) -> None:
        self.client = client
        self.readiness = readiness
        self.metrics = metrics
        self.model = Model()

    async def get(self, path: str) -> tuple[int, str]:
        answer = await self.client.get(path)
        return answer.status_code, answer.text

    async def samples(self) -> dict[str, float]:
        """Every sample of /metrics by name and labels, read with Prometheus' own parser."""
        _, text = await self.get("/metrics")
        return {
            ",".join([sample.name, *(v for k, v in sample.labels.items() if k != "gateway")]): (
                sample.value
            )
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


async def realtime(scope: Scope, receive: Receive, send: Send) -> None:
    """Accepts and closes."""
    await receive()
    await send({"type": "websocket.accept", "subprotocol": None, "headers": []})
    await send({"type": "websocket.close", "code": 1000, "reason": ""})


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    readiness, metrics = Readiness(("stt", "llm"), fresh_s=0), Metrics(LoopLag())
    sessions = SessionRegistry(lambda: None, LimitSettings(), metrics, OpenDoor())
    load = Load(
        queued=2,
        worked_ms=1500,
        served={Priority.FIRST: Served(4, 200, 1, 1200)},
        batches={1: 3, 8: 1},
    )
    worker = WorkerStatus("stt", State.READY, "/secret/path", 17, 1, 5_000_000, load)
    system = System(0, lambda: [worker], sessions)
    system.gateways = (GatewayStatus(0, sessions=3, lag_ms=12.0),)
    app = Trusted(build(realtime, routes(readiness, metrics, system, has_app=False)))
    async with AsyncTestClient(cast(ASGIApp, app)) as client:
        yield Site(client, readiness, metrics)


async def test_it_is_alive_before_any_model_is(site: Site) -> None:
    assert await site.get("/healthz") == (200, "ok")


async def test_it_is_not_ready_until_the_models_answer_and_says_what_is_missing(
    site: Site,
) -> None:
    site.readiness.loading("llm", "downloading, 40 %")
    answer = await site.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "ready": False,
        "models": {"stt": "not started yet", "llm": "downloading, 40 %"},
    }
    site.model.error = InferenceError("model_missing", "tokenizer.bin is missing")
    site.readiness.models_started({"stt": site.model.ask})
    status, text = await site.get("/readyz")
    assert status == 503
    assert "model_missing: tokenizer.bin is missing" in text


async def test_it_is_ready_when_every_model_answered(site: Site) -> None:
    site.readiness.models_started({"stt": site.model.ask})
    answer = await site.client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "models": {"stt": "ready"}}
    assert site.model.asked == 1


async def test_a_server_that_drains_is_not_ready(site: Site) -> None:
    site.readiness.models_started({"stt": site.model.ask})
    site.readiness.draining = True
    status, text = await site.get("/readyz")
    assert status == 503
    assert "draining" in text


async def test_metrics_are_what_prometheus_reads(site: Site) -> None:
    metrics = site.metrics
    stages = {"transcript": 80.0, "first_audio": 420.0}
    metrics.observe(TurnMeasured("resp_1", stages, prepared=True))
    metrics.observe(ResponseEnded("resp_1", "cancelled", "turn_detected", None, (), Usage()))
    metrics.observe(Failure("server_error", "worker_lost", "the worker was lost"))
    metrics.sessions.inc()
    metrics.session_ended("client_left", false_pauses=2)
    samples = await site.samples()
    assert samples["voiceforge_turn_stage_seconds_sum,first_audio"] == pytest.approx(0.42)
    assert samples["voiceforge_turn_stage_seconds_count,transcript"] == 1
    assert samples["voiceforge_responses_total,cancelled"] == 1
    assert samples["voiceforge_interruptions_total"] == 1
    assert samples["voiceforge_errors_total,worker_lost"] == 1
    assert samples["voiceforge_sessions_ended_total,client_left"] == 1
    assert samples["voiceforge_sessions"] == 0
    assert samples["voiceforge_false_pauses_total"] == 2
    assert samples["voiceforge_pool_up,stt"] == 1


async def test_the_machine_is_measured_by_worker_and_gateway(site: Site) -> None:
    samples = await site.samples()
    assert samples["voiceforge_worker_queued,stt"] == 2
    assert samples["voiceforge_worker_restarts_total,stt"] == 1
    assert samples["voiceforge_worker_resident_bytes,stt"] == 5_000_000
    assert samples["voiceforge_worker_busy_seconds_total,stt"] == 1.5
    assert samples["voiceforge_worker_waited_seconds_total,first,stt"] == pytest.approx(0.2)
    assert samples["voiceforge_worker_late_total,first,stt"] == 1
    assert samples["voiceforge_worker_batches_total,8,stt"] == 1
    assert samples["voiceforge_gateway_sessions"] == 3
    assert samples["voiceforge_gateway_loop_lag_seconds"] == pytest.approx(0.012)


async def test_the_whole_machine_is_shown_live_without_its_sockets(site: Site) -> None:
    answer = await site.client.get("/v1/system")
    shown = answer.json()
    assert shown["sessions"] == 3
    assert shown["workers"][0]["load"]["batches"] == {"1": 3, "8": 1}
    assert "/secret/path" not in answer.text


async def test_hanging_up_a_session_that_is_nowhere_is_refused(site: Site) -> None:
    answer = await site.client.post("/v1/realtime/calls/sess_0_nobody/hangup")
    assert answer.status_code == 404
    assert "sess_0_nobody" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_a_page_loads_nothing_from_anywhere(site: Site, path: str) -> None:
    status, text = await site.get(path)
    assert status == 200
    assert re.findall(r"<(?:script|link|img|iframe)|@import|url\(", text) == []
    assert [
        link for link in re.findall(r'(?:href|src)="([^"]*)"', text) if link[0] not in "/#"
    ] == []


async def test_the_documentation_names_every_route_alias_and_setting(site: Site) -> None:
    _, text = await site.get("/docs")
    for name in ("GET /readyz", "alloy", "gpt-realtime", "voiceforge.turn.measured"):
        assert name in text
    for name in ("VOICEFORGE_LIMITS__MAX_SESSIONS", "resume", "?call_id="):
        assert name in text


async def test_the_documentation_shows_what_routes_take_and_every_link_leads_somewhere(
    site: Site,
) -> None:
    _, text = await site.get("/docs")
    anchors = set(re.findall(r'id="([^"]*)"', text))
    assert {link[1:] for link in re.findall(r'href="(#[^"]*)"', text)} <= anchors


async def test_the_routes_are_described_as_openapi(site: Site) -> None:
    described = (await site.client.get("/schema/openapi.json")).json()
    assert described["openapi"].startswith("3.")
    assert {"/healthz", "/readyz", "/metrics"} <= set(described["paths"])


async def test_every_public_route_is_there_and_the_list_is_whole(site: Site) -> None:
    for path in PATHS:
        assert (await site.get(path))[0] in (200, 503), path


async def test_an_unknown_path_is_refused_in_the_shape_of_openais_errors(site: Site) -> None:
    answer = await site.client.get("/v1/nothing")
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "invalid_request_error"
