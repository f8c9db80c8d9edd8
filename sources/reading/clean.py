"""Sorted rows of one series: repeated ones dropped, missing intervals marked. Pure."""

from dataclasses import dataclass

import numpy as np

from sources.tables.columns import Columns, size, take
from sources.tables.layout import PRICES


@dataclass(frozen=True)
class Cleaned:
    """The rows that stay (bars have the new column `gap`), how many were dropped as repeated, how many of these differ
    from the row that stays, and how many of those open elsewhere: they are no earlier state of the same bar.
    """

    rows: Columns
    duplicates: int
    conflicts: int = 0
    strangers: int = 0


def clean_bars(rows: Columns, last_time: int | None, interval: int) -> Cleaned:
    """Keep the last of the bars of each time, and mark each with the number of `interval`s (ms) missing just before it.

    A poller first writes the open bar, and later the closed one. `rows` are in time order, and rows of
    one time in the order of the files; `last_time` is the last bar's before them.
    """
    time = rows["time"]
    later = np.concatenate([time[1:] > time[:-1], [True]]) & (time > (-1 if last_time is None else last_time))
    conflicts = strangers = 0
    kept = dict(rows)
    if not later.all():
        stays = np.searchsorted(time, time, side="right") - 1
        differs = np.zeros(len(time), dtype=bool)
        for name in rows.keys() & {*PRICES, "volume"}:
            differs |= (rows[name] != rows[name][stays]) & ~(np.isnan(rows[name]) & np.isnan(rows[name][stays]))
        conflicts = int((differs & ~later).sum())
        opens = rows.get("open", time)
        strangers = int(((opens != opens[stays]) & ~later).sum())
        kept = take(rows, later)
    step = np.diff(kept["time"], prepend=kept["time"][:1] - interval if last_time is None else last_time)
    kept["gap"] = np.maximum(step // interval - 1, 0)
    return Cleaned(kept, size(rows) - size(kept), conflicts, strangers)


def clean_ticks(rows: Columns) -> Cleaned:
    """Keep the first of the trades that have one time and trade id; a trade without an id is always another one.

    All trades of one time are in one call.
    """
    import pandas as pd  # noqa: PLC0415 - slow to import, and bars do without

    if pd.isna(rows["trade_id"]).all():
        return Cleaned(rows, 0)
    frame = pd.DataFrame({"time": rows["time"], "trade_id": rows["trade_id"]})
    repeated = frame.duplicated().to_numpy() & frame["trade_id"].notna().to_numpy()
    return Cleaned(take(rows, ~repeated) if repeated.any() else rows, int(repeated.sum()))
