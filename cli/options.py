"""Options and arguments that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

Files = Annotated[list[Path], typer.Argument(help="Files of bars; the format is found by itself.")]
From = Annotated[str | None, typer.Option("--from", help="The first time, ISO 8601, UTC where no zone is given.")]
To = Annotated[str | None, typer.Option("--to", "--until", help="The time at which to stop (itself left out).")]
Symbol = Annotated[str | None, typer.Option(help="Only this symbol; or what to call the only one that the files hold.")]
Interval = Annotated[str | None, typer.Option(help="Use bars of this interval only (1m).")]
Seed = Annotated[int, typer.Option(help="The seed of everything random.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
