"""The metrics of several gateways in one exposition."""

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector


def labelled(families: Iterable[Metric], gateway: int) -> Iterable[Metric]:
    """The families with a label that names the gateway.

    A sum over gateways would fall when one of them is started again, and Prometheus would take that
    for a new beginning of them all.
    """
    for family in families:
        samples = [
            sample._replace(labels={**sample.labels, "gateway": str(gateway)})
            for sample in family.samples
            if not sample.name.endswith("_created")
        ]
        made = Metric(family.name, family.documentation, family.type)
        made.samples = samples
        yield made


def together(texts: Sequence[str]) -> str:
    """Expositions of the same metrics with different labels as one."""
    if len(texts) == 1:
        return texts[0]
    families: dict[str, Metric] = {}
    for text in texts:
        for family in text_string_to_metric_families(text):
            kept = families.setdefault(family.name, family)
            if kept is not family:
                kept.samples += family.samples
    return exposition(families.values())


class _Made(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


def exposition(families: Iterable[Metric]) -> str:
    """The families in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Made(families))
    return generate_latest(registry).decode()
