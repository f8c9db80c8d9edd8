"""Any order and repetition of rows gives the same bars, and the quick check refuses what the record refuses."""

import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.clean import clean_bars, clean_ticks
from sources.columns import Columns, by_time, concat, size
from sources.layout import BAR_FIELDS, Layout
from sources.merge import merge
from sources.parse import Chunk, Reading, parse
from sources.sort import sort
from topics.records import Bar, Tick

M = 60_000


def _columns(times: list[int], rows: list[int] | None = None) -> Columns:
    time = np.array(times, dtype=np.int64)
    return {"series": np.zeros(len(time), np.int32), "time": time, "row": np.array(rows or range(len(time)))}


@given(
    st.lists(st.integers(0, 200), min_size=1, unique=True).flatmap(
        lambda minutes: st.tuples(st.just(sorted(minutes)), st.permutations(minutes + minutes[:5]))
    )
)
def test_any_order_and_repetition_gives_the_same_bars(minutes: tuple[list[int], list[int]]) -> None:
    once, mixed = minutes
    cleaned = clean_bars(by_time(_columns([minute * M for minute in mixed])), None, M)
    assert cleaned.rows["time"].tolist() == [minute * M for minute in once]
    assert cleaned.rows["gap"].tolist() == [0, *(b - a - 1 for a, b in pairwise(once))]
    assert cleaned.duplicates == len(mixed) - len(once)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=40), st.data())
def test_cleaning_in_pieces_equals_cleaning_at_once(minutes: list[int], data: st.DataObject) -> None:
    rows = by_time(_columns([minute * M for minute in minutes]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(minutes)), max_size=3)))
    pieces = [
        {name: values[a:b] for name, values in rows.items()}
        for a, b in zip([0, *cuts], [*cuts, len(minutes)], strict=True)
        if a < b
    ]
    last, found = None, []
    for piece in pieces:
        cleaned = clean_bars(piece, last, M).rows
        if size(cleaned):
            found.append(cleaned)
            last = int(cleaned["time"][-1])
    whole = clean_bars(rows, None, M).rows
    assert {name: values.tolist() for name, values in concat(found).items()} == {
        name: values.tolist() for name, values in whole.items()
    }


def test_the_first_of_repeated_bars_stays() -> None:
    rows = by_time(_columns([2 * M, M, M, 2 * M], [10, 11, 12, 13]))
    assert clean_bars(rows, None, M).rows["row"].tolist() == [11, 10]


def test_trades_are_repeated_only_with_their_id() -> None:
    rows = _columns([5, 5, 5, 5, 6]) | {"trade_id": np.array(["a", "a", None, None, "a"], dtype=object)}
    cleaned = clean_ticks(rows)
    assert cleaned.rows["row"].tolist() == [0, 2, 3, 4]
    assert cleaned.duplicates == 1


@given(st.lists(st.lists(st.integers(0, 30), max_size=30), min_size=1, max_size=4), st.integers(1, 7))
def test_merging_keeps_all_rows_in_time_order_and_times_together(streams: list[list[int]], block: int) -> None:
    def blocks(times: list[int], first: int):
        rows = _columns(sorted(times), [first + at for at in range(len(times))])
        for at in range(0, len(times), block):
            yield {name: values[at : at + block] for name, values in rows.items()}

    windows = list(merge([blocks(times, 1_000 * place) for place, times in enumerate(streams)]))
    seen = [sorted(set(concat(window)["time"].tolist())) for window in windows]
    assert [time for times in seen for time in times] == sorted({time for times in streams for time in times})
    rows = [by_time(concat(window))["row"].tolist() for window in windows]
    everything = [
        (time, 1_000 * place + at) for place, times in enumerate(streams) for at, time in enumerate(sorted(times))
    ]
    assert [row for found in rows for row in found] == [row for _, row in sorted(everything)]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(st.integers(0, 50), max_size=20), max_size=6))
def test_sorting_on_disk_equals_sorting_in_memory(chunks: list[list[int]]) -> None:
    numbered, first = [], 0
    for times in chunks:
        numbered.append(_columns(times, list(range(first, first + len(times)))))
        first += len(times)
    with tempfile.TemporaryDirectory() as scratch, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sources.sort.RUN_ROWS", 15)
        patch.setattr("sources.sort.BLOCK_ROWS", 4)
        found = [block for block in sort(iter(numbered), Path(scratch)) if size(block)]
        assert list(Path(scratch).iterdir()) == []
    expected = sorted((time, row) for chunk in numbered for time, row in zip(chunk["time"], chunk["row"], strict=True))
    rows = [(time, row) for block in found for time, row in zip(block["time"], block["row"], strict=True)]
    assert rows == expected


_numbers = st.one_of(st.none(), st.sampled_from([-1.0, 0.0, 1.0, 1.5, 2.0, float("inf"), 1e300]))


def _reading(layout: Layout, interval: str | None) -> Reading:
    return Reading("f.csv", layout, interval, "day", str, lambda _: 0)


@given(_numbers, _numbers, _numbers, _numbers, _numbers, st.sampled_from([M, M + 1, -M, 10**13]))
def test_a_bar_is_refused_exactly_when_the_record_refuses_it(
    opening: float | None, high: float | None, low: float | None, close: float | None, volume: float | None, time: int
) -> None:
    prices = {"open": opening, "high": high, "low": low, "close": close, "volume": volume}
    columns = {name: pa.array([value], pa.float64()) for name, value in prices.items()}
    table = pa.table({"time": pa.array([time], pa.timestamp("ms")), **columns})
    layout = Layout("bar", {name: name for name in ("time", *prices)}, symbol="X")
    parsed = parse(Chunk(table, np.array([1]), []), _reading(layout, "1m"))
    if opening is high is low is close is None:
        assert (parsed.empty, parsed.dead, size(parsed.columns)) == (1, [], 0)
        return
    try:
        if not 0 <= time < 10**13:
            raise ValueError("no time")
        Bar("X", "1m", time, *(float("nan") if p is None else p for p in (opening, high, low, close)), volume)
    except ValueError:
        assert (size(parsed.columns), len(parsed.dead)) == (0, 1)
    else:
        assert (size(parsed.columns), len(parsed.dead)) == (1, 0)


@given(_numbers, _numbers)
def test_a_trade_is_refused_exactly_when_the_record_refuses_it(price: float | None, amount: float | None) -> None:
    cells = {
        "time": pa.array([M]),
        "price": pa.array([price], pa.float64()),
        "amount": pa.array([amount], pa.float64()),
    }
    layout = Layout("tick", {name: name for name in cells}, symbol="X")
    parsed = parse(
        Chunk(pa.table(cells | {"time": pa.array([M], pa.timestamp("ms"))}), np.array([1]), []), _reading(layout, None)
    )
    reasons = []
    try:
        Tick("X", M, *(float("nan") if value is None else value for value in (price, amount)))
    except ValueError as error:
        reasons = [str(error)]
    assert [letter.reason for letter in parsed.dead] == reasons


def test_every_field_of_a_bar_is_read() -> None:
    assert set(BAR_FIELDS) == set(Bar.__struct_fields__) - {"symbol", "interval", "time", "gap"}
