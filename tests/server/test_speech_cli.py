"""`voiceforge say` and `voiceforge transcribe`, as a person uses them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from bench.turns import turns
from tests.media import recording
from tests.server.program import Ended, Server, voiceforge

pytestmark = pytest.mark.models

SAID = "The library opens late in the morning."


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server.until_ready()


def run(server: Server, *arguments: str) -> Ended:
    return voiceforge(*arguments, "--url", server.url, VOICEFORGE_API_KEY=server.key, timeout_s=120)


@pytest.mark.parametrize("ending", ["mp3", "ogg", "flac", "wav"])
def test_what_is_said_is_written_again(server: Server, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"a.{ending}"
    done = run(server, "say", SAID, "-o", str(file))
    assert (done.status, done.out, done.err) == (0, "", "")
    if ending != "wav":  # whose length is not in its header
        assert 1.5 < soundfile.info(file).duration < 4
    done = run(server, "transcribe", str(file), "--language", "en")
    assert (done.status, done.err) == (0, "")
    assert "library opens late in the morning" in done.out.lower()
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_the_server_of_this_machine_is_found(server: Server, tmp_path: Path) -> None:
    """Whatever port it has: where its state is, its address is too, and its key."""
    file = tmp_path / "a.mp3"
    done = voiceforge("say", SAID, "-o", str(file), VOICEFORGE_STATE=str(server.state))
    assert (done.status, done.out, done.err) == (0, "", "")
    assert file.stat().st_size > 1000


@pytest.mark.parametrize(
    ("form", "begins"), [("srt", "1\n00:00:0"), ("vtt", "WEBVTT\n\n00:00:0"), ("json", '{\n  "t')]
)
def test_formats_are_printed_or_written(
    server: Server, tmp_path: Path, form: str, begins: str
) -> None:
    file, out = tmp_path / "a.flac", tmp_path / "a.out"
    file.write_bytes(recording("flac", turns("question")[0].pcm()))
    shown = run(server, "transcribe", str(file), "--format", form, "--language", "en")
    assert (shown.status, shown.err) == (0, "")
    assert shown.out.startswith(begins)
    assert run(server, "transcribe", str(file), "--format", form, "-o", str(out)).out == ""
    if form == "json":
        assert json.loads(shown.out)["text"] == json.loads(out.read_text())["text"]
    else:
        assert out.read_text() == shown.out


def test_what_goes_wrong_is_one_line(server: Server, tmp_path: Path) -> None:
    text, absent = tmp_path / "a.txt", tmp_path / "b.wav"
    text.write_text("no sound at all")
    for arguments, told in (
        (("transcribe", str(text)), "file: the file is no recording that can be read"),
        (("transcribe", str(absent)), f"{absent}: No such file"),
        (("say", "Hello.", "-o", str(tmp_path / "a.doc")), "its name must end with .mp3"),
        (("say", "Hello.", "-o", str(tmp_path / "no" / "a.mp3")), "No such file"),
        (("say", "?!", "-o", str(tmp_path / "a.mp3")), "holds nothing that can be spoken"),
        (("say", "Hello.", "--voice", "bob", "-o", str(tmp_path / "a.mp3")), "unknown voice"),
        (("say", "Hello."), "needs the package sounddevice"),
    ):
        done = run(server, *arguments)
        assert done.status == 1, arguments
        assert told in done.err
        assert done.err.count("\n") == 1, done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt"]


def test_a_server_that_is_not_there_is_told() -> None:
    done = voiceforge(
        "say", "Hello.", "-o", "a.mp3", "--url", "http://127.0.0.1:9", VOICEFORGE_API_KEY="vf_a"
    )
    assert done.status == 1
    assert "is the server running there?" in done.err
