"""The texts of the training page: each a function from values to HTML. Whatever comes from data is escaped."""

from collections.abc import Mapping, Sequence
from html import escape
from math import isfinite

import numpy as np

from dashboard.actions.button import button
from dashboard.html import ZONE, Html, fact, moment_at, title
from dashboard.number_format import DASH
from evaluation.eta import format_duration
from learning.runs.progress import Progress
from learning.runs.records import STEP_NAMES, Overview, PipelineRun, Step
from learning.runs.run_log import LogLine
from learning.tracking.mlflow_reader import Curve, LoggedRun, lower_is_better

LINES = 14
"""The last messages of the log that are shown."""
RUNS = 12
STATES = {"queued": "waits for the trainer", "running": "running", "done": "done", "failed": "failed"}
NOTHING = {
    "loss_title": "No loss was logged of these runs: their models are not fitted in epochs or rounds, or MLflow, which "
    "has the curves, does not answer.",
    "splits_title": "No score by split was logged of these runs: an evaluation or a run of the pipeline logs them.",
    "cpu_title": "Nothing was logged: a training that is tracked by MLflow measures it every few seconds.",
    "memory_title": "Nothing was logged: it is measured together with the CPU.",
}
"""What stands in place of a plot that has nothing to draw."""
CLASSES = {"running": "live", "failed": "unreachable", "stopped": "stale"}


def number(value: float | None) -> str:
    """Return a value of a curve with five digits; unknown is a dash."""
    return DASH if value is None or not isfinite(value) else f"{value:.5g}".replace("-", "\u2212")


def length(seconds: float | None) -> str:
    """Return a length of time in words; unknown is a dash."""
    return DASH if seconds is None else format_duration(seconds)


def state_of(run: PipelineRun, at_work: bool) -> str:
    """Return in words what becomes of a run: one that nobody works on is not running."""
    if run.state == "running" and not at_work:
        return "interrupted: nobody works on it now; the trainer takes it up again"
    return STATES[run.state]


def class_of(run: PipelineRun, at_work: bool) -> str:
    """Return the class of a run's state, which gives it its colour."""
    if run.state in ("queued", "running"):
        return "live" if run.state == "running" and at_work else "stale"
    return CLASSES.get(run.state, "")


def titles(
    group: str, split: str, legend: Mapping[str, str], curves: Sequence[Sequence[Mapping[str, Curve]]]
) -> dict[str, str]:
    """Return the titles of the plots of the loss, the splits, CPU and memory; `curves` are what each draws.

    Where that is nothing, the title says so, and why.
    """
    loss, splits, cpu, memory = curves
    made = {
        "loss_title": title(
            f"Loss by {group or 'epoch'}", "held out, dashed in training" if any(loss) else "", legend, "line"
        ),
        "splits_title": title("By walk-forward split", split if any(splits) else ""),
        "cpu_title": title("CPU and GPU" if cpu[1] else "CPU", _measured(cpu)),
        "memory_title": title("Memory", _measured(memory)),
    }
    for (name, html), drawn in zip(made.items(), curves, strict=True):
        if not any(drawn):
            made[name] = f'{html}<p class="muted">{NOTHING[name]}</p>'
    return made


def _measured(curves: Sequence[Mapping[str, Curve]]) -> str:
    """Return whose use a plot shows: that of GPUs is all of the machine's, and dashed."""
    whose = "of the training's processes" if curves[0] else ""
    return f"{whose}, dashed: of the machine's GPUs".removeprefix(", ") if curves[1] else whose


def pipeline(overview: Overview | None, done: Sequence[Progress], now: int) -> str:
    """Return the chosen run of the pipeline: its state, its step, how far it is, and the time left at its own pace."""
    head = title("Pipeline run", "", {})
    if overview is None or overview.run is None:
        return head + '<p class="muted">No run of the pipeline is known.</p>'
    run, steps = overview.run, overview.steps
    state = state_of(run, overview.at_work)
    live = run.state == "running" and overview.at_work
    step = next((one.step for one in reversed(steps) if one.step in STEP_NAMES), None)
    place = f"{STEP_NAMES.index(step) + 1} of {len(STEP_NAMES)}: {step}" if step else DASH
    begin = min((one.started_at for one in steps), default=run.requested_at)
    end = now if live else run.ended_at
    facts = [
        fact("State", f'<b class="{class_of(run, live)}">{escape(state)}</b>'),
        fact("Step", escape(place)),
        fact("Asked for by", escape(run.requested_by)),
        fact("Took" if not live else "Runs for", length(None if end is None else max(0, end - begin) / 1_000)),
    ]
    lines = "".join(map(_bar, done)) if live else ""
    error = f'<p class="unreachable">{escape(run.error)}</p>' if run.error else ""
    why = f'<p class="muted">{escape(run.why)}</p>'
    return f'{head}<div class="tiles">{"".join(facts)}</div>{why}{error}{lines}{_stop(run)}{_steps(steps)}'


