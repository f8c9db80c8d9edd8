"""`foretick train`: fit every model on files of bars and put them into service."""

import sys
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from cli.errors import UserError
from features.frame import BarFrame
from models import registry, training
from models.forecaster import Forecaster
from settings import Settings
from sources.columns import Columns, concat, size
from sources.errors import SourceError
from sources.layout import BAR_FIELDS
from sources.reader import Wish, open_files


def train(
    files: Annotated[list[Path], typer.Argument(help="Files of bars; the format is found by itself.")],
    until: Annotated[
        str | None, typer.Option(help="Use bars before this time only, ISO 8601, UTC where no zone is given.")
    ] = None,
    rows_until: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="Use this first share of the rows only, cut at one time.")
    ] = None,
    interval: Annotated[str | None, typer.Option(help="Use bars of this interval only (1m).")] = None,
    seed: Annotated[int, typer.Option(help="The seed of everything random.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Fit every model on the history in files, save them, and let the worker serve them from its next start."""
    settings = Settings()
    bars = read(files, interval or settings.interval, _time(until), rows_until)
    began, seconds = time.monotonic(), []
    console = Console(stderr=True)
    with console.status("features") as status:

        def show(model: str) -> None:
            seconds.append(time.monotonic())
            status.update(f"fitting {model}")

        try:
            forecasters = training.train(bars, seed, show)
        except ValueError as error:
            raise UserError(str(error)) from error
    seconds.append(time.monotonic())
    paths = registry.save(settings.home / "models", forecasters)
    spent = [end - start for start, end in pairwise(seconds)]
    _report(bars, forecasters, paths, spent, time.monotonic() - began, as_json)


def read(files: list[Path], interval: str, until: int | None = None, share: float | None = None) -> list[BarFrame]:
    """Return the bars of that interval in files, cleaned as for a replay: one frame a symbol.

    `until` is exclusive (epoch ms); `share` of the rows, all symbols cut at one time. Raises UserError where a file
    cannot serve or nothing is left.
    """
    found: dict[str, list[Columns]] = defaultdict(list)
    others: set[str] = set()
    missing = next((path for path in files if not path.is_file()), None)
    if missing is not None:
        raise UserError(f"{missing}: no such file")
    try:
        with tempfile.TemporaryDirectory(prefix="foretick-train-") as scratch:
            reader = open_files(files, Wish(end=until), Path(scratch))
            for part in reader.parts(Path(scratch)):
                for number, rows in part.rows.items():
                    series = reader.registry.series[number]
                    if series.kind == "bar" and series.interval == interval:
                        found[series.symbol].append(rows)
                    elif size(rows):
                        others.add(f"{series.interval} bars" if series.kind == "bar" else "trades")
    except SourceError as error:
        raise UserError(str(error)) from error
    frames = [_frame(symbol, interval, concat(parts)) for symbol, parts in found.items()]
    if share is not None and frames:
        end = int(np.quantile(np.concatenate([frame.time for frame in frames]), share))
        frames = [frame[: int(np.searchsorted(frame.time, end))] for frame in frames]
    frames = [frame for frame in frames if len(frame)]
    if not frames:
        also = f"; the files hold {', '.join(sorted(others))}" if others else ""
        raise UserError(f"no {interval} bars to train on{also}: give other files, --interval or a later --until")
    return frames


def _frame(symbol: str, interval: str, rows: Columns) -> BarFrame:
    columns = {name: rows[name].astype(np.float64) for name in BAR_FIELDS}
    return BarFrame(symbol, interval, time=rows["time"].astype(np.int64), gap=rows["gap"].astype(np.int64), **columns)


def _time(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UserError(f"--until {text!r} is no time such as 2025-05-04 or 2025-05-04T15:33") from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000)


def _report(
    bars: list[BarFrame],
    forecasters: list[Forecaster],
    paths: list[Path],
    seconds: list[float],
    total: float,
    as_json: bool,
) -> None:
    rows = {frame.symbol: len(frame) for frame in bars}
    if as_json:
        models = {
            model.name: {"version": model.version, "path": str(path)}
            for model, path in zip(forecasters, paths, strict=True)
        }
        document = {"models": models, "rows": rows, "seconds": round(total, 3)}
        sys.stdout.write(msgspec.json.encode(document).decode() + "\n")
        return
    table = Table("model", "version", "seconds", "artifact", box=None)
    for model, path, spent in zip(forecasters, paths, seconds, strict=True):
        table.add_row(model.name, model.version, f"{spent:.1f}", str(path))
    console = Console()
    console.print(table)
    first, last = min(int(frame.time[0]) for frame in bars), max(int(frame.time[-1]) for frame in bars)
    span = " .. ".join(
        datetime.fromtimestamp(moment / 1_000, UTC).strftime("%Y-%m-%d %H:%M") for moment in (first, last)
    )
    counted = ", ".join(f"{symbol} {count:,}" for symbol, count in rows.items())
    console.print(f"fitted on {counted} bars, {span} UTC, in {total:.1f} s; the worker serves them from its next start")
