"""How a worker process behaves as a child: it never outlives its parent and never hogs the machine.

Call `become_child` before anything slow is imported: until then a parent that is killed leaves an
orphan behind.
"""

import contextlib
import ctypes
import datetime
import gc
import json
import os
import signal
import struct
import sys
import threading

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PR_SET_NAME = 15

PARENT_VARIABLE = "VOICEFORGE_PARENT"
"""Holds the parent's process id."""

_OURS = "VOICEFORGE_"
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def child_environment(threads: int = 1) -> dict[str, str]:
    """A child's environment: the parent's without its settings, which hold secrets and come in the
    plan; who the parent is; how many threads libraries may use; and few arenas of memory, since
    each thread's own keeps what it once needed.
    """
    ours = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return ours | {PARENT_VARIABLE: str(os.getpid()), **library_limits(threads)}


def library_limits(threads: int) -> dict[str, str]:
    """The variables that tell libraries to use so many threads and few arenas of memory."""
    return dict.fromkeys(_THREAD_VARIABLES, str(threads)) | {"MALLOC_ARENA_MAX": "2"}


_LENGTH = struct.Struct(">I")


def packed_plan(plan: bytes) -> bytes:
    """What a parent writes to a child's standard input first: what it is to do, secrets included.

    Unlike arguments and environment nobody else can read it, and no grandchild inherits it.
    """
    return _LENGTH.pack(len(plan)) + plan


def become_child(name: str, *, planned: bool = False) -> bytes:
    """Die with the parent, however it dies, or when it closes our standard input.

    SIGINT and SIGTERM, which reach a whole group of processes, are the parent's to handle.

    Returns the plan that the parent wrote (`packed_plan`), if it is to be `planned`.

    The kernel sends SIGKILL when the parent goes (Linux). Elsewhere, and in the moment before that
    is arranged, the end of standard input, a pipe that the parent holds, tells.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(_PR_SET_NAME, name.encode()[:15])
    if os.getppid() != int(os.environ.get(PARENT_VARIABLE, os.getppid())):
        os._exit(1)  # it died before the line above could notice
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    plan = _exactly(*_LENGTH.unpack(_exactly(_LENGTH.size))) if planned else b""
    threading.Thread(target=_exit_with_standard_input, name="parent-watch", daemon=True).start()
    return plan


def take_standard_output() -> int:
    """The real standard output, for the handshake alone; prints of libraries go to stderr."""
    handshake = os.dup(1)
    os.dup2(2, 1)
    return handshake


def give_back_memory() -> None:
    """Return to the system what was only needed to load: parsed files, copies of weights."""
    gc.collect()
    with contextlib.suppress(AttributeError):  # no glibc
        ctypes.CDLL(None).malloc_trim(0)


def complain(event: str, **fields: object) -> None:
    """A warning, as one line of JSON. Never pass a payload or what was made of one."""
    time = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
    head = {"time": time, "level": "warning", "event": event, "worker": os.getpid()}
    sys.stderr.write(json.dumps(head | fields) + "\n")
    sys.stderr.flush()


def _exactly(size: int) -> bytes:
    """So many bytes of standard input. Ends the process if the parent has gone before."""
    data = b""
    while len(data) < size:
        more = os.read(0, size - len(data))
        if not more:
            os._exit(0)
        data += more
    return data


def _exit_with_standard_input() -> None:
    while os.read(0, 1024):
        pass
    os._exit(0)
