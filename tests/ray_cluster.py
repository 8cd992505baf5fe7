"""A Ray cluster whose nodes run on this machine, each a tree of processes that can be killed."""

import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from engine.process import package_root

START_S = 180  # 4 s where nothing else runs
ACTOR = "ray::RayActor"  # how Ray calls the process of one


class RayCluster:
    """Its head serves as a node too. Use `with`: leaving the block kills every process."""

    def __init__(self) -> None:
        # A short path: Unix sockets lie deep inside it.
        self._folder = Path(tempfile.mkdtemp(prefix="vf-ray-", dir="/tmp"))
        self.address = f"127.0.0.1:{_free_port()}"
        self.nodes: list[subprocess.Popen[bytes]] = []
        self._numbers = itertools.count()
        port = self.address.partition(":")[2]
        self._start(
            "--head", f"--port={port}", "--include-dashboard=false", f"--temp-dir={self._folder}"
        )

    def __enter__(self) -> "RayCluster":
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes:
            _kill(node)
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self) -> subprocess.Popen[bytes]:
        """Start another node, and wait until it has joined."""
        return self._start(f"--address={self.address}")

    def lose(self, node: subprocess.Popen[bytes]) -> None:
        """Everything on the node ends at once, as when its power fails."""
        self.nodes.remove(node)
        _kill(node)

    def environment(self) -> dict[str, str]:
        """For whoever works with this cluster and with no other."""
        return {"RAY_TMPDIR": str(self._folder), "RAY_USAGE_STATS_ENABLED": "0"}

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", *arguments]
        limits = ["--block", "--num-cpus=2", "--object-store-memory=80000000"]
        environment = os.environ | self.environment() | {"PYTHONPATH": package_root()}
        log_path = self._folder / f"node-{next(self._numbers)}.log"
        with log_path.open("wb") as log:
            node = subprocess.Popen(
                [*command, *limits],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.nodes.append(node)
        try:
            _until(lambda: "Ray runtime started" in log_path.read_text() or node.poll() is not None)
            assert node.poll() is None, log_path.read_text()
        except BaseException:
            self.__exit__()
            raise
        return node


def actors_of(node: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The processes of our actors on a node."""
    found = []
    for process in psutil.Process(node.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if " ".join(process.cmdline()).startswith(ACTOR):
                found.append(process)
    return found


def _kill(node: subprocess.Popen[bytes]) -> None:
    try:
        top = psutil.Process(node.pid)
        processes = [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        processes = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    node.wait()
    _until(lambda: not any(map(_lives, processes)))


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def _until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + START_S
    while not condition():
        assert time.monotonic() < give_up, "this machine is too slow for a cluster"
        time.sleep(0.05)
