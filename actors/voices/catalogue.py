"""The catalogue: the voices that the engines' own lists publish, one readable file per engine.

A file says at its top what holds for all of its voices (engine, licence, where the weights are, the
address that `at` of a row completes), then has a row for each. None of them is invented: the head
of each file names the list.
"""

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final, Literal, get_args

import msgspec

from actors.voices.tags import OTHER, language, nearness, well_formed

FOLDER: Final = Path(__file__).parent
SAMPLES: Final = "samples.toml"

Engine = Literal["piper", "kokoro", "espeak"]
Gender = Literal["female", "male", ""]
Weights = Literal["here", "hub", "program", "gpu"]

ENGINES: Final[tuple[Engine, ...]] = get_args(Engine)
"""The one to speak with first comes first. Piper is always loaded, and takes 0.05 to 0.08 s of a
core for a second of speech, Kokoro 0.3 to 0.55; espeak-ng sounds like a machine."""

_ID: Final = re.compile(r"[\w.-]{1,64}")
_PLACE: Final = re.compile(r"https://\S+")


class CatalogueError(ValueError):
    """A file of the catalogue is wrong; the text names the file, the row and the value."""


class UnknownVoice(LookupError):
    """A name that no voice has."""

    def __init__(self, name: str) -> None:
        super().__init__(f"unknown voice {name[:64]!r}: `voiceforge voices` lists those there are")
        self.name = name


class Voice(msgspec.Struct, frozen=True):
    """A voice as its engine publishes it.

    `languages` are the tags (BCP 47) of the list, `reads` those of the texts that it can be given
    in this project, none if its phonemes cannot be made here. `gender` is empty where the list says
    nothing. `sample` is a sentence to judge it by. `aliases` are names of ours for it.

    `weights`: "here", the model store fetches them as `model`; "hub", they lie at `source`;
    "program", it needs none, but the program espeak-ng; "gpu", it needs one. `source` is the
    published row, or the folder that it names.
    """

    id: str
    name: str
    languages: tuple[str, ...]
    reads: tuple[str, ...]
    gender: Gender
    style: str
    engine: Engine
    licence: str
    sample: str
    weights: Weights
    source: str
    model: str = ""
    aliases: tuple[str, ...] = ()


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    at: str
    name: str
    languages: tuple[str, ...]
    reads: tuple[str, ...] | None = None
    gender: Gender = ""
    style: str = ""
    licence: str = ""
    weights: Weights | None = None
    model: str = ""
    aliases: tuple[str, ...] = ()


class _Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`phonemes`: the languages for which they can be made here; None: the engine makes its own."""

    engine: Engine
    licence: str
    weights: Weights
    source: str
    phonemes: tuple[str, ...] | None = None


class _Samples(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    other: str
    sentences: dict[str, str]


class Catalogue:
    """Voices and look-ups in them. Order is that of `ENGINES`, then of the published lists."""

    def __init__(self, voices: Iterable[Voice]) -> None:
        self.voices = tuple(sorted(voices, key=lambda voice: ENGINES.index(voice.engine)))
        self._by_name = {
            name: voice for voice in self.voices for name in (voice.id, *voice.aliases)
        }

    def voice(self, name: str) -> Voice:
        """The one of this id or alias. Raises `UnknownVoice`."""
        if name not in self._by_name:
            raise UnknownVoice(name)
        return self._by_name[name]

    def of_language(self, tag: str) -> tuple[Voice, ...]:
        """Those published for a language, whatever the region: `pt` and `pt-BR` find the same."""
        return tuple(
            voice
            for voice in self.voices
            if any(nearness(have, tag) > OTHER for have in voice.languages)
        )

    def of_engine(self, engine: Engine) -> tuple[Voice, ...]:
        """Those of one engine."""
        return tuple(voice for voice in self.voices if voice.engine == engine)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages (primary tags) that any voice is published for, sorted."""
        return tuple(sorted({language(tag) for voice in self.voices for tag in voice.languages}))


