"""Asking a server as the commands do: what is said, and to whom a key is never sent."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest

from server.access.admin_key import FILE, VARIABLE, key_for
from server.settings import Settings
from server.web import WebError, ask, is_here

ANSWERS: dict[str, tuple[int, bytes]] = {
    "/good": (200, b'{"name": "Joe"}'),
    "/nothing": (204, b""),
    "/refused": (403, b'{"error": {"message": "key key_1 lacks the scope"}}'),
    "/strange": (502, b"<html>"),
    "/other": (200, b"<html>"),
    "/elsewhere": (302, b""),
}


class Named(msgspec.Struct):
    name: str


class Site(BaseHTTPRequestHandler):
    asked: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["authorization"]))
        status, body = ANSWERS.get(self.path, (200, b"{}"))
        self.send_response(status)
        if status == 302:
            self.send_header("location", "/good")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    Site.asked.clear()
    with HTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_answer_is_what_was_wanted(url: str) -> None:
    assert ask("GET", f"{url}/good", "vf_key", Named) == Named("Joe")
    assert ask("GET", f"{url}/nothing", "vf_key", type(None)) is None
    assert Site.asked[0] == ("/good", "Bearer vf_key")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/refused", "key key_1 lacks the scope"),
        ("/strange", "HTTP 502"),
        ("/other", "this is no VoiceForge"),
        ("/unnamed", "this is no VoiceForge"),
        ("/elsewhere", "HTTP 302"),
    ],
)
def test_a_no_says_why_and_never_the_key(url: str, path: str, told: str) -> None:
    with pytest.raises(WebError) as failed:
        ask("GET", url + path, "vf_key", Named)
    assert told in str(failed.value)
    assert "vf_key" not in str(failed.value)
    assert [asked for asked, _ in Site.asked] == [path]  # it was led nowhere


def test_to_this_machine_no_proxy_is_asked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert ask("GET", f"{url}/good", "vf_key", Named) == Named("Joe")


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("ws://127.0.0.1:8000", True),
        ("http://[::1]:8000", True),
        ("http://localhost", True),
        ("http://localhost.example", False),
        ("http://127.0.0.1.example", False),
        ("http://192.0.2.1", False),
        ("http://127.0.0.1@192.0.2.1", False),
        ("nonsense", False),
    ],
)
def test_this_machine_is_told_from_others(address: str, here: bool) -> None:
    assert is_here(address) == here


def test_the_administrators_key_stays_on_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    settings = Settings(state=str(tmp_path))
    assert key_for("http://127.0.0.1:8000", settings) == ""
    (tmp_path / FILE).write_text("vf_admin\n")
    assert key_for("http://127.0.0.1:8000", settings) == "vf_admin"
    assert key_for("http://192.0.2.1:8000", settings) == ""
    monkeypatch.setenv(VARIABLE, "vf_mine")
    assert key_for("http://192.0.2.1:8000", settings) == "vf_mine"
