"""Turns as OpenTelemetry traces, at a collector that speaks OTLP/HTTP."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from engine.frames import TurnMeasured
from server import tracing
from server.tracing import Tracing, spans_of

STAGES = {"pause": 120.0, "transcript": 260.0, "verdict": 640.0, "first_audio": 660.0}
TURN = TurnMeasured("resp_1", STAGES, prepared=True)


class Collector:
    """Keeps what it is sent; answers with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.documents: list[dict[str, Any]] = []
        self.came = asyncio.Event()

    async def take(self, request: web.Request) -> web.Response:
        if self.status == 200:
            self.documents.append(await request.json())
        self.came.set()
        return web.Response(status=self.status)

    def spans(self) -> list[dict[str, Any]]:
        return [
            span
            for document in self.documents
            for resource in document["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]


@pytest.fixture
async def collector() -> Collector:
    return Collector()


@pytest.fixture
async def traces(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tracing]:
    monkeypatch.setattr(tracing, "EXPORT_EVERY_S", 0.02)
    app = web.Application()
    app.router.add_post("/v1/traces", collector.take)
    async with TestServer(app) as server:
        traces = Tracing(str(server.make_url("")), 3)
        running = asyncio.create_task(traces.run())
        yield traces
        running.cancel()
        await asyncio.wait([running])


async def some(collector: Collector) -> None:
    collector.came.clear()
    async with asyncio.timeout(10):
        await collector.came.wait()


def test_each_stage_begins_where_the_one_before_ended() -> None:
    turn, *stages = spans_of("sess_0_x", TURN, 10_000_000_000)
    assert [span["name"] for span in stages] == list(STAGES)
    ends = [turn["startTimeUnixNano"], *(span["endTimeUnixNano"] for span in stages)]
    assert [span["startTimeUnixNano"] for span in stages] == ends[:-1]
    assert turn["endTimeUnixNano"] == stages[-1]["endTimeUnixNano"] == "10000000000"
    assert int(turn["endTimeUnixNano"]) - int(turn["startTimeUnixNano"]) == 660_000_000
    assert {span["parentSpanId"] for span in stages} == {turn["spanId"]}
    assert {span["traceId"] for span in stages} == {turn["traceId"]}


async def test_turns_reach_the_collector(traces: Tracing, collector: Collector) -> None:
    traces.observe("sess_3_x", TURN)
    await some(collector)
    (document,) = collector.documents
    told = {
        one["key"]: one["value"] for one in document["resourceSpans"][0]["resource"]["attributes"]
    }
    assert told["service.name"] == {"stringValue": "voiceforge"}
    assert told["service.instance.id"] == {"stringValue": "gateway-3"}
    assert len(collector.spans()) == 1 + len(STAGES)
    assert {"key": "session.id", "value": {"stringValue": "sess_3_x"}} in collector.spans()[0][
        "attributes"
    ]


async def test_what_a_collector_refuses_is_sent_again_once(
    traces: Tracing, collector: Collector
) -> None:
    collector.status = 503
    traces.observe("sess_3_x", TURN)
    await some(collector)
    assert collector.documents == []
    collector.status = 200
    await some(collector)
    await asyncio.sleep(0.1)
    assert len(collector.spans()) == 1 + len(STAGES)


def test_without_a_collector_memory_is_bounded() -> None:
    traces = Tracing("http://127.0.0.1:9", 0)
    for _ in range(tracing.MOST_WAITING):
        traces.observe("sess_0_x", TURN)
    assert traces.dropped > 0
    assert len(traces._waiting) == tracing.MOST_WAITING
