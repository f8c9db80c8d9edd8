"""Any order and repetition of rows gives the same bars, and the quick check refuses what the record refuses."""

import tempfile
from collections.abc import Callable, Iterable
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.reading.clean import clean_bars, clean_ticks
from sources.reading.merge import merge
from sources.reading.parse import Chunk, Parsed, Reading, parse
from sources.reading.sort import sort
from sources.tables.columns import Columns, by_time, concat, size
from sources.tables.layout import BAR_FIELDS, Kind, Layout
from topics.records import Bar, DeadLetter, Tick

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
    cuts = [int(np.searchsorted(rows["time"], rows["time"][cut])) if cut < len(minutes) else cut for cut in cuts]
    pieces = [
        {name: values[a:b] for name, values in rows.items()}
        for a, b in zip([0, *cuts], [*cuts, len(minutes)], strict=True)
        if a < b
    ]
    last, results = None, []
    for piece in pieces:
        cleaned = clean_bars(piece, last, M).rows
        if size(cleaned):
            results.append(cleaned)
            last = int(cleaned["time"][-1])
    whole = clean_bars(rows, None, M).rows
    assert {name: values.tolist() for name, values in concat(results).items()} == {
        name: values.tolist() for name, values in whole.items()
    }


def test_the_last_of_repeated_bars_stays_and_those_that_differ_are_counted() -> None:
    rows = by_time(_columns([2 * M, M, M, 2 * M], [10, 11, 12, 13]))
    rows["close"] = np.array([1.0, 1.0, 2.0, 3.0])
    cleaned = clean_bars(rows, None, M)
    assert cleaned.rows["row"].tolist() == [12, 13]
    assert (cleaned.duplicates, cleaned.conflicts) == (2, 1)


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
    assert [row for result in rows for row in result] == [row for _, row in sorted(everything)]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(st.integers(0, 50), max_size=20), max_size=6))
def test_sorting_on_disk_equals_sorting_in_memory(chunks: list[list[int]]) -> None:
    numbered, first = [], 0
    for times in chunks:
        numbered.append(_columns(times, list(range(first, first + len(times)))))
        first += len(times)
    with tempfile.TemporaryDirectory() as scratch, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sources.reading.sort.RUN_ROWS", 15)
        patch.setattr("sources.reading.sort.BLOCK_ROWS", 4)
        results = [block for block in sort(iter(numbered), Path(scratch)) if size(block)]
        assert list(Path(scratch).iterdir()) == []
    expected = sorted((time, row) for chunk in numbered for time, row in zip(chunk["time"], chunk["row"], strict=True))
    rows = [(time, row) for block in results for time, row in zip(block["time"], block["row"], strict=True)]
    assert rows == expected


NUMBERS = (None, -1.0, 0.0, 1.0, 1.5, 2.0, float("inf"))


def _parsed(kind: Kind, columns: dict[str, list[float | None]], times: list[int]) -> Parsed:
    table = {"time": pa.array(times, pa.timestamp("ms"))}
    table |= {name: pa.array(values, pa.float64()) for name, values in columns.items()}
    layout = Layout(kind=kind, columns={name: name for name in table}, symbol="X")
    reading = Reading(
        name="f.csv",
        layout=layout,
        interval="1m" if kind == "bar" else None,
        order="day",
        symbol=str,
        number=lambda _: 0,
    )
    return parse(Chunk(pa.table(table), np.arange(len(times)), []), reading)


def _refusals(build: Callable[..., object], rows: Iterable[tuple[float | None, ...]]) -> dict[int, str]:
    """Return why the record refuses each row that it does not take; an unknown number is NaN."""
    reasons = {}
    for at, row in enumerate(rows):
        try:
            build(*(float("nan") if value is None else value for value in row))
        except ValueError as error:
            reasons[at] = str(error)
    return reasons


AT = 1_700_000_040_000


def _agree(dead: Iterable[DeadLetter], expected: dict[int, str]) -> None:
    """The same rows, and each for the record's reason, or since its cell holds no number."""
    values = {letter.offset: letter.reason.partition(": ") for letter in dead}
    assert values.keys() == expected.keys()
    assert all(why == expected[at] or "no number" in kind for at, (kind, _, why) in values.items())


def test_bars_are_refused_exactly_where_the_record_refuses_their_prices() -> None:
    rows = list(product(NUMBERS, repeat=4))
    columns = {name: [row[at] for row in rows] for at, name in enumerate(("open", "high", "low", "close"))}
    parsed = _parsed("bar", columns | {"volume": [1.0] * len(rows)}, [AT] * len(rows))
    expected = _refusals(lambda *prices: Bar("X", "1m", AT, *prices, 1.0), rows)
    assert expected.pop(rows.index((None,) * 4))
    assert parsed.empty == 1
    _agree(parsed.dead, expected)
    assert size(parsed.columns) == len(rows) - len(expected) - 1


def test_bars_are_refused_exactly_where_the_record_refuses_their_volume() -> None:
    prices = {name: [1.0] * len(NUMBERS) for name in ("open", "high", "low", "close")}
    parsed = _parsed("bar", prices | {"volume": list(NUMBERS)}, [AT] * len(NUMBERS))
    rows = [(volume,) for volume in NUMBERS if volume is not None]
    expected = _refusals(lambda volume: Bar("X", "1m", AT, 1.0, 1.0, 1.0, 1.0, volume), rows)
    # An unknown volume stands first, and is no reason.
    _agree(parsed.dead, {at + 1: why for at, why in expected.items()})


@pytest.mark.parametrize("time", [AT + 1, -AT, 10_000_000_000_000, 253_402_300_799_000])
def test_a_time_off_the_interval_or_out_of_range_is_refused(time: int) -> None:
    prices = {name: [1.0] for name in ("open", "high", "low", "close", "volume")}
    assert [letter.time for letter in _parsed("bar", prices, [time]).dead] == [time if time == AT + 1 else 0]


def test_trades_are_refused_exactly_where_the_record_refuses_them() -> None:
    rows = list(product(NUMBERS, repeat=2))
    columns = {name: [row[at] for row in rows] for at, name in enumerate(("price", "amount"))}
    parsed = _parsed("tick", columns, [AT] * len(rows))
    expected = _refusals(lambda price, amount: Tick("X", AT, price, amount), rows)
    _agree(parsed.dead, expected)


def test_every_field_of_a_bar_is_read() -> None:
    ours = {"symbol", "interval", "time", "gap", "market_return", "market_rank", "lead_return", "suspect"}
    told_by_no_file = {"buy_trades"}
    assert set(BAR_FIELDS) == set(Bar.__struct_fields__) - ours - told_by_no_file
