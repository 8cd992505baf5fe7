"""Secrets that have to be read again, sealed for the database: AES-256-GCM.

The key is no record: it is in the state folder, or in the setting `secret_key` where several
machines share a database. Whoever has only the database, or a backup of it, reads no secret.
"""

import base64
import binascii
import hashlib
import os

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.access.admin_key import close, read, write
from server.learning import state_folder
from server.settings import Settings
from storage.errors import StorageError

FILE = "secret.key"

KEY_BYTES, NONCE_BYTES, ID_BYTES = 32, 12, 6
"""AES-256; what GCM is made for (SP 800-38D, 8.2): random ones are good for 2^32 secrets a key."""


class Sealed(msgspec.Struct, frozen=True, array_like=True):
    """What is kept: which key it needs, and what that makes of the secret."""

    key_id: bytes
    nonce: bytes
    box: bytes


class Sealing:
    """Seals and opens with one key."""

    def __init__(self, key: bytes) -> None:
        assert len(key) == KEY_BYTES
        self._aes = AESGCM(key)
        self._id = hashlib.sha256(b"voiceforge secret key" + key).digest()[:ID_BYTES]

    def seal(self, secret: str, owner: str, name: str) -> bytes:
        """For the database. It opens as this record of this owner's, and as no other."""
        nonce = os.urandom(NONCE_BYTES)
        box = self._aes.encrypt(nonce, secret.encode(), bound_to(owner, name))
        return msgspec.msgpack.encode(Sealed(self._id, nonce, box))

    def open(self, sealed: bytes, owner: str, name: str) -> str:
        """What was sealed. Raises `StorageError` if that was done with another key, or for another
        record.
        """
        kept = msgspec.msgpack.decode(sealed, type=Sealed)
        if kept.key_id != self._id:
            raise StorageError(
                f"{name!r} was sealed with the key {kept.key_id.hex()}, and this server has "
                f"{self._id.hex()}: put that {FILE} back into the state folder, or set secret_key, "
                "or write the secret again"
            )
        try:
            return self._aes.decrypt(kept.nonce, kept.box, bound_to(owner, name)).decode()
        except InvalidTag as error:
            raise StorageError(f"{name!r} is damaged, or another record's") from error


def bound_to(owner: str, name: str) -> bytes:
    """What a box opens beside, and nothing else."""
    return msgspec.msgpack.encode([owner, name])


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
