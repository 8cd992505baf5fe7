"""OpenTelemetry traces of turns: where the time between the caller's last word and the answer went.

Finished spans go to a collector as OTLP over HTTP in its JSON encoding (opentelemetry.io, OTLP
1.5), which is a POST of a small document: the SDK would bring a dozen packages and a thread. A
collector that does not answer costs spans, never time.
"""

import asyncio
import logging
import secrets
import time
from collections import deque
from typing import Any

import aiohttp
import msgspec

from engine.frames import Frame, TurnMeasured
from server.version import VERSION

log = logging.getLogger(__name__)

EXPORT_EVERY_S = 2.0
PATIENCE_S = 10.0
MOST_WAITING = 2048
"""Spans that wait for the collector; older ones are dropped."""

INTERNAL = 1  # SPAN_KIND_INTERNAL


class Tracing:
    """Makes a trace of every turn; `run` sends them to `endpoint`, such as http://host:4318."""

    def __init__(self, endpoint: str, gateway: int) -> None:
        self.dropped = 0
        self._url = endpoint.rstrip("/") + "/v1/traces"
        self._gateway = gateway
        self._waiting: deque[dict[str, Any]] = deque()
        self._failing = False

    def observe(self, session_id: str, frame: Frame) -> None:
        """Take note of what a session just told its transport: its `TurnMeasured` are turns."""
        if isinstance(frame, TurnMeasured) and frame.stages:
            self._waiting.extend(spans_of(session_id, frame, time.time_ns()))
            self._drop_oldest()

    async def run(self) -> None:
        """Export until cancelled."""
        timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
        async with aiohttp.ClientSession(timeout=timeout) as http:
            while True:
                await asyncio.sleep(EXPORT_EVERY_S)
                if self._waiting:
                    await self._export(http)

    async def _export(self, http: aiohttp.ClientSession) -> None:
        spans = list(self._waiting)
        self._waiting.clear()
        headers = {"content-type": "application/json"}
        try:
            async with http.post(
                self._url, data=msgspec.json.encode(self._document(spans)), headers=headers
            ) as answer:
                failure = None if answer.status == 200 else f"HTTP {answer.status}"
                again = answer.status in (429, 502, 503, 504)  # what OTLP says to send again
        except (aiohttp.ClientError, TimeoutError) as error:
            failure, again = type(error).__name__, True
        if failure is not None:
            if again:
                self._waiting.extendleft(reversed(spans))
                self._drop_oldest()
            else:
                self.dropped += len(spans)
            if not self._failing:
                log.warning("traces cannot be exported", extra={"error": failure})
        self._failing = failure is not None

    def _drop_oldest(self) -> None:
        while len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()
            self.dropped += 1

    def _document(self, spans: list[dict[str, Any]]) -> dict[str, Any]:
        resource = {
            "service.name": "voiceforge",
            "service.version": VERSION,
            "service.instance.id": f"gateway-{self._gateway}",
        }
        scope = {"scope": {"name": "voiceforge"}, "spans": spans}
        attributes = [attribute(name, value) for name, value in resource.items()]
        return {"resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": [scope]}]}


def spans_of(session_id: str, turn: TurnMeasured, now_ns: int) -> list[dict[str, Any]]:
    """A turn's spans: one from the caller's last voiced sample on, within it one up to each stage.

    `now_ns` (since 1970) is when the last stage was reached.
    """
    trace, root = secrets.token_hex(16), secrets.token_hex(8)
    stages = sorted(turn.stages.items(), key=lambda stage: stage[1])
    voiced_ns = now_ns - int(max(0.0, stages[-1][1]) * 1e6)

    def span(name: str, begin_ms: float, end_ms: float, **more: Any) -> dict[str, Any]:
        begin, end = (voiced_ns + int(ms * 1e6) for ms in (begin_ms, end_ms))
        times = {"startTimeUnixNano": str(begin), "endTimeUnixNano": str(end)}
        return {"traceId": trace, "name": name, "kind": INTERNAL, **times, **more}

    told: dict[str, str | bool] = {
        "session.id": session_id,
        "response.id": turn.response_id,
        "response.prepared": turn.prepared,
    }
    attributes = [attribute(name, value) for name, value in told.items()]
    begin_ms = min(0.0, stages[0][1])
    spans = [span("turn", begin_ms, stages[-1][1], spanId=root, attributes=attributes)]
    for name, at_ms in stages:
        own = secrets.token_hex(8)
        spans.append(span(name, begin_ms, at_ms, spanId=own, parentSpanId=root))
        begin_ms = at_ms
    return spans


def attribute(name: str, value: str | bool) -> dict[str, Any]:
    """A key and its value, as OTLP's JSON has them."""
    kind = "boolValue" if isinstance(value, bool) else "stringValue"
    return {"key": name, "value": {kind: value}}
