"""A bad line: a network namespace that is reached over one which loses packets and delays others.

What `tc netem loss 5% delay 30ms 30ms` does both ways, without that module of the kernel, which not
every machine has: here and in the namespace an interface ends in this program (TUN), which hands
each IP packet on after a delay of its own, so that they come out of order, or not at all.
`python -m bench.bad_line NAMESPACE LOSS DELAY_MS JITTER_MS` as root; all of it is gone when
standard input ends.
"""

import asyncio
import contextlib
import fcntl
import os
import random
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator

import msgspec

from bench.servers import HOME, OURS_PYTHON

HERE, THERE = "10.213.77.1", "10.213.77.2"
MTU = 1500

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
"""Numbers of linux/if_tun.h."""

DEVICE = "/dev/net/tun"


class LineFailed(Exception):
    """There is no such line; the text says what is missing."""


class Impairment(msgspec.Struct, frozen=True):
    """What becomes of packets: a share is lost, each other one comes `delay_ms` later, give or take
    `jitter_ms`, evenly.
    """

    loss: float = 0.0
    delay_ms: float = 0.0
    jitter_ms: float = 0.0

    def delay_s(self, draw: random.Random) -> float | None:
        """How long a packet takes; None if it is lost."""
        if draw.random() < self.loss:
            return None
        return max(0.0, self.delay_ms + self.jitter_ms * draw.uniform(-1, 1)) / 1000


def tunnel(name: str) -> int:
    """An interface of this name, whose packets come and go at the descriptor. Raises `OSError`."""
    descriptor = os.open(DEVICE, os.O_RDWR | os.O_NONBLOCK)
    try:
        fcntl.ioctl(
            descriptor, TUNSETIFF, struct.pack("16sH14x", name.encode(), IFF_TUN | IFF_NO_PI)
        )
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def ip(*words: str) -> None:
    """Raises `LineFailed`."""
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise LineFailed(f"ip {' '.join(words)}: {done.stderr.strip()}")


def laid(namespace: str) -> tuple[int, int]:
    """Make the namespace, which nothing reaches but this line, and give the line's two ends."""
    here, there = f"{namespace}-0", f"{namespace}-1"
    ends = tunnel(here), tunnel(there)
    ip("netns", "add", namespace)
    ip("link", "set", there, "netns", namespace)
    ip("address", "add", HERE, "peer", THERE, "dev", here)
    ip("link", "set", here, "up")
    within = ("-n", namespace)
    ip(*within, "address", "add", THERE, "peer", HERE, "dev", there)
    ip(*within, "link", "set", there, "up")
    ip(*within, "link", "set", "lo", "up")
    return ends


def joined(ends: tuple[int, int], impairment: Impairment) -> None:
    """Hand packets on, both ways."""
    loop = asyncio.get_running_loop()
    draw = random.Random(1)

    def put(end: int, packet: bytes) -> None:
        with contextlib.suppress(OSError):  # the other side is down: nobody hears it
            os.write(end, packet)

    def passing(source: int, to: int) -> Callable[[], None]:
        def came() -> None:
            with contextlib.suppress(BlockingIOError):
                while packet := os.read(source, MTU):
                    delay_s = impairment.delay_s(draw)
                    if delay_s is not None:
                        loop.call_later(delay_s, put, to, packet)

        return came

    loop.add_reader(ends[0], passing(ends[0], ends[1]))
    loop.add_reader(ends[1], passing(ends[1], ends[0]))


async def serve(ends: tuple[int, int], impairment: Impairment) -> None:
    """Until standard input ends."""
    joined(ends, impairment)
    print("laid", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def main(namespace: str, *numbers: str) -> None:
    try:
        asyncio.run(serve(laid(namespace), Impairment(*map(float, numbers))))
    finally:
        subprocess.run(["ip", "netns", "delete", namespace], capture_output=True, check=False)


@contextlib.contextmanager
def line(impairment: Impairment) -> Iterator[list[str]]:
    """What to put before a command that shall be at the far end, from where this machine is `HERE`.
    Raises `LineFailed`.
    """
    namespace = f"vf{os.getpid()}"
    numbers = (impairment.loss, impairment.delay_ms, impairment.jitter_ms)
    command = [str(OURS_PYTHON), "-m", "bench.bad_line", namespace, *map(str, numbers)]
    process = subprocess.Popen(
        command,
        cwd=HOME,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        if process.stdout.readline() != "laid\n":
            _, told = process.communicate(timeout=10)
            raise LineFailed(f"a bad line takes root, `ip` and {DEVICE}: {told[-500:]}")
        yield ["ip", "netns", "exec", namespace]
        process.communicate(timeout=10)
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
