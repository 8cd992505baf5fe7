"""What seals secrets: in the state folder, or in the setting `secret_key` where several machines
share a database.
"""

import base64
import binascii
import os

from server.access.admin_key import close, read, write
from server.learning import state_folder
from server.settings import Settings
from storage.errors import StorageError

FILE = "secret.key"

KEY_BYTES = 32  # AES-256


def key_of(settings: Settings) -> bytes:
    """The server's key: of the settings, else of the state folder, made if there is none.

    Raises `StorageError`.
    """
    if settings.secret_key is not None:
        return as_key(settings.secret_key.reveal(), "the setting secret_key")
    file = state_folder(settings) / FILE
    try:
        if file.exists():
            close(file)
        else:
            write(file, base64.b64encode(os.urandom(KEY_BYTES)).decode())
    except OSError as error:
        text = f"{file}: the key for secrets cannot be kept there: {error.strerror}"
        raise StorageError(text) from error
    return as_key(read(file) or "", str(file))


def as_key(text: str, source: str) -> bytes:
    """The bytes of what is written there. Raises `StorageError`, without it."""
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise StorageError(
            f"{source} is no key: {KEY_BYTES} random bytes in base64, such as "
            f"`openssl rand -base64 {KEY_BYTES}` makes"
        )
    return key
