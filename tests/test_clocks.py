"""A clock that is set, or jumps, changes nothing: what happens when is measured by another."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("engine", "actors", "transports", "server")

WALL = {("time", "time"), ("time", "time_ns"), ("datetime", "now"), ("datetime", "utcnow")}
STAMPS = {
    "engine/child.py",
    "server/access/keyring.py",
    "server/capacity.py",
    "server/chat/answered.py",
    "server/keys_cli.py",
    "server/records/recorders.py",
    "server/tracing.py",
    "server/webhooks.py",
    "transports/webrtc/reports.py",
}
"""Files that only tell people when something was."""

CALENDAR = {
    "server/eleven_user_routes.py",
    "server/metering/collector.py",
    "server/metering/months.py",
    "server/session_routes.py",
    "server/usage_routes.py",
    "transports/webrtc/calls.py",
}
"""Files that count by the hour or the month: these are people's own."""

FAR = {
    "server/access/web_sessions.py",
    "server/call_routes.py",
    "server/outbound/signing.py",
    "server/recording/links.py",
}
"""Files whose times are read on other machines, or after a start: minutes are allowed."""


def readers_of_the_wall_clock() -> set[str]:
    found = set()
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if not isinstance(node, ast.Attribute):
                    continue
                owner = getattr(node.value, "id", getattr(node.value, "attr", ""))
                if (owner, node.attr) in WALL:
                    found.add(str(path.relative_to(ROOT)))
    return found


def test_nothing_but_stamps_is_taken_from_the_clock_on_the_wall() -> None:
    assert readers_of_the_wall_clock() == STAMPS | CALENDAR | FAR
