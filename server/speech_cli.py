"""`voiceforge say` and `voiceforge transcribe`: speech out and in, by a server that runs."""

import asyncio
import json
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, TypeVar

from cyclopts import Parameter

from server.reach import Config, Url, reach
from server.settings_sources import SettingsError
from server.web import WebError

T = TypeVar("T")

ENDINGS = {".mp3": "mp3", ".ogg": "opus", ".opus": "opus", ".flac": "flac", ".wav": "wav"}

Format = Literal["text", "srt", "vtt", "json", "verbose_json"]


def say(
    text: Annotated[str, Parameter(help="what is said; - reads it from standard input")],
    /,
    *,
    voice: Annotated[str, Parameter(help="who says it")] = "alloy",
    out: Annotated[
        Path | None,
        Parameter(
            name=["--out", "-o"],
            help="write it to this file: .mp3, .ogg, .flac or .wav; unset: play it",
        ),
    ] = None,
    speed: Annotated[float, Parameter(help="0.25 to 4")] = 1.0,
    url: Url = None,
    config: Config = None,
) -> None:
    """Say a text. Without --out it is played, where there is a sound device (and the package
    sounddevice).
    """
    from server.speech_client import played, saved  # what they need takes a moment to import

    if out is not None and out.suffix.lower() not in ENDINGS:
        fail(f"{out}: its name must end with {', '.join(ENDINGS)}")
    spoken = sys.stdin.read() if text == "-" else text
    wanted = {"input": spoken, "model": "voiceforge", "voice": voice, "speed": speed}
    try:
        server = reach(url, config)
    except (SettingsError, WebError) as error:
        fail(str(error))
    if out is None:
        run(played(server, wanted))
    else:
        run(saved(server, {**wanted, "response_format": ENDINGS[out.suffix.lower()]}, out))


def transcribe(
    file: Annotated[Path, Parameter(help="a recording of any kind")],
    /,
    *,
    form: Annotated[Format, Parameter(name="--format", help="what is printed")] = "text",
    out: Annotated[
        Path | None, Parameter(name=["--out", "-o"], help="write it to this file; unset: print it")
    ] = None,
    language: Annotated[str, Parameter(help="such as en; unset: it is found")] = "",
    model: Annotated[str, Parameter(help="who hears it")] = "whisper-1",
    prompt: Annotated[str, Parameter(help="names that may be said, with commas between")] = "",
    url: Url = None,
    config: Config = None,
) -> None:
    """Write down what is said in a recording. A terminal is shown how far it is."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from server.speech_client import transcript

    kind = "json" if form in ("text", "json") else "verbose_json"
    wanted = {"model": model, "language": language, "prompt": prompt, "response_format": kind}
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    try:
        server = reach(url, config)
    except (SettingsError, WebError) as error:
        fail(str(error))
    shown = Console(stderr=True)
    with Progress(*columns, console=shown, transient=True, disable=not shown.is_terminal) as bar:
        task = bar.add_task("sending", total=None)

        def far(at_s: float, of_s: float | None) -> None:
            bar.update(task, description=f"{clock(at_s)} heard", completed=at_s, total=of_s)

        told = run(transcript(server, file, wanted, far))
    text = written(told, form)
    if out is None:
        sys.stdout.write(text)
        return
    try:
        out.write_text(text, "utf-8")
    except OSError as error:
        fail(f"{out}: cannot be written: {error.strerror}")


def written(told: dict[str, Any], form: Format) -> str:
    """A transcript as it is printed."""
    from server.transcription.segments import Segment
    from server.transcription.subtitles import srt, vtt

    segments = [
        Segment(one["text"], round(one["start"] * 1000), round(one["end"] * 1000), 1.0)
        for one in told.get("segments", ())
    ]
    match form:
        case "text":
            return f"{told['text']}\n"
        case "srt":
            return srt(segments)
        case "vtt":
            return vtt(segments)
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n"


def clock(seconds: float) -> str:
    """Minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def run(work: Coroutine[Any, Any, T]) -> T:
    """What comes of it; what goes wrong is said in a line."""
    from aiohttp import ClientError

    from server.wav import RecordingError

    try:
        return asyncio.run(work)
    except (WebError, RecordingError) as error:
        fail(str(error))
    except ClientError as error:
        fail(f"{error}: is the server running there?")
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def fail(message: str) -> NoReturn:
    print(f"voiceforge: {message}", file=sys.stderr)
    sys.exit(1)
