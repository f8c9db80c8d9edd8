"""The cards about components, Kafka, metrics and storage: each a function from what was read to HTML."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from itertools import groupby

from dashboard.bridge import chooser
from dashboard.html import Html, moment
from dashboard.number_format import DASH
from dashboard.ops.html import SECOND, Column, note, rate, seconds, size, table, title
from dashboard.ops.space import Disk, Space
from dashboard.ops.system import Latency, System
from observability.lag import ConsumerLag, length
from settings.places import typed
from stack.status_report import ComponentReport
from stack.topic_lag import PartitionLag
from topics.catalog import GROUP_PREFIX, TOPICS
from topics.retention import said

HISTOGRAM_TITLES = {
    "foretick_latency_seconds": "From a tick's or bar's arrival until it is published",
    "foretick_fold_seconds": "One batch computed",
    "foretick_store_seconds": "One transaction",
    "foretick_api_seconds": "One answer of the API",
}
NO_SUPERVISOR = typed(
    "No supervisor runs in this folder, so that nothing is known of the components here: ./foretick up starts it. "
    "In containers, docker compose ps shows them."
)
LATE = timedelta(hours=24)
"""After so long without old rows having been dropped, which is tried every few hours, something is wrong."""
NO_METRICS = "No component of this folder has told where its metrics are."


def components(system: System) -> str:
    """Return the components' conditions."""
    if not system.supervised:
        return title("Components") + note(NO_SUPERVISOR)
    columns = (
        *(Column("component", left=True), Column("condition", left=True), Column("uptime"), Column("restarts")),
        *(Column("why", words=True), Column("log", left=True)),
    )
    rows = [
        (
            name,
            _word(one),
            None if one.uptime is None else length(one.uptime),
            str(one.restarts),
            one.why or one.last_error or "",
            Html(chooser("Log", f"log|{name}")),
        )
        for name, one in system.components.items()
    ]
    bad = sum(not one.good for one in system.components.values())
    return title("Components", f"{bad} need attention" if bad else "all well") + table(columns, rows, "Components")


def _word(one: ComponentReport) -> Html:
    kind = "live" if one.good else "unreachable" if one.state in ("failed", "stuck", "looping") else "stale"
    return Html(f'<span class="{kind}"><i class="dot"></i>{escape(one.state)}</span>')


def log(system: System, name: str | None) -> str:
    """Return the last lines of a component's log."""
    if name is None:
        return title("Log") + note("Choose a component.")
    if system.log is None:
        return title("Log") + note(f"There is no log of {name} in this folder.")
    lines = escape("\n".join(system.log)) or DASH
    return (
        title("Log", f"the last {len(system.log)} lines of {name}")
        + f'<pre class="log" tabindex="0" aria-label="Log of {escape(name)}">{lines}</pre>'
    )


def lag(partitions: Sequence[PartitionLag]) -> str:
    """Return what each group has still to read of each topic, and of each of its partitions."""
    head = title("Consumer lag", "Kafka records and seconds of event time not yet read")
    if not partitions:
        return head + note("No consumer group of the stack has committed an offset yet.")
    columns = (
        *(Column("reader", left=True), Column("topic", left=True), Column("records"), Column("rows")),
        *(Column("event time"), Column("by partition", words=True)),
    )
    rows = []
    for (group, topic), some in groupby(partitions, key=lambda one: (one.group, one.topic)):
        parts = sorted(some, key=lambda one: one.partition)
        whole = ConsumerLag.of(one.lag for one in parts)
        rows.append(
            (
                group.removeprefix(GROUP_PREFIX),
                topic,
                _number(whole.records),
                _number(whole.rows),
                _event_time(whole),
                Html("".join(_partition(one) for one in parts)),
            )
        )
    return head + table(columns, rows, "Consumer lag by topic and partition")


def _partition(one: PartitionLag) -> str:
    text = _number(one.lag.records) or DASH
    time = f", {_event_time(one.lag) or DASH}" if one.lag.records else ""
    where = f"offset {one.at:,} of {one.end:,}" if one.committed else f"nothing committed, {one.end:,} at the end"
    kind = " late" if one.lag.records else ""
    return f'<span class="part{kind}" title="{where}"><small>{one.partition}</small> {text}{time}</span>'


def _event_time(one: ConsumerLag) -> str | None:
    return None if one.seconds is None else seconds(one.seconds) if one.seconds else "0 s"


def _number(value: int | None) -> str | None:
    return None if value is None else f"{value:,}"