@cache
def catalogue() -> Catalogue:
    """The whole catalogue; read once. Raises `CatalogueError`."""
    return read(FOLDER)


def read(folder: Path) -> Catalogue:
    """The catalogue in `folder`: `samples.toml`, and a file for each engine that is there."""
    samples = _samples(folder / SAMPLES)
    voices: list[Voice] = []
    for file in sorted(folder.glob("*.toml")):
        if file.name != SAMPLES:
            voices += _voices(file, samples)
    taken: dict[str, str] = {}
    for voice in voices:
        for name in (voice.id, *voice.aliases):
            if name in taken:
                raise CatalogueError(f"{voice.engine}.toml: {name!r} is a voice of {taken[name]}")
            taken[name] = f"{voice.engine}.toml"
    return Catalogue(voices)


def _samples(file: Path) -> _Samples:
    try:
        samples = msgspec.convert(_parsed(file), _Samples)
    except msgspec.ValidationError as wrong:
        raise CatalogueError(f"{file.name}: {wrong}") from wrong
    return samples


def _voices(file: Path, samples: _Samples) -> list[Voice]:
    parsed = _parsed(file)
    rows = parsed.pop("voice", None)
    if not isinstance(rows, list) or not rows:
        raise CatalogueError(f"{file.name}: `voice` must be a list with a row for each voice")
    try:
        head = msgspec.convert(parsed, _Head)
    except msgspec.ValidationError as wrong:
        raise CatalogueError(f"{file.name}: {wrong}") from wrong
    if head.engine != file.stem:
        raise CatalogueError(f"{file.name}: engine is {head.engine!r}: the file is named for it")
    voices: list[Voice] = []
    for number, row in enumerate(rows, 1):
        try:
            voices.append(_voice(head, msgspec.convert(row, _Row), samples))
        except ValueError as wrong:  # msgspec's too
            named = row.get("id", "no id") if isinstance(row, dict) else row
            raise CatalogueError(f"{file.name}, row {number} ({named}): {wrong}") from wrong
    return voices


def _voice(head: _Head, row: _Row, samples: _Samples) -> Voice:
    """Raises `ValueError` for what the types alone allow."""
    for name in (row.id, *row.aliases):
        if not _ID.fullmatch(name):
            raise ValueError(f"{name!r} is no id: 1 to 64 letters, digits and . _ -")
    if not row.languages:
        raise ValueError("languages is empty: a voice speaks at least one")
    for tag in (*row.languages, *(row.reads or ())):
        if not well_formed(tag):
            raise ValueError(f"language {tag!r} is no tag of BCP 47, such as en, pt-BR or zh-Hant")
    weights = row.weights or head.weights
    if (weights == "here") != bool(row.model):
        raise ValueError(f"weights are {weights!r} and model is {row.model!r}: name it if here")
    source = head.source + row.at
    if not _PLACE.fullmatch(source):
        raise ValueError(f"source {source!r} is no https address")
    reads = _read(head, row) if row.reads is None else row.reads
    return Voice(
        id=row.id,
        name=row.name,
        languages=row.languages,
        reads=reads,
        gender=row.gender,
        style=row.style,
        engine=head.engine,
        licence=row.licence or head.licence,
        sample=_sample((*reads, *row.languages)[0], samples),
        weights=weights,
        source=source,
        model=row.model,
        aliases=row.aliases,
    )


def _read(head: _Head, row: _Row) -> tuple[str, ...]:
    if head.phonemes is None:
        return row.languages
    return tuple(tag for tag in row.languages if language(tag) in head.phonemes)


def _sample(tag: str, samples: _Samples) -> str:
    primary = tag.split("-")[0]
    return samples.sentences.get(primary, samples.other)


def _parsed(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as wrong:  # tomllib's too
        raise CatalogueError(f"{file.name}: {wrong}") from wrong
