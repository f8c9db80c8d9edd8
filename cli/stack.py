"""`foretick up`, `down`, `status`, `doctor`, `logs` and `test`: the servers and workers on this machine."""

import json
import os
import subprocess
import sys
import webbrowser
from dataclasses import asdict
from typing import Annotated, NoReturn

import typer

from cli.errors import UserError
from cli.show import show_checks, show_status
from cli.text import echo, echo_json
from settings import ROOT, Settings
from stack import detached, state, supervisor, system
from stack.errors import MachineError
from stack.progress import Progress, failures, up_and_healthy
from stack.state import StackState
from stack.tail import follow, tail

FAILED, MACHINE = 1, 3

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def up(
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return when all is healthy; it runs on.")] = False,
    browser: Annotated[bool, typer.Option(help="Open the dashboard, where there is a desktop.")] = True,
    sample: Annotated[bool, typer.Option(help="Replay the bundled sample.")] = True,
) -> None:
    """Install what is missing, start everything, and show the dashboard. Ctrl-C, or `foretick down`, stops it."""
    from stack.report import dashboard_url  # noqa: PLC0415 - clients of all servers: time that no other command is to pay
    from stack.servers import is_external  # noqa: PLC0415
    from stack.table import components  # noqa: PLC0415

    if not sample:
        os.environ["FORETICK_SAMPLE"] = "false"  # what is started reads its settings from here
    home = Settings().home.resolve()
    running = state.read(home)
    if running is not None and running.running():
        if failed := failures(running):
            echo(f"{failed[0]}; to try again: foretick down, then foretick up", err=True)
            raise typer.Exit(FAILED)
        echo(f"already running: {dashboard_url(Settings())} (stop it with: foretick down)")
        return
    try:
        system.ensure(postgres=not is_external("postgres"), redis=not is_external("redis"))
        if detach:
            detached.start(home, (), Progress())
            announce(browser)
        else:
            last = supervisor.run(lambda: components(Settings()), home, Foreground(browser))
            if failures(last):
                raise typer.Exit(FAILED)
    except MachineError as error:
        machine(error)


class Foreground:
    """Tells what changes, and once where the dashboard is."""

    def __init__(self, browser: bool) -> None:
        """Begin; `browser` says whether to open the dashboard."""
        self.progress, self.browser, self.announced = Progress(), browser, False

    def __call__(self, current: StackState) -> None:
        """Look at the new state."""
        self.progress(current)
        if not self.announced and up_and_healthy(current):
            self.announced = True
            announce(self.browser)


def announce(browser: bool) -> None:
    """Say where the dashboard is, and open it where somebody sits in front of a desktop."""
    from stack.report import dashboard_url  # noqa: PLC0415 - as in `up`

    url = dashboard_url(Settings())
    echo(f"dashboard: {url}")
    if browser and sys.stdout.isatty() and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        webbrowser.open(url)


def down() -> None:
    """Stop everything that `up` started."""
    if not detached.stop(Settings().home, Progress("healthy", "starting", "running", "done")):
        echo("not running")


def status(as_json: Json = False) -> None:
    """Show the components, how much has gone through, and the lag. Exit code 1: something is not well."""
    from stack.report import report  # noqa: PLC0415 - as in `up`
    from stack.table import NAMES  # noqa: PLC0415

    found = report(Settings(), NAMES)
    if as_json:
        echo_json(json.dumps(asdict(found), indent=2))
    else:
        show_status(found)
    if not found.good():
        raise typer.Exit(FAILED)


def doctor(as_json: Json = False) -> None:
    """Check the machine and every component, and say what to do. Exit code 1: something is broken."""
    from stack.doctor import examine  # noqa: PLC0415 - as in `up`

    found = examine(Settings())
    if as_json:
        echo_json(json.dumps([asdict(check) for check in found], indent=2))
    else:
        show_checks(found)
    if any(check.status == "fail" for check in found):
        raise typer.Exit(FAILED)


def logs(
    component: Annotated[str | None, typer.Argument(help="One component; all when left out.")] = None,
    follow_on: Annotated[bool, typer.Option("--follow", "-f", help="Print what is added until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, help="How many of the last lines of each.")] = 20,
) -> None:
    """Print the last lines of the logs."""
    folder = Settings().home / "logs"
    found = sorted(folder.glob("*.log"))
    chosen = [path for path in found if component in (None, path.stem)]
    if not chosen:
        names = ", ".join(path.stem for path in found) or "none yet: nothing was ever started"
        raise UserError(f"no log of {component or 'any component'} in {folder}; there are: {names}")
    for path in chosen:
        if len(chosen) > 1:
            echo(f"==> {path.stem} <==")
        for line in tail(path, lines):
            echo(line)
    if follow_on:
        for path, line in follow(chosen):
            echo(f"{path.stem}: {line}" if len(chosen) > 1 else line)


def test(arguments: Annotated[list[str] | None, typer.Argument(help="Arguments of pytest.")] = None) -> None:  # noqa: PT028 - a command, no test
    """Install what the tests need, then run them all, or those that the arguments for pytest choose."""
    try:
        system.ensure(postgres=True, redis=True, browser=True)
    except MachineError as error:
        machine(error)
    done = subprocess.run([sys.executable, "-m", "pytest", *(arguments or ())], cwd=ROOT, check=False)  # noqa: S603
    raise typer.Exit(done.returncode)


def machine(error: MachineError) -> NoReturn:
    """Print what the machine lacks in one line, and exit."""
    echo(f"foretick: {error}", err=True)
    raise typer.Exit(MACHINE) from None
