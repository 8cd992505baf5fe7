"""Writes out the statements of migrations, in a process of its own: Alembic and SQLAlchemy take
25 MB, which nobody needs once the tables are there.

`python storage/written.py FOLDER FROM TO` prints JSON: the `names` of the migrations on the way and
their `script`, or what is `unknown`.
"""

import io
import json
import sys
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError


def written(folder: str, start: str, to: str) -> dict[str, Any]:
    """The statements that lead from `start` ("base": an empty database) to `to`."""
    script = io.StringIO()
    config = Config(output_buffer=script)
    config.set_main_option("script_location", folder)
    config.set_main_option("path_separator", "os")
    try:
        steps = list(ScriptDirectory.from_config(config).iterate_revisions(to, start))
    except (CommandError, RevisionError) as error:
        return {"unknown": str(error)}
    if steps:
        command.upgrade(config, f"{start}:{to}", sql=True)
    return {"names": [step.revision for step in reversed(steps)], "script": script.getvalue()}


if __name__ == "__main__":
    json.dump(written(*sys.argv[1:]), sys.stdout)
