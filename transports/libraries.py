"""The codecs' libraries, called as they are: LAME (LGPL) and libopus (BSD).

PyAV's wheel carries both as files of their own. To load one of them loads nothing else of it, and
so not x264, which is GPL (the server decodes files in a process of its own).

libsndfile's wheel has both inside as well, but not optimised: its LAME takes 2.5 times as long as
Debian's, its libopus 3 times (`python -m bench.formats`).
"""

import ctypes
from functools import cache
from importlib.metadata import PackageNotFoundError, files

WHEEL = "av"


@cache
def lame() -> ctypes.CDLL:
    """The machine's own if it has one: that of the wheel is not optimised either. Raises
    `OSError`.
    """
    return of_machine("libmp3lame.so.0") or of_wheel("libmp3lame") or missing("libmp3lame0")


@cache
def opus() -> ctypes.CDLL:
    """The wheel's first: it is newer, and takes three quarters of the time. Raises `OSError`."""
    return of_wheel("libopus") or of_machine("libopus.so.0") or missing("libopus0")


def of_machine(name: str) -> ctypes.CDLL | None:
    """The one that is installed, if any."""
    try:
        return ctypes.CDLL(name)
    except OSError:
        return None


def of_wheel(stem: str) -> ctypes.CDLL | None:
    """The one in the wheel, whose name has a hash behind the stem."""
    try:
        carried = files(WHEEL) or []
    except PackageNotFoundError:
        return None
    found = next((file for file in carried if file.name.startswith(f"{stem}-")), None)
    return ctypes.CDLL(str(found.locate())) if found is not None else None


def missing(package: str) -> ctypes.CDLL:
    """Raises `OSError`."""
    raise OSError(f"neither this machine nor the package {WHEEL} has it: apt-get install {package}")
