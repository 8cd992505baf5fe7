"""`voiceforge capacity`: measures how many callers this machine serves well."""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Annotated, NoReturn

import msgspec
from cyclopts import Parameter

from server import capacity as measuring
from server.capacity import Level, ServerFailed
from server.learning import Memory, state_folder
from server.machine import machine
from server.settings import Settings
from server.settings_sources import SettingsError, load
from server.store import store_of

DEFAULT_COUNTS = (1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64)


def capacity(
    *,
    callers: Annotated[
        str, Parameter(help="how many at once, one level after the other, such as 1,2,4,8")
    ] = ",".join(map(str, DEFAULT_COUNTS)),
    turns: Annotated[int, Parameter(help="questions that each caller asks, 1-8")] = 4,
    config: Annotated[Path | None, Parameter(help="TOML file, as for `serve`")] = None,
    keep: Annotated[
        bool,
        Parameter(help="remember it: `serve` admits so many at once, the app shows the curve"),
    ] = True,
    as_json: Annotated[
        bool, Parameter(name="--json", help="print one JSON line at the end", negative="")
    ] = False,
) -> None:
    """Measure how many callers at once this machine serves well, and print the curve.

    Starts a server of its own with your settings, lets more and more callers talk to it, and stops
    when answers come late or not at all. Takes about half a minute a level; run nothing else.
    """
    counts = _counts(callers)
    if not 1 <= turns <= len(measuring.QUESTIONS):
        _fail(f"--turns {turns}: 1 to {len(measuring.QUESTIONS)}")
    try:
        settings = load(config=config).settings
        found = asyncio.run(_measure(settings, counts, turns, config, quiet=as_json))
    except (SettingsError, ServerFailed) as error:
        _fail(str(error))
    learnt = measuring.learnt(found)
    if not found[0].holds(found[0]):
        _fail("already the first callers got no answer: is the machine busy with something else?")
    if keep:
        curve = measuring.curve(found, machine())
        Memory(state_folder(settings), settings).write(learnt, curve)
    if as_json:
        print(msgspec.json.encode({"levels": found, "learnt": learnt}).decode())
    else:
        more = "" if learnt.limit is not None else " or more"
        kept = "; `voiceforge serve` admits so many at once" if keep else ""
        print(f"this machine serves {learnt.held}{more} callers well{kept}")


async def _measure(
    settings: Settings, counts: list[int], turns: int, config: Path | None, *, quiet: bool
) -> list[Level]:
    arguments = [] if config is None else ["--config", str(config)]
    found: list[Level] = []
    with tempfile.TemporaryDirectory() as folder:
        questions = await asyncio.to_thread(
            measuring.speak_questions, store_of(settings), Path(folder)
        )
        with measuring.server(arguments) as site:
            if not quiet:
                print("callers  answers   p50 ms   p95 ms  unanswered", flush=True)
            async for level in measuring.levels(site, counts, turns, questions):
                found.append(level)
                if not quiet:
                    print(_row(level), flush=True)
    return found


def _row(level: Level) -> str:
    return (
        f"{level.callers:7}  {len(level.latencies_ms):7}  {level.percentile(50):7.0f}"
        f"  {level.percentile(95):7.0f}  {level.lost:10}"
    )


def _counts(text: str) -> list[int]:
    try:
        counts = [int(part) for part in text.split(",")]
    except ValueError:
        _fail(f"--callers {text!r}: numbers with commas between them, such as 1,2,4,8")
    if counts != sorted(set(counts)) or counts[0] < 1:
        _fail(f"--callers {text!r}: growing numbers from 1 on")
    return counts


def _fail(message: str) -> NoReturn:
    print(f"voiceforge capacity: {message}", file=sys.stderr)
    sys.exit(1)
