"""Secrets that have to be read again, sealed for the database: AES-256-GCM.

The key is no record (`server.outbound.secret_key`): whoever has only the database, or a backup of
it, reads no secret.
"""

import hashlib
import os

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.outbound.secret_key import FILE, KEY_BYTES
from storage.errors import StorageError

NONCE_BYTES, ID_BYTES = 12, 6
"""What GCM is made for (SP 800-38D, 8.2): random ones are good for 2^32 secrets a key."""


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
