"""`voiceforge voices`: every voice that there is, which of them speak here, fetching others."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from actors.download import StoreError
from actors.voices.catalogue import Engine, UnknownVoice, Voice, catalogue
from actors.voices.here import Machine, machine_of
from actors.voices.tags import well_formed
from server.models_cli import Printed
from server.settings_sources import SettingsError, load
from server.store import store_of, voices_of

voices = App(name="voices", help="The voices: list them, and fetch their weights.")


class _Line(msgspec.Struct):
    """One voice in `--json`. `lacks`: why it does not speak here; empty if it does."""

    id: str
    name: str
    languages: tuple[str, ...]
    gender: str
    style: str
    engine: str
    licence: str
    speaks_here: bool
    lacks: str
    reads: tuple[str, ...]
    weights: str
    source: str
    aliases: tuple[str, ...]


@voices.default
def list_voices(
    *,
    language: Annotated[
        str | None, Parameter(help="only those for this language: hi, or pt-BR")
    ] = None,
    engine: Annotated[Engine | None, Parameter(help="only those of this engine")] = None,
    here: Annotated[bool, Parameter(help="only those that speak here now", negative="")] = False,
    as_json: Annotated[bool, Parameter(name="--json", help="print JSON", negative="")] = False,
    config: Annotated[Path | None, Parameter(help="TOML file, as for `serve`")] = None,
) -> int:
    """List the voices: their languages, their engine, and whether they can speak here now."""
    try:
        machine = machine_of(store_of(load(config=config).settings))
    except (StoreError, SettingsError) as failed:
        print(f"voiceforge: {failed}", file=sys.stderr)
        return 1
    if language is not None and not well_formed(language.split("-")[0].lower()):
        print(
            f"voiceforge: --language {language}: expected a tag like hi or pt-BR", file=sys.stderr
        )
        return 1
    found = catalogue().voices if language is None else catalogue().of_language(language)
    found = tuple(
        voice
        for voice in found
        if engine in (None, voice.engine) and not (here and machine.lacks(voice))
    )
    if as_json:
        print(msgspec.json.encode([_line(voice, machine) for voice in found]).decode())
        return 0
    _table(found, machine)
    return 0


@voices.command
def pull(
    *voice: Annotated[str, Parameter(help="ids of Piper's English voices of one speaker")],
    config: Annotated[Path | None, Parameter(help="TOML file, as for `serve`")] = None,
) -> int:
    """Fetch the weights of voices from the hub, going on where an earlier pull was cut.

    Ends with 1 if one could not be had, or none is named. Look at its licence first:
    `voiceforge voices --json`.
    """
    if not voice:
        print(
            "voiceforge: no voice is named: give ids, as `voiceforge voices --engine piper` lists",
            file=sys.stderr,
        )
        return 1
    progress = Printed()
    try:
        weights = voices_of(load(config=config).settings)
        for one in voice:
            folder = weights.pull(catalogue().voice(one), progress)
            progress.note(f"{one}: ready in {folder}")
    except (StoreError, SettingsError, UnknownVoice) as failed:
        progress.close()
        print(f"voiceforge: {failed}", file=sys.stderr)
        return 1
    return 0


def _table(found: Iterable[Voice], machine: Machine) -> None:
    rows = [("id", "name", "languages", "gender", "engine", "here")]
    rows += [
        (
            voice.id,
            voice.name,
            ", ".join(voice.languages),
            voice.gender or "-",
            voice.engine,
            _here(voice, machine),
        )
        for voice in found
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


def _here(voice: Voice, machine: Machine) -> str:
    """In few words; a voice that reads another language than its own says which."""
    if lacks := machine.lacks(voice):
        return "no: weights on the hub" if voice.weights == "hub" else f"no: {lacks}"
    foreign = [tag for tag in voice.reads if tag not in voice.languages]
    return f"yes, reads {', '.join(foreign)}" if foreign else "yes"


def _line(voice: Voice, machine: Machine) -> _Line:
    lacks = machine.lacks(voice)
    return _Line(
        id=voice.id,
        name=voice.name,
        languages=voice.languages,
        gender=voice.gender,
        style=voice.style,
        engine=voice.engine,
        licence=voice.licence,
        speaks_here=not lacks,
        lacks=lacks,
        reads=voice.reads,
        weights=voice.weights,
        source=voice.source,
        aliases=voice.aliases,
    )
