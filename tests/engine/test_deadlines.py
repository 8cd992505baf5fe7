from hypothesis import given
from hypothesis import strategies as st

from engine.deadlines import DeadlineQueue

_OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["push", "promote", "remove", "pop", "batch"]),
        st.integers(0, 12),
        st.integers(1, 5),
        st.integers(0, 4).map(float),
    ),
    max_size=200,
)


@given(_OPERATIONS)
def test_the_queue_agrees_with_a_sorted_list(operations: list[tuple[str, int, int, float]]) -> None:
    queue: DeadlineQueue[int, str] = DeadlineQueue()
    model: dict[int, tuple[int, float, int]] = {}
    for turn, (operation, key, priority, deadline) in enumerate(operations):
        most_urgent_first = sorted(model, key=lambda key: model[key])
        match operation:
            case "push" if key not in model:
                queue.push(key, f"item {key}", priority, deadline)
                model[key] = (priority, deadline, turn)
            case "promote":
                assert queue.promote(key, priority, deadline) == (key in model)
                if key in model:
                    model[key] = (priority, deadline, model[key][2])
            case "remove":
                expected = f"item {key}" if model.pop(key, None) else None
                assert queue.remove(key) == expected
            case "pop" if model:
                assert queue.pop() == (most_urgent_first[0], f"item {most_urgent_first[0]}")
                del model[most_urgent_first[0]]
            case "batch" if model:
                same = [
                    k for k in most_urgent_first if model[k][0] == model[most_urgent_first[0]][0]
                ]
                assert [k for k, _ in queue.pop_batch(3)] == same[:3]
                for taken in same[:3]:
                    del model[taken]
        assert len(queue) == len(model)


def test_cancelled_work_holds_no_memory() -> None:
    queue: DeadlineQueue[int, str] = DeadlineQueue()
    for key in range(10_000):
        queue.push(key, "clip", 1, float(key))
        queue.remove(key)
    assert len(queue._heap) < 100


def test_promoting_forever_holds_no_memory() -> None:
    queue: DeadlineQueue[int, str] = DeadlineQueue()
    queue.push(1, "clip", 5, 0.0)
    for step in range(10_000):
        queue.promote(1, 5, float(step))
    assert len(queue._heap) < 100
