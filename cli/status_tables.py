"""Tables of `status` and `doctor`."""

from datetime import timedelta
from typing import TYPE_CHECKING

from rich.text import Text

from cli.tables import Column, paragraph, show
from cli.text import Terminal
from observability.condition import clock
from stack.basic_auth import USER
from stack.mlflow_page import links

if TYPE_CHECKING:
    from stack.check import Check
    from stack.status_report import ComponentReport, Report

UNKNOWN = "?"
NONE = "-"
COMPONENTS = (
    *(Column("component"), Column("state"), Column("pid", 3, right=True), Column("address", 1)),
    *(Column("up for", 2, right=True), Column("restarts", 2, right=True)),
)
FLOW = (Column("topic"), Column("rows kept", right=True), Column("behind (rows, event time)", right=True))
CHECKS = (Column(""), Column("check"), Column("found", words=True), Column("do", words=True))
COLOURS = {
    **dict.fromkeys(("healthy", "running", "done", "ok"), "green"),
    **dict.fromkeys(("starting", "warn", "waiting", "lagging"), "yellow"),
}


def coloured(word: str, good: bool = True) -> Text:
    """Return a state in its colour; one that needs attention is red, whatever its name."""
    return Text(word, COLOURS.get(word, "red") if good else "red")


def number(value: int | None) -> str:
    """Return a number as text, a question mark if it is unknown."""
    return UNKNOWN if value is None else f"{value:,}"


def show_status(report: "Report", wide: bool = False) -> None:
    """Print the components, then the counts beside the lag, then the last errors."""
    console = Terminal()
    everything = {**report.components, **report.steps}
    show(COMPONENTS, [(name, *cells(component)) for name, component in everything.items()], wide)
    flow = [
        (topic, number(report.counts.get(topic.replace("-", "_"))), report.behind(topic).short())
        for topic in report.late
    ]
    console.print()
    show(FLOW, flow, wide)
    console.print()
    for name, component in everything.items():
        for line in explained(component):
            paragraph(console, f"{name}: {line}")
    for name, untold in report.undelivered.items():
        why = f" (last error: {untold.last_error})" if untold.last_error else ""
        paragraph(console, f"alerts for {name}: {untold.waiting:,} wait, {untold.failed:,} given up{why}")
    for line in (*filter(None, [report.problem]), *report.warnings):
        paragraph(console, line)
    if report.running:
        beyond = f"   from elsewhere: user {USER}, the password is in {report.dashboard_login}"
        paragraph(console, f"dashboard: {report.addresses['dashboard']}{beyond if report.dashboard_login else ''}")
        paragraph(console, f"api: {report.addresses['api']}/v1")
    else:
        paragraph(console, "not running: foretick up")
    if report.running and report.mlflow_login is not None:
        paragraph(console, f"mlflow: {links(report.addresses['mlflow'], report.mlflow_login)}")


def cells(component: "ComponentReport") -> tuple[str | Text, ...]:
    """Return a component's row."""
    uptime = NONE if component.uptime is None else str(timedelta(seconds=int(component.uptime)))
    pid = NONE if component.pid is None else str(component.pid)
    state = coloured("?" if component.state == "unknown" else component.state, component.good)
    return state, pid, place(component.address), uptime, str(component.restarts)


def place(address: str | None) -> str:
    """Return host and port of an address; the JSON has all of it."""
    return NONE if address is None else address.rpartition("//")[2].rpartition("@")[2].partition("/")[0]


def explained(component: "ComponentReport") -> list[str]:
    """Return the lines about a component that is not simply healthy, and its last error."""
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


def show_checks(checks: "list[Check]", wide: bool = False) -> None:
    """Print each check, and what to do."""
    show(CHECKS, [(coloured(check.status), check.name, check.detail, check.advice or "") for check in checks], wide)
