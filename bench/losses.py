"""A browser behind a bad line: whether its caller is answered, and what it hears of the answers.

Calls over the line as it is and as it should be take turns, with the same turns said.
"""

import random
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import inflect
import msgspec
import numpy as np

from actors.store import Store
from actors.whisper import Whisper
from bench import servers
from bench.bad_line import HERE, Impairment, line
from bench.browser import MICROPHONE_HZ, BrowserFailed, Recording, called
from bench.browser_calls import SESSION, spoken
from bench.hearsay import words
from bench.report import RESAMPLES, Row
from bench.servers import Server
from bench.sound import Turn, resample, to_pcm
from bench.takes import Exchange, exchanges, microphone
from bench.whisper_batches import corrections
from engine.capabilities import Clip

BAD = Impairment(loss=0.05, delay_ms=30, jitter_ms=30)
GOOD = Impairment()

GAP_S = 9.0
FIRST_S = 8.0
"""Until a call is there, where what sets it up is lost too."""

AROUND_S = 0.3
"""Of an answer, before and behind."""

SAID = "response.output_audio_transcript.done"
UNDERSTOOD = "conversation.item.input_audio_transcription.completed"

NUMBERS = inflect.engine()

LISTENING = {"turn_detection": {"type": "semantic_vad"}, "transcription": {"model": "whisper-1"}}
TALK = SESSION | {"max_output_tokens": "inf", "audio": {"input": LISTENING}}


class Words(msgspec.Struct, frozen=True):
    """How many words there were, and how many corrections what became of them takes."""

    wrong: int
    all: int


class Call(msgspec.Struct):
    """One call: what became of its turns, of the words that the agent said, and of the caller's."""

    exchanges: list[Exchange] = []
    agent: list[Words] = []
    caller: list[Words] = []
    told: str = ""


def measured(turns: int, block: int, seed: int, keep: Path | None) -> tuple[list[Row], list[str]]:
    """The rows, and what they do not tell. Raises `LineFailed`."""
    whisper = Whisper(Store().pull("whisper-base"))
    done: dict[bool, list[Call]] = {False: [], True: []}
    draw = random.Random(seed)
    blocks = spoken(turns, block, seed)
    with servers.answerer() as llm, servers.ours(llm, {"VOICEFORGE_HOST": "0.0.0.0"}) as server:
        for number, said in enumerate(blocks):
            for bad in draw.sample((False, True), 2):
                call = called_over(BAD if bad else GOOD, server, said, number, whisper, keep)
                done[bad].append(call)
                name = "bad line" if bad else "good line"
                progress = f"[{number + 1}/{len(blocks)}] {name}: {call.told}"
                print(progress, file=sys.stderr, flush=True)
    return rows(done), notes(done)


def called_over(
    impairment: Impairment,
    server: Server,
    turns: Sequence[Turn],
    seed: int,
    whisper: Whisper,
    keep: Path | None,
) -> Call:
    """A call over such a line. Of one that did not come about all turns are lost."""
    sound, takes = microphone(turns, GAP_S, MICROPHONE_HZ, seed, FIRST_S)
    try:
        with line(impairment) as within:
            recording = called(
                server, "webrtc", sound, session=TALK, query={}, host=HERE, within=within
            )
    except BrowserFailed as failed:
        lost = [Exchange(turn.file, "lost") for turn in turns]
        return Call(lost, told=f"there was no call: {failed}")
    if keep is not None:
        recording.keep(keep, f"{seed:03}-{'bad' if impairment.loss else 'good'}")
    found = exchanges(takes, GAP_S, recording.said, recording.heard, recording.rate_hz)
    agent = [heard(recording, one, whisper) for one in found if one.answer_s is not None]
    return Call(found, agent, understood(recording, turns), received(recording, found))


