"""`make run`, as the README says it."""

import os
import signal
import subprocess
import time
import urllib.request

import psutil
import pytest

from tests.server.program import ROOT

pytestmark = pytest.mark.models

SOON_S = 20.0
"""A machine that does nothing else takes less than 10 s: this one runs tests."""


def test_where_all_is_there_it_serves_soon_and_fetches_nothing() -> None:
    began = time.monotonic()
    with subprocess.Popen(
        ["make", "run", "PORT=0"],
        cwd=ROOT,
        env=os.environ | {"VOICEFORGE_OFFLINE": "true"},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as make:
        try:
            assert make.stdout is not None
            told: list[str] = []
            while not told or "/docs" not in told[-1]:
                told.append(make.stdout.readline())
                assert told[-1], told
            assert time.monotonic() - began < SOON_S
            assert [line for line in told if "installing" in line] == []
            assert [line for line in told if "voiceforge talk --url ws://" in line] != []
            page = told[-1].split()[-1]
            with urllib.request.urlopen(page.replace("/docs", "/readyz"), timeout=20) as answer:
                assert answer.status == 200
            [serving] = psutil.Process(make.pid).children()
            serving.send_signal(signal.SIGINT)
            assert make.wait(20) == 0
        finally:
            if make.poll() is None:
                os.killpg(make.pid, signal.SIGKILL)
