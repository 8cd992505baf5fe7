"""What a log line says, and what it never says."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest

from engine.inference import InferenceError
from server import log
from server.settings import LogSettings

ours = logging.getLogger("engine.session")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers, root.level
    yield (stream := io.StringIO())
    root.handlers, level = before
    root.setLevel(level)
    assert stream is not None


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_its_fields(stream: io.StringIO) -> None:
    log.configure(LogSettings(), stream)
    ours.info("session started", extra={"voice": "joe", "weird": object})
    [line] = lines(stream)
    assert line["event"] == "session started"
    assert line["level"] == "info"
    assert line["logger"] == "engine.session"
    assert line["voice"] == "joe"
    assert str(line["time"]).endswith("+00:00")


async def test_what_a_session_starts_carries_its_id(stream: io.StringIO) -> None:
    log.configure(LogSettings(), stream)

    async def work() -> None:
        ours.info("worked")

    async def serve(session_id: str) -> None:
        log.serve_session(session_id)
        ours.info("served")
        await asyncio.create_task(work())

    await asyncio.gather(asyncio.create_task(serve("1")), asyncio.create_task(serve("2")))
    ours.info("nobody's")
    assert [(line["event"], line.get("session")) for line in lines(stream)] == [
        ("served", "1"),
        ("served", "2"),
        ("worked", "1"),
        ("worked", "2"),
        ("nobody's", None),
    ]


def test_an_exception_is_logged_by_type_code_and_place_not_by_what_it_quotes(
    stream: io.StringIO,
) -> None:
    log.configure(LogSettings(), stream)
    for error in (ValueError("cannot read 'my pin is 1234'"), InferenceError("lost", "pin 1234")):
        try:
            raise error
        except (ValueError, InferenceError):
            ours.exception("session failed")
    first, second = lines(stream)
    assert first["error"] == "ValueError"
    assert second["error"] == "InferenceError: lost"
    assert "test_log.py" in str(first["at"])
    assert "1234" not in stream.getvalue()


async def test_asyncio_is_cut_off_where_it_begins_to_quote(stream: io.StringIO) -> None:
    log.configure(LogSettings(), stream)

    async def fail() -> None:
        raise ValueError("pin 1234")

    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    lost = {"message": "Task exception was never retrieved", "exception": task.exception()}
    asyncio.get_running_loop().call_exception_handler({**lost, "future": task})
    logging.getLogger("asyncio").error("Exception in callback say('pin 1234')")
    assert [line["event"] for line in lines(stream)] == [
        "Task exception was never retrieved",
        "Exception in callback say",
    ]
    assert "1234" not in stream.getvalue()


def test_an_error_of_the_system_says_what_it_is(stream: io.StringIO) -> None:
    log.configure(LogSettings(format="text"), stream)
    try:
        open("/nowhere/at/all")  # noqa: PTH123, SIM115
    except OSError:
        ours.exception("cannot start")
    assert "No such file or directory: '/nowhere/at/all'" in stream.getvalue()


def test_other_peoples_loggers_are_heard_from_warning_up_whatever_our_level(
    stream: io.StringIO,
) -> None:
    log.configure(LogSettings(level="debug"), stream)
    ours.debug("ours")
    logging.getLogger("websockets.client").debug("< TEXT 'my pin is 1234'")
    logging.getLogger("websockets.client").warning("theirs")
    assert [line["event"] for line in lines(stream)] == ["ours", "theirs"]


def test_a_terminal_gets_lines_for_a_person(stream: io.StringIO) -> None:
    log.configure(LogSettings(format="text"), stream)
    ours.warning("slow", extra={"ms": 12, "session": "sess_1", "_of_a_library": 1})
    assert stream.getvalue().rstrip().endswith("warning slow  ms=12 session=sess_1")
