"""Where it bends: how growth is found, what the model makes of figures, and a short run of all of it."""

from typing import Any

import pytest

from bench.scale.__main__ import concluded
from bench.scale.growth import exponent, growth, steepest, verdict
from bench.scale.model import Machine, limits, model, need
from bench.scale.run import Plan, _costs, measured
from bench.scale.table import tables

COSTS = {"worker": 300.0, "persist": 100.0, "postgres": 50.0, "kafka": 20.0, "redis": 0.0}


def run_of(symbols: int, square: float = 0.0) -> dict[str, Any]:
    """Return the figures of a run whose worker needs so much more for each symbol there is."""
    used = {name: value * 1e-6 * 100_000 for name, value in COSTS.items()}
    used["worker"] *= 1 + square * symbols
    return {
        "workers": 1,
        "symbols": symbols,
        "models": "default",
        "idle_cores": dict.fromkeys(COSTS, 0.02),
        "one_tick_a_bar": {"bars": 100_000, "bars_per_second": 2_000, "ticks_per_second": 2_000, "cpu_seconds": used},
        "10_ticks_a_bar": {"bars": 300, "bars_per_second": 900, "ticks_per_second": 9_000, "cpu_seconds": used},
        "cpu_microseconds_per_tick": dict.fromkeys(COSTS, 10.0),
        "cpu_microseconds_per_bar": COSTS,
        "disk_bytes_per_bar": {"postgres": 4_000, "kafka": 1_000},
        "worker_mib_without_symbols": 400,
        "worker_mib": 400 + symbols // 10,
        "state_bytes": {"bars": 100 * symbols, "features": 900 * symbols},
        "rates": {"10": {"bars_per_second": 10.0, "bars_timed": 200, "p50": 8.0, "p99": 20.0, "max": 30.0}},
    }


def test_the_exponent_is_that_of_the_growth() -> None:
    sizes = (20, 100, 500)
    for power in (0.0, 1.0, 2.0):
        assert exponent(sizes, [3 * size**power for size in sizes]) == pytest.approx(power)
    assert exponent((20, 100), (0.0, 5.0)) is None
    hidden = [1e6 + size**2 for size in sizes]
    assert (exponent(sizes, hidden) or 9.0) < (steepest(sizes, hidden) or 0.0)


def test_what_grows_with_the_square_is_named_and_what_is_linear_is_not() -> None:
    linear = growth([run_of(size) for size in (20, 100, 500)])
    assert {name: one["exponent"] for name, one in linear.items()} == dict.fromkeys(linear, 1.0)
    assert verdict(linear) == "nothing is quadratic"
    quadratic = growth([run_of(size, square=1.0) for size in (20, 100, 500)])
    assert verdict(quadratic) == "nearer to quadratic than to linear: worker CPU"
    assert "kafka CPU" in linear
    assert "redis CPU" not in linear, "it used none"


def test_two_backlogs_tell_what_a_tick_costs_and_what_a_bar() -> None:
    def used(ticks: int, bars: int) -> dict[str, Any]:
        return {"ticks": ticks, "bars": bars, "cpu_seconds": {"worker": (7 * ticks + 300 * bars) / 1e6, "redis": 0.0}}

    costs = _costs(used(1_000, 990), used(3_000, 290))
    assert costs["cpu_microseconds_per_tick"] == {"worker": 7.0, "redis": 0.0}
    assert costs["cpu_microseconds_per_bar"] == {"worker": 300.0, "redis": 0.0}


def test_the_model_multiplies_until_a_partition_or_the_only_server_is_full() -> None:
    run, machine = run_of(500), Machine(cores=2, memory_gib=24.0)
    one = need(run, ticks_a_minute=60)
    assert one.cores["worker"] == pytest.approx((60 * 10 + 300) / 60e6)
    assert one.worker_mib == pytest.approx(0.1)
    results = model(run, machine, 60)
    symbols = [value["symbols"] for value in results.values()]
    assert symbols[0] <= symbols[1] <= symbols[2]
    for value in results.values():
        assert value["symbols"] == min(value["limits_in_symbols"].values())
        assert value["limits_in_symbols"][value["breaks_first"]] == value["symbols"]
    total = sum(one.cores.values())
    assert limits(one, machine, 1)["cores of all machines"] == int((0.7 * 2 - 0.1) / total)
    ten, hundred = limits(one, machine, 10), limits(one, machine, 100)
    assert hundred["cores of all machines"] == pytest.approx(10 * ten["cores of all machines"], rel=0.01)
    assert hundred["PostgreSQL, one machine"] == ten["PostgreSQL, one machine"]


def test_what_costs_too_little_to_be_measured_is_no_limit() -> None:
    run = {**run_of(500), "worker_mib": 400}
    assert "memory of the workers" not in limits(need(run, 60), Machine(cores=2, memory_gib=24.0), 1)


def test_the_tables_have_each_run_the_verdict_and_the_assumptions() -> None:
    runs = [run_of(20), run_of(500)]
    runs[1]["rates"] = {"10": {"falls_behind": "3 bars without predictions"}}
    text = tables(concluded(runs, 60.0))
    assert "| 1 | 20 | 2,000 | 9,000 | 300 | 100 | 50 | 20 |" in text
    assert "| 1 | 20 | 402 | 20 | 8.0, 20.0 |" in text
    assert "| 1 | 500 | 450 | 488 | falls behind |" in text
    assert "nothing is quadratic" in text
    assert "| 100 machines |" in text
    assert "- a machine is the one of the measurement: " in text


@pytest.mark.services
@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_short_run_has_every_figure() -> None:
    plan = Plan(symbols=(2, 4), rates=(4.0,), bars=40, seconds=3.0, models=("naive",))
    runs = [measured(1, symbols, plan) for symbols in plan.symbols]
    for run, symbols in zip(runs, plan.symbols, strict=True):
        assert run["one_tick_a_bar"]["bars"] == 40 - symbols
        assert set(run["state_bytes"]) == {"bars", "features", "predictions", "outcomes"}
        assert min(run["state_bytes"].values()) > 0
        assert run["rates"]["4"]["bars_timed"] > 0
    assert "| 1 machine |" in tables(concluded(runs, 60.0))