def flow(system: System) -> str:
    """Return the throughput by topic."""
    if not system.measured:
        return title("Throughput") + note(_silent(system))
    span = "measuring" if system.rate_s is None else f"records per second, the last {length(system.rate_s)}"
    columns = (Column("topic", left=True), Column("read"), Column("published"), Column("dead letters"))
    rows = [(one.topic, rate(one.read), rate(one.published), rate(one.dead)) for one in system.throughput]
    return title("Throughput", span) + table(columns, rows, "Throughput by topic") + _some_silent(system)


def latency(system: System) -> str:
    """Return the quantiles of every stage."""
    if not system.measured:
        return title("Latency") + note(_silent(system))
    span = "since each process began" if system.latency_s is None else f"the last {length(system.latency_s)}"
    if not system.latencies:
        return title("Latency", span) + note("Nothing was timed in that span.")
    columns = (Column("stage", left=True), Column("p50"), Column("p95"), Column("p99"), Column("timed"))
    parts = []
    for histogram, some in groupby(system.latencies, key=lambda one: one.histogram):
        name = HISTOGRAM_TITLES[histogram]
        rows = [(one.of, *_quantiles(one), f"{one.count:,.0f}") for one in some]
        parts.append(f"<h3>{escape(name)}</h3>{table(columns, rows, f'Latency: {name}')}")
    return title("Latency", f"{span}, interpolated in the histograms' buckets") + "".join(parts)


def _quantiles(one: Latency) -> tuple[str | None, ...]:
    return tuple(map(seconds, one.quantiles))


def _silent(system: System) -> str:
    if system.silent:
        return f"The metrics of {', '.join(system.silent)} do not answer."
    return NO_METRICS


def _some_silent(system: System) -> str:
    return note(f"Without {', '.join(system.silent)}: no answer.") if system.silent else ""


def space(database: Space, now: datetime) -> str:
    """Return what the tables take, how long their rows are kept, and what was dropped."""
    columns = (
        *(Column("table", left=True), Column("size"), Column("chunks"), Column("oldest"), Column("kept for")),
        Column("dropped before"),
    )
    rows = [
        (
            one.name,
            size(one.size),
            None if one.chunks is None else f"{one.chunks:,}",
            None if one.since is None else f"{one.since:%d %b %Y}",
            said(one.kept_days),
            None if one.dropped_before is None else f"{one.dropped_before:%d %b %Y}",
        )
        for one in database.tables
    ]
    head = title("Database", f"{size(database.database)} on disk")
    return head + table(columns, rows, "Tables of the database") + _applied(database, now)


def _applied(database: Space, now: datetime) -> str:
    """Return when old rows were dropped last, as a fault where that is long ago."""
    times = [one.applied_at for one in database.tables if one.applied_at is not None]
    if not times:
        return note("Nothing drops old rows here yet: persist does, once it runs.", "stale")
    since = now - max(times)
    return note(f"Old rows were dropped last {ago(max(times), now)}.", "stale" if since > LATE else "note")


def disk(found: Disk, now: datetime) -> str:
    """Return what the folders take."""
    share = found.free / found.total if found.total else 0.0
    kind = "unreachable" if share < 0.05 else "stale" if share < 0.15 else "muted"
    head = title("Disk", Html(f"{escape(found.place)}, {moment(now, '%H:%M %Z')}"))
    free = f'<p class="plain-line {kind}">{size(found.free)} of {size(found.total)} free ({100 * share:.0f} %)</p>'
    folders = table(
        (Column("folder", left=True), Column("size")),
        [(name, size(taken)) for name, taken in found.folders],
        "Folders on disk",
    )
    return head + free + folders


def topics(kept: Mapping[str, float | None], wanted: Mapping[str, float | None]) -> str:
    """Return how long Kafka keeps each topic, and what it is set to where that is something else."""
    columns = (Column("topic", left=True), Column("partitions"), Column("Kafka keeps for"), Column("set to"))
    rows = [
        (
            one.name,
            str(one.partitions),
            "newest per key" if one.compacted else said(kept[one.name]) if one.name in kept else None,
            said(wanted[one.name]) if one.name in kept and kept[one.name] != wanted[one.name] else None,
        )
        for one in TOPICS
    ]
    return title("Retention in Kafka", "as Kafka has it") + table(columns, rows, "Retention in Kafka")


def stale(text: str, at: datetime | None) -> str:
    """Return why a card is not current."""
    since = "" if at is None else f" What is shown is as of {moment(at, f'{SECOND} %Z')}."
    return note(Html(escape(text) + since), "stale")


def ago(time: datetime, now: datetime | None = None) -> str:
    """Return how long ago a time of the data is, by this machine's clock."""
    passed = (now or datetime.now(UTC)) - time
    return f"{length(passed.total_seconds())} ago" if passed > timedelta() else "ahead of this machine's clock"
