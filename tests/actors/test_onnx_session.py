"""ONNX models on whatever computes them sooner."""

import logging
import time
from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import pytest

from actors.onnx_session import CPU, CUDA, quickest, session
from actors.silences import holds_speech
from actors.warm import A_SECOND

Make = Callable[[str], "Model"]


class Model:
    """Takes `seconds` for a batch."""

    def __init__(self, provider: str, seconds: float, lanes: int = 1, max_batch: int = 1) -> None:
        self.provider = provider
        self.lanes = lanes
        self.max_batch = max_batch
        self._seconds = seconds

    def warm_up(self) -> None:
        time.sleep(self._seconds)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU])


def test_without_a_gpu_nothing_is_tried() -> None:
    made = list[str]()

    def make(provider: str) -> Model:
        made.append(provider)
        return Model(provider, seconds=0)

    assert quickest(make).provider == CPU
    assert made == [CPU]


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize(
    ("on_cpu", "on_gpu", "quicker"),
    [
        (Model(CPU, 0.02), Model(CUDA, 0.001), CUDA),
        (Model(CPU, 0.001), Model(CUDA, 0.02), CPU),
        (Model(CPU, 0.02, lanes=8), Model(CUDA, 0.008), CPU),
        (Model(CPU, 0.004), Model(CUDA, 0.02, max_batch=16), CUDA),
    ],
    ids=["gpu", "cpu", "cpu by its lanes", "gpu by its batches"],
)
def test_the_one_that_serves_more_is_taken(on_cpu: Model, on_gpu: Model, quicker: str) -> None:
    assert quickest({CPU: on_cpu, CUDA: on_gpu}.__getitem__).provider == quicker


@pytest.mark.usefixtures("gpu")
def test_a_gpu_that_does_not_work_is_told_of_and_left_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def make(provider: str) -> Model:
        if provider == CUDA:
            raise RuntimeError("CUDA error 35: driver too old")
        return Model(provider, seconds=0)

    with caplog.at_level(logging.WARNING):
        assert quickest(make).provider == CPU
    assert "the GPU cannot be used" in caplog.text
    assert "driver too old" in caplog.text


def doubling() -> bytes:
    """A model: y = x + x."""
    value = onnx.helper.make_tensor_value_info
    floats = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Add", ["x", "x"], ["y"])],
        "doubling",
        [value("x", floats, ["n"])],
        [value("y", floats, ["n"])],
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    return bytes(
        onnx.helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()
    )


def test_a_model_runs_from_its_bytes() -> None:
    (doubled,) = session(doubling(), threads=1).run(None, {"x": np.array([1, 2], np.float32)})
    assert doubled.tolist() == [2, 4]


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_a_provider_that_does_not_start_is_an_error_and_not_quietly_the_cpu() -> None:
    with pytest.raises(RuntimeError, match="CoreMLExecutionProvider does not start"):
        session(doubling(), threads=1, provider="CoreMLExecutionProvider")


def test_models_are_warmed_up_with_what_they_listen_to() -> None:
    samples = np.frombuffer(A_SECOND, np.int16) * np.float32(1 / 32768)
    assert len(samples) == 16_000
    assert holds_speech(samples, 16_000)
