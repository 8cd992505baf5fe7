"""What an operator watches, for Prometheus. Labels come from closed sets, never from clients."""

import asyncio

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from engine.frames import Failure, Frame, ResponseEnded, TurnMeasured
from server.lag import LoopLag
from server.metrics_of_all import exposition, labelled

STAGE_BUCKETS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 1.3, 1.7, 2.5, 4.0, 8.0)
LAG_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0)


class Metrics:
    """A gateway's counters. `observe` sees every frame that a session tells its transport."""

    def __init__(self, lag: LoopLag, gateway: int = 0) -> None:
        self._gateway = gateway
        self.registry = registry = CollectorRegistry()
        self.sessions = Gauge("voiceforge_sessions", "Sessions that are open.", registry=registry)
        tasks = Gauge(
            "voiceforge_tasks",
            "Tasks of the event loop. Without sessions as many as at the start: more is a leak.",
            registry=registry,
        )
        tasks.set_function(_tasks)
        self._refused = Counter(
            "voiceforge_sessions_refused",
            "Sessions refused, by reason.",
            ["reason"],
            registry=registry,
        )
        self._denied = Counter(
            "voiceforge_requests_denied",
            "Requests that the guard did not let in, by code.",
            ["code"],
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
        lag.observe = self._lag.observe
        self._waits_ms: list[float] = []

    def observe(self, frame: Frame) -> None:
        """Count what a session just told its transport."""
        match frame:
            case TurnMeasured(stages=stages, prepared=True):  # others have no last voiced sample
                if "verdict" in stages and "first_audio" in stages:
                    self._waits_ms.append(max(0.0, stages["first_audio"] - stages["verdict"]))
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

    def waits_ms(self) -> tuple[float, ...]:
        """How long callers whose turn was over waited for each answer, since last asked."""
        waits, self._waits_ms = tuple(self._waits_ms), []
        return waits

    def count_refusal(self, reason: str) -> None:
        """A session was refused; `reason` is one of ours."""
        self._refused.labels(reason).inc()

    def count_denial(self, code: str) -> None:
        """A request was not served; `code` is one of ours."""
        self._denied.labels(code).inc()

    def exposition(self) -> str:
        """All of it in Prometheus' text format."""
        return exposition(labelled(self.registry.collect(), self._gateway))


def _tasks() -> float:
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:  # no loop runs here
        return 0
