"""What the model store knows of each model: its files, their exact bytes, where they are found."""

import re
from pathlib import Path
from typing import Literal

import msgspec

KNOWN_MODELS = Path(__file__).with_name("models.toml")

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PINNED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9.!+_-]*")


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One member of one package, pinned as `name==version`."""

    package: str
    member: str

    def __post_init__(self) -> None:
        if not _PINNED.fullmatch(self.package):
            raise ValueError(f"package {self.package!r} is not pinned: write name==version")


class ModelFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a model. `hub` is a path on the model hub; `parts` are joined in order."""

    name: str
    size_bytes: int
    sha256: str
    hub: str | None = None
    parts: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        if not _SAFE_NAME.fullmatch(self.name):
            raise ValueError(f"file name {self.name!r} may not leave the model's folder")
        if not re.fullmatch(r"[0-9a-f]{64}", self.sha256):
            raise ValueError(
                f"sha256 {self.sha256!r} of {self.name} is not 64 lower-case hex digits"
            )


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model: one folder in the store, named by its id.

    `family` is the file of this folder that runs it. `default` models are those that a fresh
    installation fetches. `wheel_platform` is the platform
    tag under which its packages were published, where that was not "any".
    """

    id: str
    role: Literal["stt", "llm", "tts", "vad", "turn", "embed"]
    title: str
    licence: str
    family: str
    file: tuple[ModelFile, ...]
    default: bool = False
    wheel_platform: str | None = None

    def __post_init__(self) -> None:
        if not _SAFE_NAME.fullmatch(self.id):
            raise ValueError(f"model id {self.id!r} may not leave the store's folder")
        if not self.family.isidentifier():
            raise ValueError(f"family {self.family!r} of {self.id} is not the name of a file here")

    @property
    def size_bytes(self) -> int:
        """Size of all files together."""
        return sum(file.size_bytes for file in self.file)


class _Manifest(msgspec.Struct, forbid_unknown_fields=True):
    model: tuple[Model, ...]


def load_manifest(path: Path = KNOWN_MODELS) -> dict[str, Model]:
    """The models of a manifest by id, in its order. Raises `msgspec.ValidationError`."""
    manifest = msgspec.toml.decode(path.read_bytes(), type=_Manifest)
    return {model.id: model for model in manifest.model}
