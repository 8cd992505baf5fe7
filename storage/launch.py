"""Becomes another program: as another user, and with an end no later than its parent's.

`python -m storage.launch PARENT UID GID SIGNAL PROGRAM ARGUMENT...`: the process ids are numbers,
and the kernel sends SIGNAL when the process PARENT goes (Linux).
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Replace this process, or end it if the parent has gone before."""
    parent, uid, gid, number = map(int, sys.argv[1:5])
    if os.getuid() == 0 and uid != 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":  # after the change of user, which would forget it
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        os._exit(1)
    os.execv(sys.argv[5], sys.argv[5:])


if __name__ == "__main__":
    main()
