"""The `foretick` command: every command in one table, and one line for a mistake.

Exit codes: 0 done; 1 a check failed; 2 a mistake of the user's; 3 the machine lacks something; 130 stopped by Ctrl-C.
"""

import sys

import typer

from cli import dashboard, replay, stack, topics, train
from cli.errors import UserError

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
    stack.test,
    replay.replay,
    train.train,
    dashboard.dashboard,
)

for command in COMMANDS:
    app.command()(command)
app.add_typer(topics.app, name="topics")


def run() -> None:
    """Run the command that was typed and exit."""
    try:
        app()
    except UserError as error:
        sys.stderr.write(f"foretick: {error}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
