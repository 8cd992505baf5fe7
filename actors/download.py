"""Downloads of large files over HTTP: each goes on where it was cut, by Range (RFC 9110, 14)."""

import errno
import http.client
import re
import ssl
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Protocol

_CHUNK_BYTES = 1 << 18
_STALL_S = 30.0  # a server that sends nothing for this long is taken for dead
_TRIES = 4  # in a row without a single new byte
_PAUSE_S = 0.5  # before the second try; doubles with each
_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS}


class StoreError(Exception):
    """A model could not be had. The text says which, why, and what to do."""


class SourceError(StoreError):
    """One source of a file failed; another may do."""


class Progress(Protocol):
    """Is told how a pull gets on."""

    def moved(self, name: str, done_bytes: int, total_bytes: int | None) -> None:
        """So much of `name` is on disk. Called about four times a megabyte."""
        ...

    def note(self, text: str) -> None:
        """Something that is worth a line: which source, why another one, waiting for a lock."""
        ...


class Silent:
    """The `Progress` that tells nobody."""

    def moved(self, name: str, done_bytes: int, total_bytes: int | None) -> None:
        """Nothing to do."""

    def note(self, text: str) -> None:
        """Nothing to do."""


def download(url: str, into: Path, name: str, progress: Progress) -> None:
    """Fetch `url` to the file `into`, from where an earlier call was cut.

    Raises `SourceError` if the server refuses, or stays away for several tries. What arrived until
    then stays in `into`.
    """
    tries = 0
    while True:
        had = _size(into)
        try:
            if _fetch(url, into, name, progress):
                return
            why = "the connection was cut"
        except urllib.error.HTTPError as refused:
            if refused.code < 500 and refused.code not in (408, 429):
                raise SourceError(f"{_plain(url)} answered {refused.code}") from None
            why = f"the server answered {refused.code}"
        except (urllib.error.URLError, http.client.HTTPException, OSError) as lost:
            if isinstance(lost, OSError) and lost.errno in _DISK_ERRORS:
                raise
            reason = getattr(lost, "reason", lost)
            if isinstance(reason, ssl.SSLCertVerificationError):
                raise SourceError(f"{_plain(url)}: {reason.verify_message}") from None
            why = str(reason)
        tries = 1 if _size(into) > had else tries + 1
        if tries >= _TRIES:
            raise SourceError(f"{_plain(url)}: {why}, {_TRIES} times in a row")
        progress.note(f"{name}: {why} at {_size(into):,} bytes, going on")
        time.sleep(_PAUSE_S * 2 ** (tries - 1))


def _fetch(url: str, into: Path, name: str, progress: Progress) -> bool:
    """One request. True if the file is whole, False if it was cut."""
    have = _size(into)
    asked = urllib.request.Request(url, headers={"Accept-Encoding": "identity"})
    if have:
        asked.add_header("Range", f"bytes={have}-")
    try:
        answer = urllib.request.urlopen(asked, timeout=_STALL_S)
    except urllib.error.HTTPError as refused:
        if refused.code != 416 or not have:
            raise
        refused.close()
        if _whole_size(refused.headers.get("Content-Range")) == have:
            return True
        into.unlink()  # longer than the file that is there now: not the same file
        return False
    with answer, into.open("ab") as file:
        if have and not _goes_on(answer, have):
            file.truncate(0)
            have = 0
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length is not None else None
        while chunk := answer.read1(_CHUNK_BYTES):
            file.write(chunk)
            have += len(chunk)
            progress.moved(name, have, total)
    return total is None or have == total


def _goes_on(answer: http.client.HTTPResponse, have: int) -> bool:
    """Whether the body continues what is on disk; a server may ignore a Range and send all."""
    if answer.status != 206:
        return False
    span = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return span is not None and int(span[1]) == have


def _whole_size(content_range: str | None) -> int | None:
    whole = re.fullmatch(r"bytes \*/(\d+)", content_range or "")
    return int(whole[1]) if whole else None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _plain(url: str) -> str:
    """The address without what may be secret in it: user, password and query."""
    return re.sub(r"//[^/@]*@", "//", url).partition("?")[0]
