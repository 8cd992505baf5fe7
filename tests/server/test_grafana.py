"""The dashboard asks for metrics that there are."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from engine.load import Load, Served
from engine.status import WorkerStatus
from server import metrics_of_all
from server.control import DatabaseStatus, GatewayStatus
from server.lag import LoopLag
from server.machine_metrics import database_metrics, gateway_metrics, worker_metrics
from server.metrics import Metrics

FILE = Path(__file__).parents[2] / "server" / "grafana.json"
PANELS = json.loads(FILE.read_text())["panels"]


def exported() -> str:
    """Every metric that a server shows, with its labels."""
    metrics = Metrics(LoopLag())
    metrics.count_refusal("full")
    worker = WorkerStatus("stt", load=Load(served={1: Served()}, batches={1: 1}))
    machine = [
        *gateway_metrics([GatewayStatus(0)]),
        *worker_metrics([worker]),
        *database_metrics(DatabaseStatus(embedded=True)),
    ]
    return metrics.exposition() + metrics_of_all.exposition(machine)


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: str(panel["title"]))
def test_each_panel_shows_what_is_exported(panel: dict[str, Any]) -> None:
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", exported(), re.MULTILINE))
    for target in panel["targets"]:
        names = re.findall(r"voiceforge_\w+", target["expr"])
        assert names
        for name in names:
            assert name in types or name.removesuffix("_bucket") in types, name


def test_every_metric_of_a_process_has_a_panel() -> None:
    asked = " ".join(target["expr"] for panel in PANELS for target in panel["targets"])
    told = set(
        re.findall(
            r"^# TYPE (voiceforge_(?:worker|gateway|database)_\w+)", exported(), re.MULTILINE
        )
    )
    left_out = {"voiceforge_worker_queued", "voiceforge_worker_running"}  # the oldest says more
    assert {name for name in told if name not in asked} == left_out
