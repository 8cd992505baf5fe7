"""The command line: `voiceforge serve | talk | say | transcribe | voices | keys | models |
capacity | backup | restore | config`.
"""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Literal, NoReturn

from cyclopts import App, Parameter

from server import keys_cli, log, models_cli
from server.capacity_cli import capacity
from server.records_cli import backup, restore
from server.settings_sources import Given, Loaded, SettingsError, described, load
from server.speech_cli import say, transcribe
from server.talk_cli import talk
from server.version import VERSION
from server.voices_cli import voices

app = App(
    name="voiceforge",
    help="A self-hosted voice agent: it listens, thinks and speaks with models that run here.",
    version=VERSION,
    help_format="plaintext",
)
config_app = App(name="config", help="The settings.", help_format="plaintext")
app.command(config_app)
app.command(models_cli.models)
app.command(keys_cli.keys)
app.command(voices)
app.command(talk)
app.command(say)
app.command(transcribe)
app.command(capacity)
app.command(backup)
app.command(restore)

Config = Annotated[
    Path | None,
    Parameter(help="TOML file; else VOICEFORGE_CONFIG, else ./voiceforge.toml if it is there"),
]
Host = Annotated[str | None, Parameter(help="address to listen on [127.0.0.1]")]
Port = Annotated[int | None, Parameter(help="TCP port; 0 takes a free one [8000]")]
Level = Annotated[
    Literal["debug", "info", "warning", "error"] | None, Parameter(help="what is logged [info]")
]


@app.command
def serve(
    *, host: Host = None, port: Port = None, config: Config = None, log_level: Level = None
) -> None:
    """Start the server: fetch what models are missing, load them, listen.

    SIGTERM or Ctrl-C lets sessions finish what is being said; a second one ends at once.
    """
    import uvloop

    from server.listening import ServeError
    from server.process import run  # the web server and the models' runtimes: a second to import

    loaded = settings(config, host=host, port=port, log_level=log_level)
    log.configure(loaded.settings.log)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(loaded.settings, tell))
    except ServeError as error:
        fail(str(error))


@config_app.command
def show(
    *, host: Host = None, port: Port = None, config: Config = None, log_level: Level = None
) -> None:
    """Show every setting as `serve` would use it, and where it was set; secrets stay hidden."""
    print(described(settings(config, host=host, port=port, log_level=log_level)))


@app.command
def version() -> None:
    """Show which VoiceForge this is."""
    print(VERSION)


def settings(
    config: Path | None, *, host: str | None, port: int | None, log_level: str | None
) -> Loaded:
    """All sources together, the command line last. A mistake in any ends the program."""
    options = {
        "host": Given(host, "--host"),
        "port": Given(port, "--port"),
        "log.level": Given(log_level, "--log-level"),
    }
    given = {key: option for key, option in options.items() if option.value is not None}
    try:
        return load(given, config=config)
    except SettingsError as error:
        fail(str(error))


def tell(line: str) -> None:
    """A line for the person who started the server. Logs go elsewhere: to standard error."""
    print(line, flush=True)


def fail(message: str) -> NoReturn:
    """End with an error message."""
    print(f"voiceforge: {message}", file=sys.stderr)
    sys.exit(1)


def main() -> None:
    """The `voiceforge` program."""
    app()
