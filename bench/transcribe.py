"""Long recordings, transcribed: `python -m bench.transcribe`.

Ten minutes of labelled turns in one FLAC file go to our server by HTTP, and, in turns, to
faster-whisper's BatchedInferencePipeline: the same weights (Whisper base, 8 bit), all cores of the
machine for both, decoding included. transcribe_speed is in seconds of audio a second.
transcribe_words_wrong is the share of words that both got wrong.

transcribe_peak_mb is the most memory that our server takes, all its processes together (PSS), while
a recording of three hours is transcribed ("ours") and one of ten minutes ("peer").
"""

import argparse
import contextlib
import http.client
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import soundfile

from actors.store import Store
from bench.hearsay import distances, words
from bench.processes import family, pss_mb
from bench.report import Row, Side, compare, finish, interleaved, median, rate
from bench.servers import HOME, PEER_PYTHON, Server, ours
from bench.sound import load, load_turns, noise, to_pcm

HZ = 16_000
WHISPER = "whisper-base"
MINUTES = 10
PAUSE_S, ROOM_DBFS = 0.6, -72.0
LOOKED_S = 0.2
BOUNDARY = "voiceforge-bench"


class Recording(msgspec.Struct, frozen=True):
    """A file, what is said in it, and how long it is."""

    path: Path
    said: str
    seconds: float


class Took(msgspec.Struct, frozen=True):
    """What one transcription came to."""

    took_s: float
    text: str


def recording(folder: Path, minutes: float, seed: int) -> Recording:
    """Turns in some order, with a quiet room between."""
    order = random.Random(seed)
    rng = np.random.default_rng(seed)
    turns = [turn for turn in load_turns() if turn.kind != "acknowledgement"]
    sounds = {turn.file: load(turn, HZ) for turn in turns}
    path = folder / f"{minutes:g}.flac"
    said: list[str] = []
    samples = 0
    with soundfile.SoundFile(path, "w", HZ, 1, "PCM_16", format="FLAC") as file:
        while samples < minutes * 60 * HZ:
            order.shuffle(turns)
            for turn in turns:
                sound = sounds[turn.file]
                quiet = noise(int(PAUSE_S * HZ), ROOM_DBFS, rng)
                for part in (sound, quiet):
                    file.write(np.frombuffer(to_pcm(part), "<i2"))
                    samples += len(part)
                said.append(turn.text)
                if samples >= minutes * 60 * HZ:
                    break
    return Recording(path, " ".join(said), samples / HZ)


def by_us(server: Server, file: Recording) -> Took:
    """As a program sends it."""
    began = time.perf_counter()
    head = "".join(
        f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (("model", WHISPER), ("language", "en"))
    )
    head += f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="file"; filename="a.flac"\r\n'
    body = f"{head}\r\n".encode() + file.path.read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=3600)
    with contextlib.closing(connection):
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        headers = {**server.headers, "content-type": kind}
        connection.request("POST", "/v1/audio/transcriptions", body, headers)
        answer = connection.getresponse()
        told = json.loads(answer.read())
    if answer.status != 200:
        raise RuntimeError(f"the server said {answer.status}: {told}")
    return Took(time.perf_counter() - began, told["text"])


@contextlib.contextmanager
def faster_whisper() -> Iterator["subprocess.Popen[str]"]:
    """The peer, with its model loaded."""
    command = [str(PEER_PYTHON), "-m", "bench.peers.transcriber", str(Store().path(WHISPER))]
    with subprocess.Popen(
        command, cwd=HOME, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        if process.stdout.readline().strip() != "ready":
            raise RuntimeError("faster-whisper did not start: `make bench` installs it")
        try:
            yield process
        finally:
            process.stdin.close()


def by_peer(process: "subprocess.Popen[str]", file: Recording) -> Took:
    """As its README says."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{file.path}\n")
    process.stdin.flush()
    return msgspec.json.decode(process.stdout.readline(), type=Took)


def wrong(text: str, said: str) -> tuple[float, float]:
    """Word errors (Levenshtein), of so many words."""
    wanted, got = words(said), words(text)
    letters: dict[str, str] = {}
    for word in (*wanted, *got):  # each word becomes one letter
        letters.setdefault(word, chr(len(letters) + 0x100))
    spelled = ["".join(letters[word] for word in one) for one in (got, wanted)]
    return float(distances(spelled[0], spelled[1])[-1]), float(len(wanted))


def speed(file: Recording, repeats: int) -> list[Row]:
    """The rows that have a peer."""
    speeds: dict[Side, list[float]] = {"ours": [], "peer": []}
    errors: dict[Side, list[tuple[float, float]]] = {"ours": [], "peer": []}
    with ours() as server, faster_whisper() as process:
        by_us(server, file)  # loads the model, which is loaded on demand
        by_peer(process, file)
        for side in interleaved(repeats, seed=1):
            took = by_us(server, file) if side == "ours" else by_peer(process, file)
            speeds[side].append(file.seconds / took.took_s)
            errors[side].append(wrong(took.text, file.said))
            print(f"{side}: {speeds[side][-1]:.1f} times as fast as it plays", file=sys.stderr)
    return [
        compare("transcribe_speed", speeds, median, ""),
        compare("transcribe_words_wrong", errors, rate, ""),
    ]


class Peak(threading.Thread):
    """Looks how much memory a server takes."""

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self._server = server
        self._done = threading.Event()
        self.mb = 0.0

    def run(self) -> None:
        while not self._done.wait(LOOKED_S):
            self.mb = max(self.mb, pss_mb(family(self._server.roots)))

    def stop(self) -> float:
        """The most that it was."""
        self._done.set()
        self.join()
        return self.mb


def memory(long: Recording, short: Recording) -> Row:
    """How much more is taken, the longer the recording."""
    peaks: dict[Side, list[float]] = {"ours": [], "peer": []}
    files: dict[Side, Recording] = {"peer": short, "ours": long}
    for side, file in files.items():
        with ours() as server:
            peak = Peak(server)
            peak.start()
            took = by_us(server, file)
            peaks[side].append(peak.stop())
        told = f"{file.seconds / 60:.0f} minutes: {took.took_s:.0f} s, {peaks[side][-1]:.0f} MB"
        print(told, file=sys.stderr)
    return compare("transcribe_peak_mb", peaks, median, "MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5, help="of each side, for the speed")
    parser.add_argument("--hours", type=float, default=3, help="of the long recording; 0: none")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        short = recording(Path(name), MINUTES, seed=1)
        rows = speed(short, given.repeats) if given.repeats else []
        if given.hours:
            rows.append(memory(recording(Path(name), 60 * given.hours, seed=2), short))
    notes = [f"{short.seconds / 60:.1f} minutes, {len(words(short.said))} words"]
    finish("bench.transcribe", rows, notes, peer="faster-whisper")


if __name__ == "__main__":
    main()
