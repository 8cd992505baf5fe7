"""`make run`, as the README says it."""

import os
import signal
import subprocess
import threading
import time
import urllib.request

import psutil
import pytest

from server.web_app_files import is_built
from tests.folder import folder
from tests.server.program import READY_S, ROOT, collect

pytestmark = pytest.mark.models

UP_TO_DATE = subprocess.run(["make", "-q", ".venv/.core"], cwd=ROOT, check=False).returncode == 0


@pytest.mark.skipif(not UP_TO_DATE, reason="make run has not installed anything here yet")
def test_where_all_is_there_it_serves_and_neither_installs_nor_fetches() -> None:
    with (
        folder() as state,
        subprocess.Popen(
            ["make", "run", "PORT=0"],
            cwd=ROOT,
            env=os.environ | {"VOICEFORGE_OFFLINE": "true", "VOICEFORGE_STATE": str(state)},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as make,
    ):
        told: list[str] = []
        reading = threading.Thread(target=collect, args=(make.stdout, told), daemon=True)
        reading.start()
        try:
            give_up = time.monotonic() + READY_S
            while not told or "/docs" not in told[-1]:
                assert make.poll() is None, told
                assert time.monotonic() < give_up, told
                time.sleep(0.05)
            assert [line for line in told if "installing" in line] == []
            assert [line for line in told if "voiceforge talk" in line] != []
            app = [line for line in told if line.endswith("/app/\n")]
            assert bool(app) == is_built()
            page = told[-1].split()[-1]
            with urllib.request.urlopen(page.replace("/docs", "/readyz"), timeout=20) as answer:
                assert answer.status == 200
            [serving] = psutil.Process(make.pid).children()
            serving.send_signal(signal.SIGINT)
            assert make.wait(20) == 0
        finally:
            if make.poll() is None:
                os.killpg(make.pid, signal.SIGKILL)
            reading.join()
