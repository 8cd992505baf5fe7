"""Prometheus metrics of the processes of one machine: its workers, their queues, its gateways."""

from collections.abc import Iterable, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from engine.inference import Priority
from engine.status import State, WorkerStatus
from server.control import DatabaseStatus, GatewayStatus


def gateway_metrics(gateways: Sequence[GatewayStatus]) -> Iterable[Metric]:
    """How the gateways are."""
    sessions = GaugeMetricFamily(
        "voiceforge_gateway_sessions", "Sessions by gateway.", labels=["gateway"]
    )
    lag = GaugeMetricFamily(
        "voiceforge_gateway_loop_lag_seconds",
        "How late the gateway's event loop woke at worst in the last second.",
        labels=["gateway"],
    )
    restarts = CounterMetricFamily(
        "voiceforge_gateway_restarts", "Gateways that died and were restarted.", labels=["gateway"]
    )
    memory = GaugeMetricFamily(
        "voiceforge_gateway_resident_bytes", "Memory that the gateway holds.", labels=["gateway"]
    )
    for gateway in gateways:
        name = [str(gateway.index)]
        sessions.add_metric(name, gateway.sessions)
        lag.add_metric(name, gateway.lag_ms / 1000)
        restarts.add_metric(name, gateway.restarts)
        memory.add_metric(name, gateway.resident_bytes)
    return [sessions, lag, restarts, memory]


def database_metrics(database: DatabaseStatus) -> Iterable[Metric]:
    """How the database is."""
    up = GaugeMetricFamily("voiceforge_database_up", "1 while PostgreSQL answers, else 0.")
    up.add_metric([], database.up)
    restarts = CounterMetricFamily(
        "voiceforge_database_restarts",
        "Times that the embedded PostgreSQL ended and was restarted.",
    )
    restarts.add_metric([], database.restarts)
    return [up, restarts]


def worker_metrics(workers: Sequence[WorkerStatus]) -> Iterable[Metric]:
    """How the workers are, what waits for them and what they have done."""
    yield from _states(workers)
    yield from _queues(workers)
    yield from _work(workers)


def _states(workers: Sequence[WorkerStatus]) -> Iterable[Metric]:
    up = GaugeMetricFamily("voiceforge_pool_up", "Workers that serve, by pool.", labels=["pool"])
    serving: dict[str, int] = {}
    for worker in workers:
        pool = worker.name.partition(":")[0]
        serving[pool] = serving.get(pool, 0) + (worker.state is State.READY)
    for pool, count in serving.items():
        up.add_metric([pool], count)
    yield up
    memory = _gauge("resident_bytes", "Memory that the worker holds.")
    restarts = _counter("restarts", "Workers that died and were restarted.")
    for worker in workers:
        memory.add_metric([worker.name], worker.resident_bytes)
        restarts.add_metric([worker.name], worker.restarts)
    yield from (memory, restarts)


def _queues(workers: Sequence[WorkerStatus]) -> Iterable[Metric]:
    queued = _gauge("queued", "Requests that wait.")
    oldest = _gauge("oldest_seconds", "How long the oldest of them has waited.")
    running = _gauge("running", "Requests that are worked on.")
    lanes = _gauge("lanes", "Runs of the model that may go on at once.")
    for worker in workers:
        load = worker.load
        queued.add_metric([worker.name], load.queued)
        oldest.add_metric([worker.name], load.oldest_ms / 1000)
        running.add_metric([worker.name], load.running)
        lanes.add_metric([worker.name], load.lanes)
    return [queued, oldest, running, lanes]


def _work(workers: Sequence[WorkerStatus]) -> Iterable[Metric]:
    busy = _counter("busy_seconds", "Time that all lanes have worked, together.")
    begun = _counter("requests", "Requests whose work has begun.", "priority")
    waited = _counter("waited_seconds", "Time that they waited before.", "priority")
    late = _counter("late", "Requests with their first result after its deadline.", "priority")
    compute = _counter("compute_seconds", "Time that requests took of the model.", "priority")
    batches = _counter("batches", "Runs of the model, by how many requests they took.", "size")
    for worker in workers:
        busy.add_metric([worker.name], worker.load.worked_ms / 1000)
        for number, served in worker.load.served.items():
            labels = [worker.name, Priority(number).name.lower()]
            begun.add_metric(labels, served.begun)
            waited.add_metric(labels, served.waited_ms / 1000)
            late.add_metric(labels, served.late)
            compute.add_metric(labels, served.compute_ms / 1000)
        for size, count in worker.load.batches.items():
            batches.add_metric([worker.name, str(size)], count)
    return [busy, begun, waited, late, compute, batches]


def _gauge(name: str, told: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"voiceforge_worker_{name}", told, labels=["worker"])


def _counter(name: str, told: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"voiceforge_worker_{name}", told, labels=["worker", *labels])
