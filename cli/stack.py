"""`foretick up`, `down`, `status`, `doctor` and `logs`: the servers and workers on this machine."""

import json
import os
import sys
import time
import webbrowser
from dataclasses import asdict
from threading import Thread
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from cli.errors import UserError
from cli.status_tables import show_checks, show_status
from cli.tables import Wide
from cli.text import echo, echo_json
from settings import Settings
from stack import background, state, supervisor, system
from stack import restart as restarting
from stack.errors import MachineError
from stack.first_start import compile_ahead
from stack.log_tail import follow, tail
from stack.mlflow_page import links
from stack.progress import Progress, failures, up_and_healthy
from stack.state import StackState
from topics.suggestions import unknown

if TYPE_CHECKING:
    from stack.check import Check

FAILED, MACHINE = 1, 3
FORECAST_S = 60
"""How long to wait for the sample's first forecast, when all is healthy."""

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def up(
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return when all is healthy; the stack keeps running.")
    ] = False,
    browser: Annotated[bool, typer.Option(help="Open the dashboard, if there is a desktop.")] = True,
    sample: Annotated[bool, typer.Option(help="Replay the bundled sample.")] = True,
) -> None:
    """Install what is missing, start everything, and show the dashboard. Ctrl-C, or `foretick down`, stops it."""
    from stack.component_table import components
    from stack.servers import is_external
    from stack.status_report import dashboard_url

    if not sample:
        os.environ["FORETICK_SAMPLE"] = "false"  # started processes read their settings from here
    began = time.monotonic()
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
        compile_ahead(home)
        if detach:
            background.start(home, (), Progress())
            announce(browser)
            tell_of_forecast(began)
        else:
            last = supervisor.run(lambda: components(Settings()), home, Foreground(browser, began))
            if failures(last):
                raise typer.Exit(FAILED)
    except MachineError as error:
        machine(error)


class Foreground:
    """Prints changes, and once the dashboard's address."""

    def __init__(self, browser: bool, began: float) -> None:
        """Start; `browser` is whether to open the dashboard, `began` when the command did, by the monotonic clock."""
        self.progress, self.browser, self.began, self.announced = Progress(), browser, began, False

    def __call__(self, current: StackState) -> None:
        """Process a new state."""
        self.progress(current)
        if not self.announced and up_and_healthy(current):
            self.announced = True
            announce(self.browser)
            Thread(target=tell_of_forecast, args=(self.began,), daemon=True).start()


def announce(browser: bool) -> None:
    """Print the dashboard's address, and open it if there is a desktop."""
    from stack.mlflow import PASSWORD
    from stack.servers import is_external
    from stack.status_report import dashboard_url

    settings = Settings()
    url = dashboard_url(settings)
    echo(f"dashboard: {url}")
    if not is_external("mlflow", settings):
        echo(f"mlflow: {links(settings.mlflow_uri.get_secret_value(), str(settings.home.resolve() / PASSWORD))}")
    if browser and sys.stdout.isatty() and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        webbrowser.open(url)


def tell_of_forecast(began: float) -> None:
    """Print after how many seconds the first forecast was on the page; or that there is none, and what to do."""
    from stack.first_forecast import wait_for_forecast

    settings = Settings()
    url = settings.database_url.get_secret_value()
    newest = wait_for_forecast(url, FORECAST_S if settings.sample else 0)
    if newest is not None:
        passed = time.monotonic() - began
        echo(f"forecasts are on the page {passed:.0f} s after the start, up to the bar of {newest:%Y-%m-%d %H:%M} UTC")
    else:
        echo("no forecast yet, as there are no bars: foretick replay FILE, or foretick live")


def down() -> None:
    """Stop everything that `up` started."""
    if not background.stop(Settings().home, Progress("healthy", "starting", "running", "done")):
        echo("not running")


def restart(
    component: Annotated[str, typer.Argument(help="The component, as `foretick status` shows it.")],
) -> None:
    """Restart one component of the running stack, with the settings of `up`; returns once it is healthy."""
    home = Settings().home.resolve()
    try:
        process = restarting.restart(home, component, Progress("healthy"))
    except ValueError as error:
        raise UserError(str(error)) from None
    except MachineError as error:
        echo(f"foretick: {error}", err=True)
        raise typer.Exit(FAILED) from None
    echo(f"{component} is healthy again, as process {process.pid}")


def status(wide: Wide = False, as_json: Json = False) -> None:
    """Show the components, row counts and consumer lag. Exit code 1: something is unhealthy."""
    from stack.component_table import NAMES
    from stack.status_report import report

    result = report(Settings(), NAMES)
    if as_json:
        echo_json(json.dumps(result.document(), indent=2))
    else:
        show_status(result, wide)
    if not result.good():
        raise typer.Exit(FAILED)


def doctor(wide: Wide = False, as_json: Json = False) -> None:
    """Check the machine and every component, and print what to do. Exit code 1: something is broken."""
    from stack.doctor import examine

    finish(examine(Settings()), wide, as_json)


def finish(checks: "list[Check]", wide: bool, as_json: bool) -> None:
    """Print checks, and exit with 1 if one failed."""
    if as_json:
        echo_json(json.dumps([asdict(check) for check in checks], indent=2))
    else:
        show_checks(checks, wide)
    if any(check.status == "fail" for check in checks):
        raise typer.Exit(FAILED)


def logs(
    component: Annotated[str | None, typer.Argument(help="One component; all when left out.")] = None,
    follow_on: Annotated[bool, typer.Option("--follow", "-f", help="Print new lines until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, help="The number of last lines of each.")] = 20,
) -> None:
    """Print the last lines of the logs."""
    folder = Settings().home / "logs"
    results = sorted(folder.glob("*.log"))
    chosen = [path for path in results if component in (None, path.stem)]
    if not chosen:
        if component is not None and results:
            raise UserError(unknown("log", component, [path.stem for path in results]))
        raise UserError(f"no log in {folder}: the stack was never started")
    for path in chosen:
        if len(chosen) > 1:
            echo(f"==> {path.stem} <==")
        for line in tail(path, lines):
            echo(line)
    if follow_on:
        for path, line in follow(chosen):
            echo(f"{path.stem}: {line}" if len(chosen) > 1 else line)


def machine(error: MachineError) -> NoReturn:
    """Print the missing requirements in one line, and exit."""
    echo(f"foretick: {error}", err=True)
    raise typer.Exit(MACHINE) from None
