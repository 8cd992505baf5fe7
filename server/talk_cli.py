"""`voiceforge talk`: a conversation from the terminal, with recordings or the microphone."""

import asyncio
import re
import sys
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from server import wav
from server.access.admin_key import key_for
from server.reach import here
from server.settings_sources import SettingsError, load
from server.talk import RATE_HZ, REALTIME, Report, Talk, TalkError, Wanted


def talk(
    *,
    url: Annotated[
        str | None,
        Parameter(
            help=f"the server's address; {REALTIME} unless it names a path"
            " [that of the one that runs on this machine]"
        ),
    ] = None,
    recordings: Annotated[
        tuple[Path, ...],
        Parameter(name="--in", help="WAV file to say; repeat it for several turns", negative=""),
    ] = (),
    out: Annotated[Path | None, Parameter(help="write what was heard to this WAV file")] = None,
    stereo: Annotated[
        bool, Parameter(help="write both sides: caller left, agent right", negative="")
    ] = False,
    as_json: Annotated[
        bool, Parameter(name="--json", help="print one JSON line at the end", negative="")
    ] = False,
    voice: Annotated[str, Parameter(help="the agent's voice")] = "",
    instructions: Annotated[str, Parameter(help="who the agent is")] = "",
    agent: Annotated[str, Parameter(help="who is to answer: an agent, by its id")] = "",
    wait_s: Annotated[float, Parameter(help="seconds to wait for each answer")] = 30.0,
    half_duplex: Annotated[
        bool, Parameter(help="close the microphone while the agent speaks", negative="")
    ] = False,
) -> None:
    """Talk to a server: say recordings at real pace as a caller would, or use the microphone.

    With loudspeakers the microphone hears the agent: use a headset, or --half-duplex. The key is
    that in VOICEFORGE_API_KEY, or on the server's own machine the administrator's. Ends with status
    1 when a question got no spoken answer.
    """
    where, key = _reached(url)
    wanted = Wanted(
        url=where,
        recordings=recordings,
        api_key=key,
        voice=voice,
        instructions=instructions,
        agent=agent,
        wait_s=wait_s,
        half_duplex=half_duplex,
    )
    conversation = Talk(wanted, silent if as_json else print)
    try:
        asyncio.run(conversation.hold())
    except KeyboardInterrupt:
        pass  # how a conversation by microphone ends
    except (TalkError, wav.RecordingError) as error:
        conversation.errors.append({"type": "talk_error", "message": str(error)})
        print(f"voiceforge talk: {error}", file=sys.stderr)
    report = conversation.report()
    if as_json:
        print(msgspec.json.encode(report).decode())
    else:
        summarise(report)
    written = (
        out is None or not conversation.heard.played or write(out, conversation, stereo=stereo)
    )
    sys.exit(0 if report.answered and not report.errors and written else 1)


def _reached(url: str | None) -> tuple[str, str]:
    """The server's address, and a key for it, if there is one."""
    try:
        settings = load().settings
        where = url or re.sub("^http", "ws", here(settings))
        return where, key_for(where, settings)
    except SettingsError as error:
        print(f"voiceforge talk: {error}", file=sys.stderr)
        sys.exit(1)


def write(out: Path, conversation: Talk, *, stereo: bool) -> bool:
    """Write what was heard; False if that cannot be."""
    left = [bytes(conversation.said)] if stereo else []
    try:
        wav.write(out, RATE_HZ, *left, conversation.heard.pcm())
    except OSError as error:
        print(f"voiceforge talk: {out}: cannot be written: {error.strerror}", file=sys.stderr)
        return False
    return True


def silent(_: str) -> None:
    """Says nothing while the conversation runs."""


def summarise(report: Report) -> None:
    """Print the figures of each turn."""
    for turn in report.turns:
        latency = turn.response_latency_ms
        told = "no answer" if latency is None else f"answer after {latency:.0f} ms"
        print(f"{turn.recording}: {told}{', caller was cut off' if turn.cut else ''}")
