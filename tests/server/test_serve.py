"""The whole product, with real models and real processes: serve, talk, stop."""

import asyncio
import json
import signal
import subprocess
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import soundfile
from prometheus_client.parser import text_string_to_metric_families

from server.access.admin_key import VARIABLE
from tests.server.program import PROGRAM, ROOT, Server, environment, voiceforge
from tests.server.wire import connected, typed, until

pytestmark = pytest.mark.models

TURNS = ROOT / "tests/data/turns"
QUESTION = "Who painted the Mona Lisa?"


@pytest.fixture
def question(tmp_path: Path) -> Path:
    """A labelled clip as WAV."""
    clips = json.loads((TURNS / "index.json").read_text())
    file = next(clip["file"] for clip in clips if clip["text"] == QUESTION)
    samples, rate_hz = soundfile.read(TURNS / file, dtype="int16")
    path = tmp_path / "question.wav"
    soundfile.write(path, samples, rate_hz)
    return path


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server.until_ready()


def gone(processes: list[psutil.Process], within_s: float) -> list[psutil.Process]:
    """Those that still run after a while."""
    _, alive = psutil.wait_procs(processes, timeout=within_s)
    return [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


def test_a_spoken_question_gets_a_spoken_sensible_answer(
    server: Server, question: Path, tmp_path: Path
) -> None:
    reply = tmp_path / "reply.wav"
    talk = ("talk", "--url", server.realtime_url, "--in", str(question), "--json")
    key = {VARIABLE: server.key}
    done = voiceforge(*talk, "--out", str(reply), "--stereo", timeout_s=120, **key)
    report = json.loads(done.out)
    [turn] = report["turns"]
    assert (done.status, report["errors"]) == (0, [])
    assert "mona lisa" in turn["caller"].lower()
    assert any(word in turn["agent"].lower() for word in ("vinci", "leonardo"))
    assert turn["response_latency_ms"] > 0
    assert not turn["cut"]
    order = ["speech_started", "speech_stopped", "response_created", "first_audio", "done"]
    times = [turn["timeline"][stage] for stage in order]
    assert times == sorted(times)
    with wave.open(str(reply)) as file:
        assert file.getnchannels() == 2
        assert file.getnframes() / file.getframerate() > turn["timeline"]["first_audio"] / 1000


def test_what_was_said_is_in_the_metrics_and_not_in_the_log(server: Server, question: Path) -> None:
    talk = ("talk", "--url", server.realtime_url, "--in", str(question))
    voiceforge(*talk, timeout_s=120, VOICEFORGE_STATE=str(server.state))  # where the key is
    samples = {
        sample.name + sample.labels.get("stage", ""): sample.value
        for family in text_string_to_metric_families(server.get("/metrics")[1])
        for sample in family.samples
    }
    assert samples["voiceforge_turn_stage_seconds_countfirst_audio"] >= 1
    assert samples["voiceforge_event_loop_lag_seconds_count"] > 0
    events = [line["event"] for line in server.logged()]
    assert "session opened" in events
    assert "session ended" in events
    written = "".join(server.err + server.out).lower()
    assert [word for word in ("mona", "lisa", "vinci") if word in written] == []


def test_it_is_ready_when_it_says_so(server: Server) -> None:
    status, text = server.get("/readyz")
    assert status == 200, text
    assert json.loads(text)["models"].keys() == {"stt", "turn", "llm", "tts"}


def test_sigterm_stops_it_and_all_that_it_started() -> None:
    with Server() as server:
        family = server.until_ready().family()
        assert len(family) == 6  # a gateway, four workers and PostgreSQL
        server.signal(signal.SIGTERM)
        assert server.wait(20) == 0
        assert gone(family, 1) == []


def test_sigterm_lets_the_agent_finish_its_sentence(question: Path, tmp_path: Path) -> None:
    with Server() as server:
        server.until_ready()
        talk = subprocess.Popen(
            [*PROGRAM, "talk", "--url", server.realtime_url, "--in", str(question), "--json"],
            cwd=ROOT,
            env=environment({VARIABLE: server.key}),
            stdout=subprocess.PIPE,
            text=True,
        )
        give_up = time.monotonic() + 60
        count = "voiceforge_turn_stage_seconds_count"
        while f'{count}{{gateway="0",stage="first_audio"}}' not in server.get("/metrics")[1]:
            assert time.monotonic() < give_up
            time.sleep(0.1)
        server.signal(signal.SIGTERM)
        report = json.loads(talk.communicate(timeout=60)[0])
        # It is hung up on while it waits whether more will be said, if it has not left before.
        messages = [error["message"] for error in report["errors"]]
        assert [text for text in messages if "the server ended the conversation" not in text] == []
        [turn] = report["turns"]
        assert any(name in turn["agent"] for name in ("Vinci", "Leonardo"))
        assert turn["agent"].rstrip().endswith(".")  # what was heard, up to its end
        assert server.wait(30) == 0


async def test_a_second_signal_ends_it_at_once() -> None:
    with Server() as server:
        family = server.until_ready().family()
        async with connected(server) as wire:
            await wire.send(typed("Tell me a long story about a lighthouse."))
            await wire.send({"type": "response.create"})
            await wire.until("response.output_audio.delta")
            server.signal(signal.SIGTERM)

            async def stopping() -> bool:
                return any(line["event"] == "stopping" for line in server.logged())

            await until(stopping, 10)
            server.signal(signal.SIGTERM)
            assert await asyncio.to_thread(server.wait, 5) == 128 + signal.SIGTERM
        assert gone(family, 5) == []


def test_a_signal_while_the_models_load_stops_it() -> None:
    with Server() as server:
        give_up = time.monotonic() + 30
        while not server.family():
            assert time.monotonic() < give_up
            time.sleep(0.02)
        server.signal(signal.SIGINT)
        assert server.wait(20) == 0


def test_a_kill_leaves_no_process_behind() -> None:
    with Server() as server:
        family = server.until_ready().family()
        server.signal(signal.SIGKILL)
        server.wait(5)
        assert gone(family, 5) == []


def test_a_worker_that_is_killed_is_replaced() -> None:
    with Server() as server:
        server.until_ready()
        for process in server.family():
            if "tts" in process.cmdline():
                process.kill()
        give_up = time.monotonic() + 60
        while (
            server.get("/readyz")[0] != 200
            or 'restarts_total{worker="tts"} 1' not in (server.get("/metrics")[1])
        ):
            assert time.monotonic() < give_up, server.get("/readyz")
            time.sleep(0.2)


def test_an_llm_that_is_not_there_is_said_and_keeps_it_unready() -> None:
    away = {"VOICEFORGE_LLM__BASE_URL": "http://127.0.0.1:9/v1", "VOICEFORGE_LLM__MODEL": "m"}
    with Server(**away) as server:
        status, text = server.until_ready().get("/readyz")
        assert status == 503
        models = json.loads(text)["models"]
        assert models["llm"].startswith("llm_unreachable")
        assert models["tts"] == "ready"
        assert len(server.family()) == 6
        server.until_told("llm   does not answer: llm_unreachable")
