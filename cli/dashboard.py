"""`foretick dashboard`: only the page, for a running pipeline."""

import errno
import webbrowser
from collections.abc import Mapping
from types import MappingProxyType
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
    classic_ports: Annotated[
        bool,
        typer.Option("--classic-ports", help="Also serve training at 8050, tuning at 8051, the inspector at 8052."),
    ] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Serve the dashboard, or show its address if it runs already. Ctrl-C stops it."""
    from dashboard.serve import NO_PORTS, serve
    from dashboard.site import CLASSIC_PORTS, PAGES

    settings = Settings()
    number = settings.dashboard_port if port is None else port
    if number and not classic_ports and answers(number):
        announce(number, open_)
        return
    names = {page.name for page in PAGES}
    classic = {name: at for name, at in CLASSIC_PORTS.items() if name in names} if classic_ports else NO_PORTS
    if classic_ports and number and answers(number):
        number = 0  # a dashboard runs there: this one takes a free port, and the classic ones
    try:
        serve(settings, number, ready=lambda served: announce(served, open_, classic), classic=classic)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise UserError(
            f"port {' or '.join(map(str, (number, *classic.values())))} is taken by another program; "
            "choose one with --port (0 takes a free one)"
        ) from None


def announce(port: int, browser: bool, classic: Mapping[str, int] = MappingProxyType({})) -> None:
    """Print the pages' address, and those of the pages with a port of their own; open it if requested."""
    url = f"http://{HOST}:{port}/"
    echo(f"dashboard on {url}")
    for page, number in classic.items():
        echo(f"{page} on http://{HOST}:{number}/")
    if browser:
        webbrowser.open(url)


def answers(port: int) -> bool:
    """Return whether a dashboard of ours is at that port."""
    from urllib.request import urlopen

    try:
        with urlopen(f"http://{HOST}:{port}/health", timeout=2) as reply:
            return b'"database"' in reply.read()
    except (OSError, ValueError):
        return False
