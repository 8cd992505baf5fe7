"""PostgreSQL servers for the tests: the embedded one, Debian's own, and a pooler before it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

ROOT = Path(__file__).resolve().parents[2]
A_SERVER = Path(__file__).with_name("a_server.py")
PACKAGES = [path for path in sys.path if path.endswith("-packages")]

PATIENCE_S = 60.0

SYSTEM_USER = "postgres"
"""Debian's user for its servers."""


class Embedded:
    """The embedded server, under a parent of its own. Use `with`."""

    def __init__(self, at: Path, python: str = sys.executable, user: int | None = None) -> None:
        self.parent = subprocess.Popen(
            [python, str(A_SERVER), str(at), *([] if user is None else [str(user)])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *PACKAGES])},
        )
        assert self.parent.stdout is not None
        self.told = self.parent.stdout.readline().strip()

    def __enter__(self) -> "Embedded":
        assert self.told.startswith("postgresql://"), self.told + self.stop()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return self.told.split()[0]

    @property
    def data(self) -> Path:
        """Where its data and its socket are."""
        return Path(dict(parse_qsl(urlsplit(self.url).query))["host"])

    @property
    def pid(self) -> int:
        return int(self.told.split()[1])

    def stop(self) -> str:
        """End it as it likes to end. Returns its log."""
        _, log = self.parent.communicate("", timeout=PATIENCE_S)
        return log

    def kill(self) -> None:
        """End its parent, and wait until the server has followed."""
        self.parent.kill()
        self.parent.communicate()
        until(lambda: not Path(f"/proc/{self.pid}").exists())


def until(come: Callable[[], bool], within_s: float = PATIENCE_S) -> None:
    """Wait until it is so."""
    give_up = time.monotonic() + within_s
    while not come():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


READY_LINE = 7
"""Of postmaster.pid, where a server says how it is (PostgreSQL 10 and later: pidfile.h)."""


class Debian:
    """Debian's PostgreSQL on a port of 127.0.0.1, with a password and TLS. Use `with`."""

    PASSWORD = "p@ss word/1"

    def __init__(self, at: Path) -> None:
        self.at = at
        self.data = at / "debian"
        self.port = free_port()
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Debian":
        password = self.at / "password"
        password.write_text(self.PASSWORD)
        if os.getuid() == 0:
            shutil.chown(self.at, SYSTEM_USER)
        self.run(
            *("initdb", "-D", str(self.data), "-U", "voice", "--no-sync"),
            *("--auth=scram-sha-256", f"--pwfile={password}"),
        )
        self.run(
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(self.data / "server.key"), "-out", str(self.data / "server.crt")),
        )
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def certificate(self) -> Path:
        """By which clients know it."""
        return self.data / "server.crt"

    def url(self, **query: str) -> str:
        """Its address, as a host would give it out."""
        return (
            f"postgresql://voice:{quote(self.PASSWORD, safe='')}@localhost:{self.port}/postgres"
            f"?{urlencode(query)}"
        )

    def start(self) -> None:
        options = {"port": str(self.port), "listen_addresses": "localhost", "ssl": "on"}
        options |= {"unix_socket_directories": "", "fsync": "off"}
        given = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        command = [program("postgres"), "-D", str(self.data), *given]
        self._server = subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd="/", user=user())
        until(self._is_ready)

    def _is_ready(self) -> bool:
        """It listens a moment before it takes anybody in. Its own file says when it does."""
        try:
            told = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(told) > READY_LINE and told[READY_LINE].strip() == "ready"

    def stop(self) -> None:
        """End it at once, and its connections."""
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)
            self._server.wait(PATIENCE_S)

    def run(self, name: str, *arguments: str) -> None:
        command = [program(name), *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd="/", user=user())


class Pooler:
    """PgBouncer before a server: each transaction may have another of two connections."""

    def __init__(self, server: Debian) -> None:
        self.server = server
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Pooler":
        users = self.server.at / "users"
        users.write_text(f'"voice" "{self.server.PASSWORD}"\n')
        settings = self.server.at / "pgbouncer.ini"
        settings.write_text(
            "[databases]\n"
            f"postgres = host=localhost port={self.server.port} dbname=postgres\n"
            "[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            "auth_type = scram-sha-256\n"
            f"auth_file = {users}\n"
            "pool_mode = transaction\ndefault_pool_size = 2\nserver_tls_sslmode = require\n"
        )
        command = [shutil.which("pgbouncer") or "/usr/sbin/pgbouncer", "-q", str(settings)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=user()
        )
        until(lambda: listens(self.port))
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(PATIENCE_S)

    def url(self) -> str:
        return self.server.url().replace(f"localhost:{self.server.port}", f"127.0.0.1:{self.port}")


def user() -> str | None:
    """Whom servers run as: PostgreSQL refuses to be root's."""
    return SYSTEM_USER if os.getuid() == 0 else None


def program(name: str) -> str:
    """Where Debian keeps the newest PostgreSQL's program of that name, or the system any other."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else str(shutil.which(name))


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
