"""How fetching is told, and stopped."""

import threading

import pytest

from server.pulling import Pulling, Stopped


def test_progress_is_a_line_now_and_then_and_the_state_always() -> None:
    told: list[str] = []
    states: list[str] = []
    pulling = Pulling(told.append, states.append, threading.Event())
    for done in (1_000_000, 2_000_000, 3_000_000):
        pulling.moved("model.onnx", done, 3_000_000)
    assert states[1] == "fetching model.onnx: 2 of 3 MB"
    assert told == [states[0], states[2]]


def test_nobody_waits_for_a_download_that_is_no_longer_wanted() -> None:
    stop = threading.Event()
    pulling = Pulling(lambda _: None, lambda _: None, stop)
    pulling.moved("model.onnx", 1, 2)
    stop.set()
    with pytest.raises(Stopped):
        pulling.moved("model.onnx", 2, 2)
