"""Starts and ends the servers that are measured, each in processes of its own."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec

from actors.llama import ENVIRONMENT
from server.access.admin_key import FILE, read

HOME = Path(__file__).parent.parent
OURS_PYTHON = Path(sys.executable)
PEER_PYTHON = HOME / ".venv-peers" / "bin" / "python"
READY_S = 120.0
STOP_S = 10.0


class ServerFailed(Exception):
    """A server ended, or did not become ready; the text holds the end of its log."""


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(
    command: Sequence[str | Path],
    ready: Callable[[], bool],
    *,
    core: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """Run a server until the block ends, and yield its process id once it is `ready`.

    `core` pins it and its children to one CPU. At the end it is asked to stop, as `kill` would ask;
    what then is left of its process group is killed.
    """
    if not Path(command[0]).exists():
        raise ServerFailed(f"{command[0]} does not exist: `make bench` makes it")
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=HOME,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,  # its end tells our own workers that we died
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=None if core is None else lambda: os.sched_setaffinity(0, {core}),
        )
        try:
            if not _becomes(ready, process):
                log.seek(0)
                end = log.read()[-2000:].decode(errors="replace")
                raise ServerFailed(f"{' '.join(map(str, command))} is not ready:\n{end}")
            yield process.pid
        finally:
            _end(process)


def answers(url: str) -> bool:
    """Whether `url` answers 200 now."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _becomes(ready: Callable[[], bool], process: "subprocess.Popen[bytes]") -> bool:
    give_up = time.monotonic() + READY_S
    while process.poll() is None and time.monotonic() < give_up:
        if ready():
            return True
        time.sleep(0.2)
    return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    """A server ends its own children, which would not outlive a signal to all of them."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Server(msgspec.Struct, frozen=True):
    """A server that is ready: its port on 127.0.0.1, the processes its others come from, and the
    key that it wants, if any.
    """

    port: int
    roots: tuple[int, ...]
    key: str = ""

    @property
    def url(self) -> str:
        """The base URL of its WebSockets."""
        return f"ws://127.0.0.1:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        """What shows the key."""
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}


class Llm(msgspec.Struct, frozen=True):
    """An OpenAI-compatible endpoint."""

    base_url: str
    api_key: str


@contextlib.contextmanager
def ours(llm: Llm | None = None, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Our server with its defaults, by `voiceforge serve`.

    `llm` is asked instead of the embedded one; `settings` are environment variables. What it learns
    of the machine is forgotten, unless they name another folder for that.
    """
    port = free_port()
    start = "from server.cli import main; main()"  # what the `voiceforge` script does
    command = [str(OURS_PYTHON), "-c", start, "serve", "--port", str(port)]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as state:
        Path(state).chmod(0o755)  # root's database runs as another user
        environment = {"VOICEFORGE_STATE": state, **(settings or {})}
        state = environment["VOICEFORGE_STATE"]
        if llm is not None:
            environment["VOICEFORGE_LLM__BASE_URL"] = llm.base_url
            environment["VOICEFORGE_LLM__MODEL"] = "story"
            environment["VOICEFORGE_LLM__API_KEY"] = llm.api_key
        ready = partial(answers, f"http://127.0.0.1:{port}/readyz")
        with running(command, ready, environment=environment) as pid:
            yield Server(port, (pid,), read(Path(state) / FILE) or "")


@contextlib.contextmanager
def peer(
    llm: Llm | None = None, *, models_each: bool = False, agent: str = "agent"
) -> Iterator[Server]:
    """The peer's agent, by the name of its program in `bench.peers`.

    Without `llm` it talks to a llama.cpp server of its own, set up as our embedded one. With
    `models_each` every session loads its models, else one set is shared by all.
    """
    port = free_port()
    roots: list[int] = []
    with contextlib.ExitStack() as stack:
        if llm is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            tell = Path(folder) / "llm.json"
            command: list[str | Path] = [OURS_PYTHON, "-m", "bench.llama", tell]
            roots.append(
                stack.enter_context(running(command, tell.exists, environment=ENVIRONMENT))
            )
            llm = msgspec.json.decode(tell.read_bytes(), type=Llm)
        command = [PEER_PYTHON, "-m", f"bench.peers.{agent}", "--port", str(port)]
        command += ["--llm", llm.base_url, f"--key={llm.api_key}"]
        command += ["--models-each"] if models_each else []
        with running(command, partial(answers, f"http://127.0.0.1:{port}/healthz")) as pid:
            yield Server(port, (*roots, pid))


@contextlib.contextmanager
def storyteller() -> Iterator[Llm]:
    """The endpoint that tells one long story (`bench.storyteller`)."""
    port = free_port()
    command = [str(OURS_PYTHON), "-m", "bench.storyteller", str(port)]
    with running(command, partial(answers, f"http://127.0.0.1:{port}/health")):
        yield Llm(f"http://127.0.0.1:{port}/v1", "story")


@contextlib.contextmanager
def answerer() -> Iterator[Llm]:
    """The endpoint that answers in two short sentences (`bench.answerer`)."""
    port = free_port()
    command = [str(OURS_PYTHON), "-m", "bench.answerer", str(port)]
    with running(command, partial(answers, f"http://127.0.0.1:{port}/health")):
        yield Llm(f"http://127.0.0.1:{port}/v1", "quick")
