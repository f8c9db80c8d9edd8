"""The `foretick` command: every command in one table, and one line for a mistake.

Exit codes: 0 done; 1 a check failed; 2 a mistake of the user's; 3 the machine lacks something; 130 stopped by Ctrl-C.
"""

import atexit
import gc
import sys

import typer
from pydantic import ValidationError

from cli import (
    alerts,
    api,
    dashboard,
    dead_letters,
    evaluate,
    explain,
    features,
    live,
    models,
    pipeline,
    replay,
    skip,
    stack,
    subscribers,
    topics,
    train,
    tune,
    watch,
)
from cli.errors import UserError
from cli.text import echo

app = typer.Typer(
    name="foretick",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A streaming forecaster for cryptocurrency markets.",
)

COMMANDS = (
    stack.up,
    stack.down,
    stack.status,
    stack.doctor,
    stack.logs,
    replay.replay,
    train.train,
    features.features,
    tune.tune,
    evaluate.evaluate,
    explain.explain,
    watch.drift,
    watch.skill,
    dashboard.dashboard,
)

for command in COMMANDS:
    app.command()(command)
# What follows `foretick test` is pytest's, its options too.
app.command(context_settings={"ignore_unknown_options": True})(stack.test)
topics.app.command()(skip.skip)
app.add_typer(topics.app, name="topics")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(models.app, name="models")
app.add_typer(pipeline.app, name="pipeline")
app.add_typer(live.app, name="live")
alerts.app.command()(subscribers.subscribe)
alerts.app.command()(subscribers.unsubscribe)
app.add_typer(alerts.app, name="alerts")
app.add_typer(api.app, name="api")


def _leave() -> None:
    """Spare the last look for garbage; not where Torch is loaded, whose bindings call a leak what is not freed."""
    if "torch" not in sys.modules:
        gc.freeze()


def run() -> None:
    """Run the command that was typed and exit."""
    # Imports make many objects and hardly any garbage: where numba is loaded, to look for it as often as is usual takes
    # a quarter of a second, and once more at the end, when all goes with the process, half a second.
    gc.set_threshold(100_000)
    atexit.register(_leave)
    try:
        app()
    except UserError as error:
        echo(f"foretick: {error}", err=True)
        sys.exit(2)
    except ValidationError as error:
        problem = error.errors()[0]
        name = "_".join(str(part) for part in problem["loc"]).upper()
        echo(f"foretick: FORETICK_{name}: {problem['msg']}", err=True)
        sys.exit(2)
    except OSError as error:
        echo(f"foretick: {error.filename or 'the machine'}: {error.strerror or error}", err=True)
        sys.exit(3)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    run()
