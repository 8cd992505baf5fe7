"""The PostgreSQL that comes along."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import psutil
import pytest

import storage.embedded
from storage.database import connect
from storage.embedded import (
    LIBRARIES,
    LONGEST_SOCKET,
    PROGRAMS,
    EmbeddedPostgres,
    barrier_to,
    installed_programs,
    programs_for,
    server_user,
)
from storage.errors import StorageError
from tests.folder import folder
from tests.storage.postgres import Embedded

as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root becomes another user")


async def write(url: str, count: int) -> None:
    connection = await connect(url)
    await connection.execute("create table if not exists told (number integer)")
    for number in range(count):
        await connection.execute("insert into told values ($1)", number)
    await connection.close()


async def count(url: str) -> int:
    connection = await connect(url)
    told = await connection.fetchval("select count(*) from told")
    await connection.close()
    return int(told)


async def test_what_was_written_is_there_after_a_stop_and_a_start() -> None:
    with folder() as path:
        with Embedded(path / "postgres") as server:
            await write(server.url, 3)
            assert "making the database" in server.stop()
        with Embedded(path / "postgres") as server:
            assert await count(server.url) == 3
            assert "making the database" not in server.stop()


async def test_when_its_parent_is_killed_nothing_runs_on_and_no_row_is_lost() -> None:
    with folder() as path:
        with Embedded(path / "postgres") as server:
            await write(server.url, 50)
            family = psutil.Process(server.pid).children()
            assert family
            server.kill()
            assert not psutil.wait_procs(family, timeout=10)[1]
        with Embedded(path / "postgres") as server:
            assert await count(server.url) == 50


async def test_one_started_while_the_last_is_still_ending_waits_for_it() -> None:
    with folder() as path:
        with Embedded(path / "postgres") as server:
            await write(server.url, 1)
            os.kill(server.pid, signal.SIGSTOP)
            server.parent.kill()
            server.parent.communicate()
            later = asyncio.create_task(asyncio.to_thread(Embedded, path / "postgres"))
            await asyncio.sleep(1)
            assert not later.done()
            os.kill(server.pid, signal.SIGCONT)
        with await later as server:
            assert await count(server.url) == 1


async def test_one_that_was_killed_starts_though_another_process_has_its_number_now() -> None:
    with folder() as path:
        with Embedded(path / "postgres") as server:
            await write(server.url, 3)
            family = psutil.Process(server.pid).children()
            os.kill(server.pid, signal.SIGKILL)
            assert not psutil.wait_procs(family, timeout=10)[1]
            locked = server.data / "postmaster.pid"
        user = server_user().pw_uid
        other = subprocess.Popen(["sleep", "60"], user=user)  # noqa: ASYNC220 - at once
        try:
            _, _, rest = locked.read_text().partition("\n")
            locked.write_text(f"{other.pid}\n{rest}")
            with Embedded(path / "postgres") as server:
                assert await count(server.url) == 3
        finally:
            other.kill()
            other.wait()


async def test_a_database_half_made_when_the_power_went_is_made_anew() -> None:
    with folder() as path:
        part = path / "postgres" / "data.part"
        part.mkdir(parents=True)
        (part / "PG_VERSION").write_text("18")
        with Embedded(path / "postgres") as server:
            await write(server.url, 1)
        assert not part.exists()


def test_two_servers_do_not_share_a_folder(embedded: Embedded) -> None:
    second = Embedded(embedded.data.parent)
    second.stop()
    assert second.told.startswith("error another server uses the database in")
    assert "choose another folder" in second.told


def test_only_its_user_may_enter(embedded: Embedded) -> None:
    data = embedded.data
    assert data.stat().st_mode & 0o77 == 0
    assert data.parent.stat().st_mode & 0o77 == 0
    assert psutil.Process(embedded.pid).uids().real == data.stat().st_uid != 0
    assert psutil.Process(embedded.pid).net_connections("inet") == []


async def test_nothing_of_a_statement_reaches_the_log() -> None:
    with folder() as path, Embedded(path / "postgres") as server:
        connection = await connect(server.url)
        await connection.execute("create table people (name text primary key)")
        await connection.execute("insert into people values ('Rumpelstilzchen')")
        for statement in (
            "insert into people values ('Rumpelstilzchen')",
            "select 'Rumpelstilzchen' from nowhere",
            "select 'Rumpelstilzchen'::integer",
            'select 1 "Rumpelstilzchen" "Rumpelstilzchen"',
            "do $$ begin raise warning 'Rumpelstilzchen'; raise 'Rumpelstilzchen'; end $$",
        ):
            with pytest.raises(asyncpg.PostgresError):
                await connection.execute(statement)
        with pytest.raises(asyncpg.PostgresError):
            await connection.execute("insert into people values ($1)", "Rumpelstilzchen")
        killer = await connect(server.url)
        await killer.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"
        )
        await killer.close()
        await connection.close()
        log = server.stop()
    assert "terminating connection due to administrator command" in log  # what it does tell
    assert "Rumpelstilzchen" not in log


async def test_a_path_too_long_for_a_socket_is_told_before_anything_is_made(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * LONGEST_SOCKET)
    with pytest.raises(StorageError, match="too long for the path of a socket, 93 bytes at most"):
        await EmbeddedPostgres(deep).start()
    assert not deep.exists()


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"file: (File exists|Not a directory)"):
        await EmbeddedPostgres(tmp_path / "file").start()


async def test_data_of_another_release_is_left_alone() -> None:
    with folder() as path:
        with Embedded(path / "postgres"):
            pass
        (path / "postgres" / "data" / "PG_VERSION").write_text("9.6\n")
        server = Embedded(path / "postgres")
        log = server.stop()
        assert "does not start: FATAL:  database files are incompatible with server" in server.told
        assert "incompatible with server" in log


@as_root
async def test_root_is_told_which_folder_nobody_may_enter(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=f"'nobody' may not enter {barrier_to(tmp_path)}"):
        await EmbeddedPostgres(tmp_path / "postgres").start()


@as_root
async def test_programs_that_nobody_may_enter_are_copied_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with folder() as path:
        wheel, hidden = installed_programs().parents[len(PROGRAMS.parts) - 1], path / "hidden"
        for part in (PROGRAMS.parent, LIBRARIES):
            shutil.copytree(wheel / part, hidden / part)
        hidden.chmod(0o700)
        monkeypatch.setattr(storage.embedded, "installed_programs", lambda: hidden / PROGRAMS)
        programs = programs_for(pwd.getpwnam("nobody"), path)
        assert programs.is_relative_to(path)
        made = programs.stat().st_mtime_ns
        assert programs_for(pwd.getpwnam("nobody"), path) == programs
        assert programs.stat().st_mtime_ns == made
        monkeypatch.setattr(storage.embedded, "programs_for", lambda *_: programs)
        server = EmbeddedPostgres(path / "postgres")
        await server.start()
        assert await server.answers()
        await server.stop()
        assert not await server.answers()


def open_to_all(program: Path) -> bool:
    """Whether the file, and what it is a link to, lie where everybody may go."""
    return not any(barrier_to(path.parent) for path in (program, program.resolve()))


@as_root
async def test_an_ordinary_user_needs_nothing_more() -> None:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    candidates = [sys.executable, shutil.which(version, path="/usr/local/bin:/usr/bin")]
    reachable = [each for each in candidates if each and open_to_all(Path(each))]
    if not reachable or not open_to_all(Path(storage.embedded.__file__)):
        pytest.skip("Python or this folder lies where only root may go")
    with folder() as path:
        path.chmod(0o777)
        nobody = pwd.getpwnam("nobody").pw_uid
        with Embedded(path / "state" / "postgres", reachable[0], nobody) as server:
            await write(server.url, 2)
            assert await count(server.url) == 2
            assert psutil.Process(server.parent.pid).uids().real == nobody
