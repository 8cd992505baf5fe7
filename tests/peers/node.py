"""Programs for node (`*.test.mjs`), which drive npm's clients."""

import os
import subprocess
from pathlib import Path

from tests.server.program import Server

HERE = Path(__file__).parent
LONGEST_S = 400


def passed(server: Server, program: str, **environ: str) -> None:
    """Run one to its end: all its tests have to pass."""
    own = {"VOICEFORGE_URL": server.url, "VOICEFORGE_API_KEY": server.key}
    done = subprocess.run(
        ["node", "--test", "--test-reporter=spec", f"{program}.test.mjs"],
        cwd=HERE,
        env=os.environ | own | environ,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
