"""The `foretick` command: the table of commands, and one-line error messages.

Exit codes: 0 done; 1 a check failed; 2 a usage error; 3 a missing requirement; 130 stopped by Ctrl-C.
"""

import atexit
import errno
import gc
import os
import sys
from typing import Annotated

import typer
from pydantic import ValidationError

from cli import (
    alerts,
    alerts_mutes,
    api,
    backup,
    config,
    dashboard,
    dead_letters,
    drift,
    evaluate,
    explain,
    features,
    install,
    live,
    lookahead,
    models,
    pipeline,
    replay,
    roles,
    run_tests,
    skip,
    stack,
    subscribers,
    topics,
    train,
    tune,
    upgrade,
)
from cli.errors import UserError
from cli.text import echo
from settings import Settings
from settings.config_file import make_absolute
from settings.origins import lines
from settings.version import package_version
from stack.settings_check import check

app = typer.Typer(
    name="foretick",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

COMMANDS = (
    stack.up,
    stack.down,
    stack.restart,
    stack.status,
    stack.doctor,
    stack.logs,
    backup.backup,
    backup.restore,
    upgrade.upgrade,
    install.install,
    replay.replay,
    train.train,
    features.features,
    tune.tune,
    evaluate.evaluate,
    lookahead.lookahead,
    explain.explain,
    drift.drift,
    drift.skill,
    dashboard.dashboard,
)


def _version(asked: bool) -> None:
    if asked:
        echo(f"foretick {package_version()}")
        raise typer.Exit


@app.callback()
def main(
    reporter: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """A streaming forecaster for cryptocurrency markets."""


for command in COMMANDS:
    app.command()(command)
# Arguments after `foretick test` are pytest's, options too.
app.command("test", context_settings={"ignore_unknown_options": True})(run_tests.run_tests)
topics.app.command()(skip.skip)
app.add_typer(topics.app, name="topics")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(models.app, name="models")
app.add_typer(pipeline.app, name="pipeline")
app.add_typer(live.app, name="live")
alerts.app.command()(subscribers.subscribe)
alerts.app.command()(subscribers.unsubscribe)
alerts.app.command()(alerts_mutes.mute)
alerts.app.command()(alerts_mutes.unmute)
app.add_typer(alerts.app, name="alerts")
app.add_typer(api.app, name="api")
app.add_typer(config.app, name="config")
app.add_typer(roles.app, name="database")


def _leave() -> None:
    """Skip the final garbage collection, unless Torch is loaded, whose bindings report unfreed objects as leaks."""
    if "torch" not in sys.modules:
        gc.freeze()


def _check_settings() -> None:
    """Raise UserError for the first fault of the settings, for every command."""
    try:
        check(Settings())
    except ValidationError as error:
        raise UserError(lines(error)[0]) from None
    except ValueError as error:
        raise UserError(str(error)) from None


def run() -> None:
    """Run the command that was typed and exit."""
    # Imports make many objects and hardly any garbage: with numba loaded, collections at the default frequency take a
    # quarter of a second, and the final one half a second.
    gc.set_threshold(100_000)
    atexit.register(_leave)
    # Our matrices are small: threads of OpenBLAS win nothing, and on busy cores they wait for each other. Trials of a
    # tuning took 20 s of the processors with one, 73 s with two.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        make_absolute(os.environ)
        if "--help" not in sys.argv and sys.argv[1:2] != ["config"]:  # whose commands say more of a fault
            _check_settings()
        app()
    except UserError as error:
        echo(f"foretick: {error}", err=True)
        sys.exit(2)
    except OSError as error:
        elsewhere = "; FORETICK_HOME names another folder" if error.errno in (errno.EROFS, errno.EACCES) else ""
        echo(f"foretick: {error.filename or 'the machine'}: {error.strerror or error}{elsewhere}", err=True)
        sys.exit(3)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    run()
