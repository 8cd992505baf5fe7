"""The command line, as far as no model is needed."""

import socket
from pathlib import Path

import pytest

from server import wav
from server.version import VERSION
from tests.server.program import voiceforge


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ([], ["serve", "talk", "models", "config", "version"]),
        (["serve"], ["--host", "--port", "--config", "--log-level", "SIGTERM"]),
        (["talk"], ["--url", "--in", "--out", "--json", "--stereo", "--half-duplex"]),
        (["models"], ["list", "pull", "verify"]),
        (["voices"], ["--language", "--engine", "--here", "--json", "piper", "kokoro", "espeak"]),
        (["config", "show"], ["--config"]),
    ],
)
def test_every_command_explains_itself(command: list[str], says: list[str]) -> None:
    done = voiceforge(*command, "--help")
    assert done.status == 0
    assert [word for word in says if word not in done.out] == []


def test_the_version_is_told() -> None:
    assert voiceforge("version").out.strip() == VERSION


def test_the_settings_are_shown_with_their_sources_and_without_secrets(tmp_path: Path) -> None:
    config = tmp_path / "a.toml"
    config.write_text("port = 1234\n[llm]\napi_key = 'sk-verysecret'")
    done = voiceforge(
        "config", "show", "--config", str(config), "--host", "::1", VOICEFORGE_LOG__LEVEL="debug"
    )
    assert done.status == 0
    assert f"port = 1234  # {config}" in done.out
    assert 'host = "::1"  # --host' in done.out
    assert 'level = "debug"  # VOICEFORGE_LOG__LEVEL' in done.out
    assert "verysecret" not in done.out + done.err


def test_a_mistake_in_the_settings_ends_the_program_with_one_line(tmp_path: Path) -> None:
    done = voiceforge("serve", VOICEFORGE_PORT="many")
    assert done.status == 1
    assert done.err.splitlines() == [
        'voiceforge: VOICEFORGE_PORT: port = "many" cannot be used; '
        "allowed: a TCP port, 0-65535; 0 takes a free one"
    ]


def test_a_port_that_is_taken_is_said_at_once_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = voiceforge("serve", "--port", port, timeout_s=20)
    assert done.status == 1
    assert f"cannot listen on 127.0.0.1 port {port}: Address already in use" in done.err
    assert "--port" in done.err


def test_a_host_that_is_nowhere_is_said() -> None:
    done = voiceforge("serve", "--host", "nowhere.invalid", timeout_s=60)
    assert done.status == 1
    assert "host 'nowhere.invalid' cannot be resolved" in done.err


def test_models_that_cannot_be_fetched_are_said_with_the_way_out(tmp_path: Path) -> None:
    done = voiceforge(
        "serve", "--port", "0", VOICEFORGE_MODELS=str(tmp_path), VOICEFORGE_OFFLINE="true"
    )
    assert done.status == 1
    assert "moonshine-tiny-en" in done.err
    assert "VOICEFORGE_OFFLINE" in done.err


def test_talk_without_a_server_fails_with_a_report(tmp_path: Path) -> None:
    question = tmp_path / "q.wav"
    wav.write(question, 24000, b"\x00\x20" * 2400)
    done = voiceforge(
        "talk", "--url", "ws://127.0.0.1:9/v1/realtime", "--in", str(question), "--json"
    )
    assert done.status == 1
    assert "nothing listens there" in done.err
    assert '"answered":false' in done.out
