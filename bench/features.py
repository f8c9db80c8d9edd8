"""Our features beside ta, TA-Lib and talipp: `python -m bench.features [--bars N] [--ta-bars N] [--save]`.

The same real minutes for all, in one run, each contender in a process of its own, in rounds: a figure is the median of
the rounds' medians, in seconds of the processor. Memory is the most that the work took above what stood before
(imports, bars, compiled code).
Bars one at a time: talipp and the fold beside it are given bars in the form that each takes, made beforehand.
Whole histories: ours makes every column of the table; beside TA-Lib, a fold of those features that TA-Lib has. ta is
given a share of the bars: its cost grows with the rows, and the ratios are per row. `--profile` prints every function.
"""

import argparse
import json
import subprocess
import sys
from statistics import median
from typing import Any

from bench import contenders, contenders_live
from bench.report import save
from settings import ROOT

HISTORY = (contenders.ours, contenders.ours_as_talib, contenders.talib)
LIVE = (
    contenders_live.live,
    contenders_live.live_records,
    contenders_live.live_fold,
    contenders_live.live_as_talipp,
    contenders_live.talipp,
)
ALL = {
    act.__name__: act for act in (*HISTORY, *LIVE, contenders.ta, contenders_live.ta_window, contenders.each_function)
}
REPEATS = 3
SAME = 1e-6


def alone(name: str, size: int, repeats: int) -> dict[str, Any]:
    """Run one contender in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "bench.features",
        "--contender",
        name,
        "--bars",
        str(size),
        "--repeats",
        str(repeats),
    ]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    values: dict[str, Any] = json.loads(done.stdout)
    return values


def run(sizes: dict[str, tuple[int, int]], rounds: int) -> dict[str, list[dict[str, Any]]]:
    """Run all contenders, round after round."""
    values: dict[str, list[dict[str, Any]]] = {name: [] for name in sizes}
    for turn in range(rounds):
        for name, (size, repeats) in sizes.items():
            print(f"round {turn + 1} of {rounds}: {name}, {size:,} bars", file=sys.stderr, flush=True)
            values[name].append(alone(name, size, repeats))
    return values


def figures(values: dict[str, list[dict[str, Any]]], sizes: dict[str, tuple[int, int]]) -> dict[str, object]:
    """Return what the page shows."""
    from bench.peers import of_talib, talib_calls
    from features.table import NAMES

    each = _PerBar(
        {name: median(median(turn["seconds"]) for turn in turns) / sizes[name][0] for name, turns in values.items()}
    )
    memory = {name: round(median(turn["mib"] for turn in turns), 1) for name, turns in values.items()}
    calls, shared = talib_calls()
    with_them = sum(len(feature.names) for feature in of_talib())
    peers = values["talipp"][-1]
    agree = [_same(a, b) for a, b in zip(values["live_as_talipp"][-1]["ends"], peers["ends"], strict=True)]
    differ = [label for label, same in zip(peers["labels"], agree, strict=True) if not same]

    ns, us, times = each.ns, each.us, each.times
    return {
        "columns": len(NAMES),
        "bars": sizes["ours"][0],
        "ours_ns_per_row": ns("ours"),
        "ours_ns_per_row_and_column": ns("ours", len(NAMES)),
        "ours_seconds_for_all_bars": round(each.seconds["ours"] * sizes["ours"][0], 2),
        "ours_memory_mib": memory["ours"],
        "ta_bars": sizes["ta"][0],
        "ta_ns_per_row": ns("ta"),
        "ta_memory_mib": memory["ta"],
        "ta_times_ours_per_row": times("ta", "ours"),
        "columns_that_talib_has": shared,
        "columns_of_the_same_features_of_ours": with_them,
        "talib_distinct_calls": len(calls),
        "talib_ns_per_row": ns("talib"),
        "talib_ns_per_row_and_column": ns("talib", shared),
        "talib_memory_mib": memory["talib"],
        "ours_for_what_talib_has_ns_per_row": ns("ours_as_talib"),
        "ours_for_what_talib_has_ns_per_row_and_column_of_talibs": ns("ours_as_talib", shared),
        "ours_for_what_talib_has_memory_mib": memory["ours_as_talib"],
        "talib_times_ours_for_what_it_has": times("talib", "ours_as_talib"),
        "live_microseconds_per_bar": us("live"),
        "live_from_record_to_records_microseconds_per_bar": us("live_records"),
        "live_compiled_call_alone_microseconds_per_bar": us("live_fold"),
        "live_memory_mib": memory["live"],
        "talipp_indicators": len(peers["labels"]),
        "talipp_indicators_that_end_at_our_values": sum(agree),
        "talipp_indicators_that_do_not": differ,
        "talipp_microseconds_per_bar": us("talipp"),
        "talipp_memory_mib": memory["talipp"],
        "ours_for_what_talipp_has_microseconds_per_bar": us("live_as_talipp"),
        "ours_for_what_talipp_has_memory_mib": memory["live_as_talipp"],
        "talipp_times_ours_for_what_it_has": times("talipp", "live_as_talipp"),
        "ta_window_bars": contenders_live.WINDOW,
        "ta_window_microseconds_per_bar": us("ta_window"),
        "ta_window_memory_mib": memory["ta_window"],
        "ta_window_times_ours_per_bar": times("ta_window", "live"),
    }


class _PerBar:
    """Seconds a bar by contender, in the units of the page."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds = seconds

    def ns(self, name: str, per: int = 1) -> float:
        return round(self.seconds[name] * 1e9 / per, 2)

    def us(self, name: str) -> float:
        return round(self.seconds[name] * 1e6, 1)

    def times(self, slow: str, fast: str) -> float:
        return round(self.seconds[slow] / self.seconds[fast], 2)


def _same(ours: list[float], theirs: list[float]) -> bool:
    """Return whether their first number is one of ours."""
    return bool(theirs) and any(abs(value - theirs[0]) <= SAME * abs(theirs[0]) for value in ours)


def profile(values: dict[str, Any]) -> None:
    """Print the nanoseconds a row of each function."""
    for title, rows in (
        ("ours", values["ours"] | {"(derived series)": values["derived"]}),
        ("TA-Lib", values["talib"]),
    ):
        print(f"{title}: {sum(rows.values()) * 1e9:.1f} ns a row together")
        for name, seconds in sorted(rows.items(), key=lambda row: -row[1]):
            print(f"  {seconds * 1e9:8.2f}  {name}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", type=int, default=1_000_000)
    parser.add_argument("--ta-bars", type=int, default=50_000, help="what ta is given: a million take it minutes")
    parser.add_argument("--live-bars", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--profile", action="store_true", help="measure every function by itself instead")
    parser.add_argument("--contender", choices=sorted(ALL), help="be the process that is measured")
    parser.add_argument("--save", action="store_true", help="keep the figures in bench/results")
    options = parser.parse_args()
    if options.contender:
        print(json.dumps(ALL[options.contender](options.bars, options.repeats)))
        return
    if options.profile:
        profile(alone("each_function", options.bars, options.repeats))
        return
    sizes = {act.__name__: (options.bars, options.repeats) for act in HISTORY}
    sizes |= {"ta": (options.ta_bars, 1)}
    sizes |= {act.__name__: (options.live_bars, options.repeats) for act in LIVE}
    sizes |= {"ta_window": (30, 1)}
    values = figures(run(sizes, options.rounds), sizes)
    print(json.dumps(values, indent=2))
    if options.save:
        save("features", f"python -m bench.features --bars {options.bars} --ta-bars {options.ta_bars}", values)


if __name__ == "__main__":
    main()
