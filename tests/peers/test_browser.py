"""Chromium before the server: what its own pages may do, and what those of others may not."""

import asyncio
from pathlib import Path

import pytest

from server.web_app_files import read
from tests.peers.node import passed
from tests.server.program import Server
from tests.server.test_web_app import serving_files

pytestmark = [pytest.mark.models, pytest.mark.peers]

INDEX = """<!doctype html><title>it does not run</title>
<link rel="icon" href="data:,"><body><script type="module" src="/app/assets/index-1.js"></script>"""


def test_a_browser_signs_in_and_pages_of_others_get_nothing_of_it(server: Server) -> None:
    passed(server, "signing_in")


async def test_the_apps_page_may_ask_this_server_and_nobody_else(
    server: Server, tmp_path: Path
) -> None:
    assets = tmp_path / "assets"
    assets.mkdir()
    (tmp_path / "index.html").write_text(INDEX)
    (assets / "index-1.js").write_text('document.title = "it runs";')
    (assets / "worklet-1.js").write_text(
        'registerProcessor("p", class extends AudioWorkletProcessor {});'
    )
    async with serving_files(read(tmp_path)) as client:
        url = str(client.base_url)
        await asyncio.to_thread(passed, server, "web_app", VOICEFORGE_URL=url)
