"""What `make run` does about the web app, where Node is there, too old, or missing.

Around the real Makefile the programs that it calls are scripts that note what they were asked.
"""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.server.program import ROOT

TOOLS = ("sh", "find", "touch", "cat", "mkdir", "rm", "sed", "grep", "make")

NPM = """#!/bin/sh
echo "npm $*" >>../asked
echo "npm says much"
[ ! -e ../broken ] || { echo "src/main.ts: error TS2304" >&2; exit 2; }
case "$1" in
  ci) mkdir -p node_modules ;;
  run) mkdir -p dist && echo built >dist/index.html ;;
esac
"""


SOURCE_S, BUILT_S = 100, 50


class Checkout:
    """A folder with the Makefile, an environment that is up to date, and a web app."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copy(ROOT / "Makefile", folder)
        for name in ("pyproject.toml", "constraints.txt"):
            (folder / name).touch()
        (folder / ".venv" / "bin").mkdir(parents=True)
        self.program(".venv/bin/voiceforge", '#!/bin/sh\necho "voiceforge $*" >>asked\n')
        for stamp in (".made", ".core", ".dev"):
            (folder / ".venv" / stamp).touch()
        (folder / "bin").mkdir()
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found is not None, tool
            (folder / "bin" / tool).symlink_to(found)
        (folder / "playground" / "src").mkdir(parents=True)
        for source in ("package.json", "package-lock.json", "index.html", "src/main.ts"):
            (folder / "playground" / source).touch()
        self.program("bin/npm", NPM)
        self.node("v20.19.2")

    def program(self, name: str, script: str) -> None:
        path = self.folder / name
        path.write_text(script)
        path.chmod(0o755)

    def node(self, version: str) -> None:
        """Node of this version, as far as the Makefile asks it."""
        old = int(version[1:].split(".")[0]) < 20
        answer = (
            f'#!/bin/sh\n[ "$1" != --version ] || echo {version}\n[ "$1" != -e ] || exit {old:d}\n'
        )
        self.program("bin/node", answer)

    def make(self, target: str, status: int = 0) -> str:
        """What it says; afterwards `asked` is what it called."""
        self.asked.unlink(missing_ok=True)
        done = subprocess.run(
            ["make", "PYTHON=true", target],
            cwd=self.folder,
            env={"PATH": str(self.folder / "bin"), "HOME": str(self.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout
        return done.stdout

    @property
    def asked(self) -> Path:
        return self.folder / "asked"

    def calls(self) -> list[str]:
        return self.asked.read_text().splitlines() if self.asked.exists() else []

    @property
    def built(self) -> bool:
        return (self.folder / "playground" / "dist" / "index.html").exists()

    def change(self, source: str) -> None:
        """Now: what it was built from, and then what was built, are made older than that."""
        app = self.folder / "playground"
        for path in (app, *app.rglob("*")):
            built = path.name == "index.html" and path.parent.name == "dist"
            age(path, BUILT_S if built or path.name == ".installed" else SOURCE_S)
        (app / source).touch()


def age(path: Path, by_s: float) -> None:
    at = time.time() - by_s
    os.utime(path, (at, at))


INSTALL, BUILD = "npm ci --no-audit --no-fund", "npm run build"
SERVED = ["voiceforge models pull", "voiceforge serve"]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_it_is_built_once_and_quietly(checkout: Checkout) -> None:
    told = checkout.make("run").splitlines()
    assert told == ["installing what the web app is built with", "building the web app"]
    assert checkout.calls() == [INSTALL, BUILD, *SERVED]
    assert checkout.make("run") == ""
    assert checkout.calls() == SERVED


@pytest.mark.parametrize(
    "source", ["src/main.ts", "src/new.ts", "src", "index.html", "package.json", "vite.config.ts"]
)
def test_it_is_built_again_when_what_it_is_made_of_has_changed(
    checkout: Checkout, source: str
) -> None:
    checkout.make("run")
    checkout.change(source)
    assert checkout.make("run") == "building the web app\n"
    assert checkout.calls() == [BUILD, *SERVED]


def test_what_it_is_built_with_is_installed_again_when_that_has_changed(checkout: Checkout) -> None:
    checkout.make("run")
    checkout.change("package-lock.json")
    checkout.make("run")
    assert checkout.calls() == [INSTALL, BUILD, *SERVED]


@pytest.mark.parametrize("tool", ["node", "npm"])
def test_where_a_tool_is_missing_it_says_what_to_install_and_serves(
    checkout: Checkout, tool: str
) -> None:
    (checkout.folder / "bin" / tool).unlink()
    told = checkout.make("run").splitlines()
    assert told == [
        f"the web app is not built: it needs {tool}, which is not installed "
        "(Debian 13: apt-get install nodejs npm; older: see nodejs.org)",
        "the API runs without the web app",
    ]
    assert checkout.calls() == SERVED
    assert f"needs {tool}, which is not installed" in checkout.make("app", status=2)


def test_where_node_is_too_old_it_says_so_and_serves(checkout: Checkout) -> None:
    checkout.node("v18.20.4")
    assert checkout.make("run").splitlines() == [
        "the web app is not built: it needs Node 20 or later, and this is v18.20.4: see nodejs.org",
        "the API runs without the web app",
    ]
    assert checkout.calls() == SERVED


def test_a_build_that_fails_is_shown_and_leaves_no_app_but_the_api(checkout: Checkout) -> None:
    checkout.make("run")
    checkout.change("src/main.ts")
    (checkout.folder / "broken").touch()
    told = checkout.make("run")
    assert "npm says much" in told
    assert "src/main.ts: error TS2304" in told
    assert told.endswith("the API runs without the web app\n")
    assert checkout.calls() == [BUILD, *SERVED]
    assert not checkout.built
    assert "src/main.ts: error TS2304" in checkout.make("app", status=2)
    (checkout.folder / "broken").unlink()
    assert checkout.make("app") == "building the web app\n"
    assert checkout.built


def test_make_app_builds_it_alone(checkout: Checkout) -> None:
    checkout.make("app")
    assert checkout.calls() == [INSTALL, BUILD]
    assert checkout.built


def test_a_checkout_without_one_serves(checkout: Checkout) -> None:
    shutil.rmtree(checkout.folder / "playground")
    assert checkout.make("run") == ""
    assert checkout.calls() == SERVED


def test_the_tests_are_run_with_it(checkout: Checkout) -> None:
    done = subprocess.run(
        ["make", "-n", "unit"], cwd=checkout.folder, capture_output=True, text=True, check=False
    )
    assert "npm run build" in done.stdout
