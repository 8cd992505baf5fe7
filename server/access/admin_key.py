"""The administrator's key: made at the first start, kept in a file that only its owner may read.

`voiceforge` on the same machine reads it there. Whoever loses it deletes the file and starts the
server again, which makes another: who can do that reaches the database anyway. The lost one stays
good until it is revoked.
"""

import os
from pathlib import Path

from server.learning import state_folder
from server.settings import Settings
from server.web import is_here
from storage import accounts, keys
from storage.database import Connection
from storage.errors import StorageError
from storage.keys import Terms, hashed

FILE = "admin.key"
VARIABLE = "VOICEFORGE_API_KEY"

NAME = "admin"


def key_file(settings: Settings) -> Path:
    """Where the key of this machine's server is."""
    return state_folder(settings) / FILE


async def make_if_missing(connection: Connection, file: Path) -> str | None:
    """See that `file` holds a good key; the one that had to be made, to be shown once.

    In a transaction of the caller's, which ends after the file is written: a file whose key was
    never stored is noticed at the next start, a key that nobody has would stay. Raises
    `StorageError`.
    """
    kept = read(file)
    if kept is not None:
        key = await keys.find(connection, hashed(kept))
        now = await connection.fetchval("select now()")
        if key is not None and key.good_at(now) and "admin" in key.scopes:
            close(file)
            return None
    account = await accounts.first(connection)
    _, secret = await keys.create(connection, account.id, NAME, Terms(scopes=("admin",)))
    try:
        write(file, secret)
    except OSError as error:
        text = f"{file}: the administrator's key cannot be kept there: {error.strerror}"
        raise StorageError(text) from error
    return secret


def read(file: Path) -> str | None:
    """The key in the file; None if there is none."""
    try:
        return file.read_text(encoding="ascii").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def close(file: Path) -> None:
    """See that nobody else may read it: it may have been copied here."""
    file.chmod(0o600)


def write(file: Path, secret: str) -> None:
    """Whole or not at all, and readable for nobody else at any moment."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as opened:
            os.fchmod(opened.fileno(), 0o600)  # if it was there before
            opened.write(secret + "\n")
            opened.flush()
            os.fsync(opened.fileno())
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def key_for(url: str, settings: Settings) -> str:
    """What to show the server at `url`: VOICEFORGE_API_KEY, or the administrator's key of this
    machine, which is sent to no other. Empty without either.
    """
    given = os.environ.get(VARIABLE, "")
    return given or (read(key_file(settings)) or "" if is_here(url) else "")
