"""Tables for people: what `status` and `doctor` found."""

from datetime import timedelta
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from cli.text import Terminal
from settings.text import escaped
from stream.condition import clock

if TYPE_CHECKING:
    from stack.doctor import Check
    from stack.report import ComponentReport, Report

UNKNOWN = "?"
NONE = "-"
COLOURS = {
    **dict.fromkeys(("healthy", "running", "done", "ok"), "green"),
    **dict.fromkeys(("starting", "warn", "waiting", "lagging"), "yellow"),
}


def whole(name: str, width: int = 12) -> Column:
    """Return a column of what is to be copied, and so is never cut: versions by default."""
    return Column(name, no_wrap=True, min_width=width)


def paragraph(console: Terminal, head: str, *details: str) -> None:
    """Print a line, and below it what belongs to it, moved in; long words and lines go on below."""
    console.print(Text(escaped(head), overflow="fold"))
    for detail in filter(None, details):
        console.print(Padding(Text(escaped(detail), overflow="fold"), (0, 0, 0, 4)))


def coloured(word: str) -> Text:
    """Return a state in its colour."""
    return Text(word, COLOURS.get(word, "red"))


def number(value: int | None) -> str:
    """Return a number as people read it, a question mark where it is unknown."""
    return UNKNOWN if value is None else f"{value:,}"


def show_status(found: "Report") -> None:
    """Print the components, then the counts beside the lag, then what went wrong last."""
    console = Terminal()
    components = Table("component", whole("state", 10), whole("pid", 1), "address", whole("up for", 1), "restarts")
    for name, component in (*found.components.items(), *found.steps.items()):
        components.add_row(name, *cells(component))
    console.print(components)
    flow = Table("records", "rows kept", "records behind")
    for topic, behind in found.lag.items():
        flow.add_row(topic, number(found.counts.get(topic.replace("-", "_"))), number(behind))
    console.print(flow)
    for name, component in (*found.components.items(), *found.steps.items()):
        for line in explained(component):
            console.print(f"{name}: {line}")
    for name, untold in found.undelivered.items():
        why = f" (last error: {untold.last_error})" if untold.last_error else ""
        console.print(f"alerts for {name}: {untold.waiting:,} wait, {untold.failed:,} given up{why}")
    for line in (*filter(None, [found.problem]), *found.warnings):
        console.print(line)
    console.print(
        f"dashboard: {found.addresses['dashboard']}   api: {found.addresses['api']}/v1"
        if found.running
        else "not running: foretick up",
    )
    if found.running and found.mlflow_login is not None:
        console.print(f"mlflow: {found.addresses['mlflow']}   the password is in {found.mlflow_login}", soft_wrap=True)


def cells(component: "ComponentReport") -> tuple[str | Text, ...]:
    """Return a component's row."""
    uptime = NONE if component.uptime is None else str(timedelta(seconds=int(component.uptime)))
    pid = NONE if component.pid is None else str(component.pid)
    state = coloured("?" if component.state == "unknown" else component.state)
    return state, pid, place(component.address), uptime, str(component.restarts)


def place(address: str | None) -> str:
    """Return host and port of an address, which is whole in the JSON."""
    return NONE if address is None else address.rpartition("//")[2].rpartition("@")[2].partition("/")[0]


def explained(component: "ComponentReport") -> list[str]:
    """Return why a component is not simply healthy, and the error that it ended with last."""
    lines = []
    if component.why and component.state != "healthy":
        since = f", since {clock(component.since)}" if component.since else ""
        until = f", until {clock(component.until)}" if component.until else ""
        lines.append(f"{component.state}: {component.why}{since}{until}")
    if (
        component.last_error
        and component.state not in ("done", "stopped")
        and component.last_error not in component.why
    ):
        lines.append(f"last error: {component.last_error}")
    return lines


def show_checks(found: "list[Check]") -> None:
    """Print a line for each check, and below it what to do."""
    console = Terminal()
    for check in found:
        console.print(coloured(check.status), f"{check.name}: ", end="")
        console.print(check.detail, highlight=False, soft_wrap=True)
        if check.advice:
            console.print(f"      → {check.advice}", highlight=False, soft_wrap=True)
