"""The `voiceforge` program as a person runs it: in a process of its own."""

import atexit
import contextlib
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from server.access.admin_key import FILE, read
from server.database import FOLDER, KeptDatabase
from server.settings import Settings
from storage.embedded import EmbeddedPostgres
from tests.folder import folder

PROGRAM = (sys.executable, "-c", "from server.cli import main; main()")
ROOT = Path(__file__).resolve().parents[2]

LEAVING_S = 20

READY_S = 120  # models load in 2 s; a machine that is busy with something else takes longer


def voiceforge(*arguments: str, timeout_s: float = 60, **environ: str) -> "Ended":
    """Run a command to its end; with a state of its own, unless `environ` names one."""
    with contextlib.nullcontext() if "VOICEFORGE_STATE" in environ else state_for(environ):
        done = subprocess.run(
            [*PROGRAM, *arguments],
            cwd=ROOT,
            env=environment(environ),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    return Ended(done.returncode, done.stdout, done.stderr)


@contextlib.contextmanager
def state_for(environ: dict[str, str]) -> Iterator[Path]:
    """The state folder that `environ` names, else a new one that it names from now on."""
    with contextlib.ExitStack() as own:
        if "VOICEFORGE_STATE" not in environ:
            empty = own.enter_context(folder())
            copy = ("cp", "-a", f"{first_state()}/.", str(empty))  # with their owners
            subprocess.run(copy, check=True)
            environ["VOICEFORGE_STATE"] = str(empty)
        state = Path(environ["VOICEFORGE_STATE"])
        yield state
        database = EmbeddedPostgres(state / FOLDER)
        give_up = time.monotonic() + LEAVING_S
        while database.in_use():  # it ends a moment after its parent
            assert time.monotonic() < give_up
            time.sleep(0.02)


@functools.cache
def first_state() -> Path:
    """What a first start leaves in the state folder: one for all servers, since the database takes
    a second to make. What a first start does is tested where a test names the folder.
    """
    path = Path(tempfile.mkdtemp(prefix="vf-first-"))
    atexit.register(shutil.rmtree, path)
    path.chmod(0o755)
    start = "asyncio.run(start(Path(sys.argv[1])))"
    program = (
        f"import asyncio, sys; from pathlib import Path; from {__name__} import start; {start}"
    )
    command = [sys.executable, "-c", program, str(path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return path


async def start(state: Path) -> None:
    """Start a database in the state folder, as a server does, and stop it."""
    database = KeptDatabase(Settings(state=str(state)), lambda line: None)
    await database.start()
    await database.aclose()


def environment(given: dict[str, str]) -> dict[str, str]:
    """The tests' own environment, wide terminal, all sessions let in, with what is given.

    How many answers llama.cpp makes at once is not measured again at each start.
    """
    own = {"COLUMNS": "120", "OMP_NUM_THREADS": "1", "VOICEFORGE_LIMITS__ADMISSION": "off"}
    if "VOICEFORGE_LLM__BASE_URL" not in given:
        own["VOICEFORGE_LLM__AT_ONCE"] = "2"
    return os.environ | own | given


class Ended:
    """What a command left."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.out = out
        self.err = err


class Server:
    """`voiceforge serve` on a free port, with a state of its own. Use `with`; leaving the block
    kills it.
    """

    def __init__(self, *arguments: str, **environ: str) -> None:
        self._own = contextlib.ExitStack()
        self.state = self._own.enter_context(state_for(environ))
        self._process = subprocess.Popen(
            [*PROGRAM, "serve", "--port", "0", *arguments],
            cwd=ROOT,
            env=environment(environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.out: list[str] = []
        self.err: list[str] = []
        self._readers = [
            threading.Thread(target=collect, args=pair, daemon=True)
            for pair in ((self._process.stdout, self.out), (self._process.stderr, self.err))
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> "Server":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for reader in self._readers:
            reader.join()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        self._own.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def url(self) -> str:
        """Where it says that it listens."""
        line = next(line for line in self.out if "listens on" in line)
        return line.split(" on ")[1].split()[0]

    @property
    def realtime_url(self) -> str:
        return self.url.replace("http://", "ws://") + "/v1/realtime"

    @property
    def key(self) -> str:
        """The administrator's key."""
        found = read(self.state / FILE)
        assert found is not None
        return found

    @property
    def headers(self) -> dict[str, str]:
        """What shows it."""
        return {"Authorization": f"Bearer {self.key}"}

    def until_ready(self) -> "Server":
        """Wait until it says where it listens."""
        return self.until_told("listens on")

    def until_told(self, text: str) -> "Server":
        """Wait until it says something."""
        give_up = time.monotonic() + READY_S
        while not any(text in line for line in list(self.out)):
            assert self._process.poll() is None, self.err
            assert time.monotonic() < give_up, self.out + self.err
            time.sleep(0.05)
        return self

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of a page."""
        return self.ask("GET", path)

    def ask(
        self, method: str, path: str, body: Any = None, key: str | None = None
    ) -> tuple[int, str]:
        """Status and text of the answer to a request with the administrator's or another key."""
        headers = {"authorization": f"Bearer {key or self.key}", "content-type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode()

    def logged(self) -> list[dict[str, Any]]:
        """The lines of its log."""
        return [json.loads(line) for line in list(self.err) if line.startswith("{")]

    def family(self) -> list[psutil.Process]:
        """All processes that it started; of PostgreSQL the first, as its own come and go."""
        started: list[psutil.Process] = []
        for process in psutil.Process(self.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                parent = process.parent()
                if parent is not None and parent.name() != "postgres":
                    started.append(process)
        return started

    def gateway(self) -> psutil.Process:
        """The one process that carries sessions."""
        return next(p for p in self.family() if "server.gateway" in p.cmdline())

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, within_s: float) -> int:
        """Its exit status."""
        return self._process.wait(within_s)


def collect(pipe: Any, lines: list[str]) -> None:
    """Keep what comes out of a pipe, until it is closed."""
    for line in pipe:
        lines.append(line)  # noqa: PERF402 - others look while it grows
