"""What is sealed opens with its key, as its record, and in no other way."""

import base64
import os
from pathlib import Path

import pytest

from server.outbound.sealing import Sealing
from server.outbound.secret_key import key_of
from server.settings import Secret, Settings
from storage.errors import StorageError


def test_what_is_sealed_comes_back_and_shows_nothing() -> None:
    sealing = Sealing(os.urandom(32))
    sealed = sealing.seal("Grüße 🥐", "acc_1", "calendar")
    assert sealing.open(sealed, "acc_1", "calendar") == "Grüße 🥐"
    assert "Grüße".encode() not in sealed
    assert sealed != sealing.seal("Grüße 🥐", "acc_1", "calendar")


def test_it_opens_as_no_other_record_and_not_when_it_was_changed() -> None:
    sealing = Sealing(os.urandom(32))
    sealed = sealing.seal("hush", "acc_1", "calendar")
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for box, owner, name in (
        (sealed, "acc_2", "calendar"),
        (sealed, "acc_1", "mail"),
        (sealed, "acc_1calendar", ""),
        (changed, "acc_1", "calendar"),
    ):
        with pytest.raises(StorageError, match="damaged, or another record's"):
            sealing.open(box, owner, name)


def test_another_key_is_told_apart_and_the_way_out_is_named() -> None:
    sealed = Sealing(bytes(32)).seal("hush", "acc_1", "calendar")
    with pytest.raises(StorageError, match=r"sealed with the key [0-9a-f]{12}.*secret\.key back"):
        Sealing(b"1" * 32).open(sealed, "acc_1", "calendar")


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    settings = Settings(state=str(tmp_path / "state"))
    key = key_of(settings)
    file = tmp_path / "state" / "secret.key"
    assert (len(key), file.stat().st_mode & 0o777) == (32, 0o600)
    file.chmod(0o644)
    assert key_of(settings) == key
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text("hush")
    with pytest.raises(StorageError, match="is no key") as raised:
        key_of(settings)
    assert "hush" not in str(raised.value)


def test_several_machines_are_given_one(tmp_path: Path) -> None:
    text = base64.b64encode(b"2" * 32).decode()
    settings = Settings(state=str(tmp_path), secret_key=Secret(text))
    assert key_of(settings) == b"2" * 32
    assert list(tmp_path.iterdir()) == []
    assert settings.without_secrets().secret_key is None
    with pytest.raises(StorageError, match="the setting secret_key is no key"):
        key_of(Settings(secret_key=Secret("hush")))
