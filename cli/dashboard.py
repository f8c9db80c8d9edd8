"""`foretick dashboard`: the page alone, for a pipeline that runs already."""

import errno
import webbrowser
from typing import Annotated

import typer

from cli.errors import UserError
from cli.text import echo
from settings import Settings
from stack.addresses import HOST


def dashboard(
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Default: the port that `up` chose, or 5006.")
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Serve the dashboard, or say where it is served already. Ctrl-C stops it."""
    from dashboard.serve import serve  # noqa: PLC0415 - Bokeh: seconds that no other command is to pay

    settings = Settings()
    number = settings.dashboard_port if port is None else port
    if number and answers(number):
        announce(number, open_)
        return
    try:
        serve(settings, number, ready=lambda served: announce(served, open_))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise UserError(
            f"port {number} is taken by another program; choose one with --port (0 takes a free one)"
        ) from None


def announce(port: int, browser: bool) -> None:
    """Say where the page is, and open it where that was asked for."""
    url = f"http://{HOST}:{port}/"
    echo(f"dashboard on {url}")
    if browser:
        webbrowser.open(url)


def answers(port: int) -> bool:
    """Return whether a dashboard of ours is at that port."""
    from urllib.request import urlopen  # noqa: PLC0415 - TLS and all: for this command alone

    try:
        with urlopen(f"http://{HOST}:{port}/health", timeout=2) as reply:
            return b'"database"' in reply.read()
    except (OSError, ValueError):
        return False