def _stop(run: PipelineRun) -> str:
    """Return the button that stops a run, or that somebody has asked for it."""
    if run.state not in ("running", "queued"):
        return ""
    if run.stop_reason is not None:
        return f'<p class="stale">It is to stop at its next checkpoint: {escape(run.stop_reason)}</p>'
    text = (
        f"Run {run.run_id} ends after its next epoch or step, as failed with your reason. What is done is kept: "
        f"foretick pipeline run --run-id {run.run_id} resumes it."
    )
    asked = button("stop-run", "Stop the run", {"run_id": run.run_id}, title="Stop this run", text=text, danger=True)
    return f'<p class="act">{asked}</p>'


def _bar(progress: Progress) -> str:
    """Return a bar with how much is done of what, and about how long the rest takes."""
    share = min(1.0, progress.done / progress.total) if progress.total else 0.0
    left = f"about {length(progress.left_s)} left" if progress.left_s is not None else "time left not known yet"
    return (
        f'<div class="progress"><span>{escape(progress.what)} {progress.done} of {progress.total}</span>'
        f'<small>{left}</small><i style="--share:{100 * share:.1f}%"></i></div>'
    )


def _steps(steps: Sequence[Step]) -> str:
    rows = "".join(
        f'<tr><th>{escape(step.step)}</th><td class="left">{escape(step.model or "all")}</td>'
        f'<td class="{CLASSES.get(step.state, "")}">{escape(step.state)}</td><td>{length(step.seconds)}</td></tr>'
        + (f'<tr><td colspan="4" class="left wrap unreachable">{escape(step.error)}</td></tr>' if step.error else "")
        for step in steps
    )
    return (
        f"<table class='gap'><tr><th>Step</th><th class='left'>Model</th><th>State</th><th>Took</th></tr>{rows}</table>"
        if rows
        else ""
    )


def runs(overview: Overview | None) -> str:
    """Return the last runs of the pipeline."""
    if overview is None or not overview.runs:
        return title("Runs of the pipeline", "", {}) + '<p class="muted">None yet.</p>'
    rows = []
    for run in overview.runs[:RUNS]:
        chosen = overview.run is not None and run.run_id == overview.run.run_id
        known = run.state != "running" or chosen
        state = state_of(run, overview.at_work).partition(":")[0] if known else "begun, not ended"
        rows.append(
            f'<tr class="{"chosen" if chosen else ""}"><th>{escape(run.run_id)}</th>'
            f"<td>{moment_at(run.requested_at, '%d %b %H:%M')}</td><td>{escape(run.requested_by)}</td>"
            f'<td class="{class_of(run, chosen and overview.at_work)}">{escape(state)}</td></tr>'
        )
    head = f"<tr><th>Run</th><th>Asked for, {ZONE}</th><th>By</th><th>State</th></tr>"
    return (
        title("Runs of the pipeline", f"last {len(rows)}", {})
        + f'<div class="scroll"><table>{head}{"".join(rows)}</table></div>'
    )


def log(lines: Sequence[LogLine], run_id: str | None) -> str:
    """Return the last messages of a run."""
    if not lines:
        why = "No run." if run_id is None else f"No log of run {run_id} on this machine."
        return title("Log", "", {}) + f'<p class="muted">{escape(why)}</p>'
    rows = "".join(
        f"<li><span>{moment_at(line.time, '%H:%M:%S')}</span>{escape(line.words)}</li>" for line in lines[-LINES:]
    )
    return title("Log", Html(f"last messages, {ZONE}"), {}) + f'<ol class="log">{rows}</ol>'


def figures(
    runs: Sequence[LoggedRun],
    names: Mapping[str, str],
    colours: Mapping[str, str],
    columns: Sequence[tuple[str, str, Mapping[str, Curve]]],
) -> str:
    """Return a table of the runs that are compared: of each metric (its heading, its name, its curves) the last value
    beside the best so far."""
    rows = []
    for run in runs:
        cells = "".join(_last_and_best(metric, curves.get(run.run_id)) for _, metric, curves in columns)
        state = "running" if run.running else run.status.lower()
        took = None if run.started_at is None or run.ended_at is None else (run.ended_at - run.started_at) / 1_000
        rows.append(
            f'<tr><th class="long"><i class="line" style="--c:{colours[run.run_id]}"></i>'
            f"{escape(names[run.run_id])}</th>"
            f'<td class="{"live" if run.running else "muted"}">{escape(state)}</td><td>{length(took)}</td>{cells}</tr>'
        )
    heads = "".join(f"<th>{escape(head)}: last</th><th>best</th><th>at</th>" for head, _, _ in columns)
    table = f"<table><tr><th>Run</th><th>State</th><th>Took</th>{heads}</tr>{''.join(rows)}</table>"
    body = f'<div class="scroll">{table}</div>' if rows else '<p class="muted">No run has a curve yet.</p>'
    return title("Best so far beside last", "", {}) + body


def _last_and_best(metric: str, curve: Curve | None) -> str:
    if curve is None or not np.isfinite(curve.value).any():
        return f"<td>{DASH}</td><td>{DASH}</td><td>{DASH}</td>"
    at = int(np.nanargmin(curve.value) if lower_is_better(metric) else np.nanargmax(curve.value))
    cells = number(curve.last), number(float(curve.value[at])), f"{curve.step[at]:,.0f}"
    return "".join(f"<td>{cell}</td>" for cell in cells)
