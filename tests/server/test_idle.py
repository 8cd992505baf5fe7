"""When a model that was loaded on demand is unloaded."""

from engine.load import Load, Served
from engine.status import State, WorkerStatus
from server.idle import MOMENT_S, Idle


def worker(name: str, begun: int, running: int = 0, state: State = State.READY) -> WorkerStatus:
    return WorkerStatus(name, state, load=Load(running=running, served={1: Served(begun)}))


def test_what_nobody_used_for_long_is_unloaded() -> None:
    idle = Idle(60)
    assert idle.to_unload([worker("whisper", 3)], 0, scarce=False) == []
    assert idle.to_unload([worker("whisper", 3)], 59, scarce=False) == []
    assert idle.to_unload([worker("whisper", 3)], 61, scarce=False) == ["whisper"]


def test_use_and_work_in_progress_keep_it() -> None:
    idle = Idle(60)
    idle.to_unload([worker("whisper", 3)], 0, scarce=False)
    idle.to_unload([worker("whisper", 4)], 50, scarce=False)
    assert idle.to_unload([worker("whisper", 4)], 100, scarce=False) == []
    assert idle.to_unload([worker("whisper", 4, running=1)], 120, scarce=False) == []
    assert idle.to_unload([worker("whisper", 4)], 181, scarce=False) == ["whisper"]


def test_one_that_is_just_woken_is_not_put_to_sleep_before_its_first_request() -> None:
    idle = Idle(60)
    idle.to_unload([worker("whisper", 0)], 0, scarce=False)
    idle.used("whisper", 100)
    assert idle.to_unload([worker("whisper", 0)], 110, scarce=False) == []


def test_scarce_memory_takes_the_longest_idle_but_nothing_just_used() -> None:
    idle = Idle(600)
    both = [worker("whisper", 1), worker("kokoro", 1)]
    idle.to_unload(both, 0, scarce=False)
    idle.to_unload([worker("whisper", 1), worker("kokoro", 2)], 50, scarce=False)
    later = [worker("whisper", 1), worker("kokoro", 2)]
    assert idle.to_unload(later, 51, scarce=True) == ["whisper"]
    asleep = [worker("whisper", 0, state=State.ASLEEP), worker("kokoro", 2)]
    assert idle.to_unload(asleep, 52, scarce=True) == []
    assert idle.to_unload(asleep, 50 + MOMENT_S, scarce=True) == ["kokoro"]


def test_what_is_not_loaded_is_not_unloaded() -> None:
    idle = Idle(1)
    for now in range(0, 100, 10):
        starting = [worker("whisper", 0, state=State.STARTING)]
        assert idle.to_unload(starting, now, scarce=True) == []
