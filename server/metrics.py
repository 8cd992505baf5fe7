"""What an operator watches, for Prometheus. Labels come from closed sets, never from clients."""

import asyncio
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from engine.frames import Failure, Frame, ResponseEnded, TurnMeasured
from engine.pool import PoolStatus

PoolStatuses = Callable[[], Iterable[PoolStatus]]

STAGE_BUCKETS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 1.3, 1.7, 2.5, 4.0, 8.0)
LAG_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0)
LAG_EVERY_S = 0.25


class Metrics:
    """The process's counters. `observe` sees every frame that a session tells its transport."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.sessions = Gauge("voiceforge_sessions", "Sessions that are open.", registry=registry)
        self.refused = Counter(
            "voiceforge_sessions_refused",
            "Sessions refused, by reason.",
            ["reason"],
            registry=registry,
        )
        self._ended = Counter(
            "voiceforge_sessions_ended", "Sessions ended, by reason.", ["reason"], registry=registry
        )
        self._responses = Counter(
            "voiceforge_responses", "Responses, by how they ended.", ["status"], registry=registry
        )
        self._interruptions = Counter(
            "voiceforge_interruptions", "Replies that the caller interrupted.", registry=registry
        )
        self._false_pauses = Counter(
            "voiceforge_false_pauses",
            "Pauses of the agent's speech that turned out to be no interruption.",
            registry=registry,
        )
        self._errors = Counter(
            "voiceforge_errors", "Errors that clients were told of.", ["code"], registry=registry
        )
        self._stages = Histogram(
            "voiceforge_turn_stage_seconds",
            "When each stage of a turn was reached, from the caller's last voiced sample.",
            ["stage"],
            buckets=STAGE_BUCKETS,
            registry=registry,
        )
        self._lag = Histogram(
            "voiceforge_event_loop_lag_seconds",
            "How late the event loop woke.",
            buckets=LAG_BUCKETS,
            registry=registry,
        )

    def observe(self, frame: Frame) -> None:
        """Count what a session just told its transport."""
        match frame:
            case TurnMeasured(stages=stages, prepared=True):  # others have no last voiced sample
                for stage, at_ms in stages.items():
                    self._stages.labels(stage).observe(max(0.0, at_ms) / 1000)
            case ResponseEnded(status=status, reason=reason):
                self._responses.labels(status).inc()
                if reason == "turn_detected":
                    self._interruptions.inc()
            case Failure(code=code):
                self._errors.labels(code).inc()

    def session_ended(self, reason: str, false_pauses: int) -> None:
        """Count a session that is over."""
        self.sessions.dec()
        self._ended.labels(reason).inc()
        self._false_pauses.inc(false_pauses)

    def watch_pools(self, statuses: PoolStatuses) -> None:
        """Export the pools' queues and restarts from now on."""
        self.registry.register(PoolCollector(statuses))

    async def watch_loop(self) -> None:
        """Measure the event loop's lag until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_EVERY_S
            await asyncio.sleep(LAG_EVERY_S)
            self._lag.observe(max(0.0, loop.time() - due))

    def exposition(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)


class PoolCollector(Collector):
    """Reads the pools when Prometheus asks."""

    def __init__(self, statuses: PoolStatuses) -> None:
        self._statuses = statuses

    def collect(self) -> Iterable[Metric]:
        """The current state of every pool."""
        up = gauge("up", "Workers of the pool that serve.")
        open_requests = gauge("in_flight", "Requests that are open.")
        queued = gauge("queued", "Requests that wait inside the worker.")
        restarts = CounterMetricFamily(
            "voiceforge_pool_restarts", "Workers that died and were restarted.", labels=["pool"]
        )
        for status in self._statuses():
            up.add_metric([status.name], status.up)
            open_requests.add_metric([status.name], status.in_flight)
            queued.add_metric([status.name], status.queued)
            restarts.add_metric([status.name], status.restarts)
        return [up, open_requests, queued, restarts]


def gauge(name: str, told: str) -> GaugeMetricFamily:
    """A gauge of every pool."""
    return GaugeMetricFamily(f"voiceforge_pool_{name}", told, labels=["pool"])