def heard(recording: Recording, exchange: Exchange, whisper: Whisper) -> Words:
    """What was heard of an answer, against the words that the server says it spoke."""
    assert exchange.answer_s is not None
    begins, ends = exchange.answer_s
    text = " ".join(
        came.event["transcript"]
        for came in recording.events
        if came.event["type"] == SAID and begins - GAP_S / 3 < came.at_s < ends + GAP_S / 3
    )
    first, last = (round(at * recording.rate_hz) for at in (begins - AROUND_S, ends + AROUND_S))
    sound = resample(recording.heard[max(0, first) : last], recording.rate_hz, whisper.rate_hz)
    (transcript,) = whisper.transcribe([Clip(to_pcm(sound))])
    return Words(corrections(words(text), words(spelled(transcript.text))), len(words(text)))


def spelled(text: str) -> str:
    """With numbers in words, as they are said; Whisper writes digits."""
    return re.sub(r"\d+", lambda number: str(NUMBERS.number_to_words(number[0])), text)


def understood(recording: Recording, turns: Sequence[Turn]) -> list[Words]:
    """What the server understood of all that the caller said."""
    told = [c.event["transcript"] for c in recording.events if c.event["type"] == UNDERSTOOD]
    said = words(" ".join(turn.text for turn in turns))
    return [Words(corrections(said, words(" ".join(told))), len(said))]


def received(recording: Recording, found: Sequence[Exchange]) -> str:
    """One line for whoever watches."""
    lost = [one.file for one in found if one.outcome != "answered"]
    inbound = next((s for s in recording.statistics if s["type"] == "inbound-rtp"), {})
    names = ("packetsReceived", "packetsLost", "fecPacketsReceived", "fecPacketsDiscarded")
    numbers = ", ".join(f"{name} {inbound.get(name)}" for name in names)
    said = f"{len(found) - len(lost)} of {len(found)} answered"
    return f"{said}{' without ' + ' '.join(lost) if lost else ''}; {numbers}"


def rows(done: dict[bool, list[Call]]) -> list[Row]:
    """Both rows that have a goal, and what the server understood."""
    lost = float(sum(e.outcome == "lost" for call in done[True] for e in call.exchanges))
    agent, caller = (
        {bad: [one for call in calls for one in of(call)] for bad, calls in done.items()}
        for of in (of_agent, of_caller)
    )
    return [
        Row("loss_turns", lost, None, None, None, None, "turns"),
        points("loss_wer_points", agent[True], agent[False]),
        points("loss_caller_wer_points", caller[True], caller[False]),
    ]


def points(name: str, bad: Sequence[Words], good: Sequence[Words]) -> Row:
    """By how many points of 100 words more are wrong, with a 95 % interval by resampling both."""
    if not bad or not good:
        return Row(name, None, None, None, None, None, "points")
    rng = np.random.default_rng(0)
    sides = [np.array([(one.wrong, one.all) for one in some], np.float64) for some in (bad, good)]
    drawn = [side[rng.integers(len(side), size=(RESAMPLES, len(side)))].sum(1) for side in sides]
    spread = 100 * (drawn[0][:, 0] / drawn[0][:, 1] - drawn[1][:, 0] / drawn[1][:, 1])
    low, high = np.percentile(spread, [2.5, 97.5])
    return Row(name, share(bad) - share(good), None, None, float(low), float(high), "points")


def share(some: Sequence[Words]) -> float:
    """Percent of words that are wrong."""
    return 100 * sum(one.wrong for one in some) / max(1, sum(one.all for one in some))


def notes(done: dict[bool, list[Call]]) -> list[str]:
    """What the rows do not tell."""
    told = []
    for bad, name in ((True, "bad line"), (False, "good line")):
        turns = [e for call in done[bad] for e in call.exchanges]
        lost = sum(e.outcome == "lost" for e in turns)
        waits = [e.latency_ms for e in turns if e.latency_ms is not None]
        middle = f"{np.median(waits):.0f} ms" if waits else "none"
        agent, caller = ([w for c in done[bad] for w in of(c)] for of in (of_agent, of_caller))
        told.append(
            f"{name}: {len(turns)} turns, {lost} lost, p50 {middle}; {share(agent):.1f} % of "
            f"{sum(w.all for w in agent)} words wrong in what is heard, {share(caller):.1f} % of "
            f"{sum(w.all for w in caller)} in what is understood"
        )
    return told


def of_agent(call: Call) -> list[Words]:
    return call.agent


def of_caller(call: Call) -> list[Words]:
    return call.caller
