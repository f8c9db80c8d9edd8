"""What the table of all symbols says of each, in which order, and what of it is sent."""

from dataclasses import replace
from typing import Any

import pytest
from bokeh.document import Document
from bokeh.document.events import ColumnsPatchedEvent

from dashboard.clock import Clock
from dashboard.live.quantile_forecast import QuantileForecast, between
from dashboard.number_format import DASH
from dashboard.overview.cells import COLUMNS, HEIGHT, WIDTH, Look, arranged, cells, line
from dashboard.overview.reader import Key, Overview, SymbolNow
from dashboard.overview.symbol_table import feed, symbol_table
from dashboard.overview.view_state import Choice, parse, query, settle

MINUTE = 60_000.0
NOW = 1_747_526_400_000.0
CHOICE = Choice(interval="1m", model="gbm")
LOOK = Look(regimes={"calm": "#123456"}, clock=Clock(), theme="dark", newest=NOW)


def said(p_up: float | None = 0.5, **changed: Any) -> QuantileForecast:
    plain = QuantileForecast(time=NOW, price=100.0, q05=-0.02, q10=-0.01, q50=0.0, q90=0.01, q95=0.02, p_up=p_up)
    return replace(plain, **changed)


def symbol(name: str, bar: float = NOW, **changed: Any) -> SymbolNow:
    past = ((NOW - 5 * MINUTE, 90.0), (NOW, 100.0))
    plain = SymbolNow(symbol=name, bar=bar, close=100.0, state="calm", past=past, said={15: said()})
    return replace(plain, **changed)


def overview(*symbols: SymbolNow) -> Overview:
    return Overview(key=Key("1m", "gbm"), intervals=("1m",), models=("gbm",), symbols=symbols, since=0.0)


def test_a_symbol_is_written_with_its_units_and_leads_to_the_live_page() -> None:
    row = cells(symbol("BTCUSDT", said={15: said(0.614)}), CHOICE, LOOK)
    assert set(row) == set(COLUMNS)
    assert (row["close"], row["change"], row["rise15"], row["rise60"]) == ("100.00", "+11.11 %", "61 %", DASH)
    assert (row["interval90"], row["interval80"]) == ("98.020 to 102.02", "99.005 to 101.01")
    assert (row["regime"], row["colour"], row["stale"], row["late"]) == ("calm", "#123456", "", "")
    assert (row["bar"], row["bar_age"], row["forecast"]) == ("00:00", "", "00:00")
    assert row["href"] == "/live?symbol=BTCUSDT&interval=1m&horizon=15&model=gbm&theme=dark"


def test_an_interval_is_in_basis_points_by_choice_and_a_dash_while_it_is_unknown() -> None:
    assert between(said(), -0.02, 0.02, "bp") == "\u2212200.0 to +200.0"
    assert between(said(), None, 0.02, "bp") == between(None, None, None, "price") == DASH


def test_two_bars_behind_is_no_news_and_three_are_stale_and_dated() -> None:
    row = cells(symbol("A", NOW - 2 * MINUTE, said={15: said(time=NOW - 2 * MINUTE)}), CHOICE, LOOK)
    assert (row["stale"], row["late"], row["bar"], row["bar_age"]) == ("", "", "17 May 2025 23:58", "2 min old")
    row = cells(symbol("A", NOW - 3 * MINUTE, said={15: said(time=NOW - 4 * MINUTE)}), CHOICE, LOOK)
    assert (row["stale"], row["late"], row["bar_age"], row["forecast_age"]) == (
        "stale",
        "late",
        "3 min old",
        "4 min old",
    )
    row = cells(symbol("A", said={}), CHOICE, LOOK)
    assert (row["stale"], row["late"], row["forecast"], row["forecast_age"]) == ("", "late", DASH, "none")


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("symbol", ["A", "B", "C"]),
        ("-symbol", ["C", "B", "A"]),
        ("rise15", ["B", "A", "C"]),
        ("-rise15", ["A", "B", "C"]),  # what is unknown is last, either way
        ("-bar", ["B", "A", "C"]),
        ("-width", ["B", "A", "C"]),
        ("regime", ["A", "C", "B"]),
        ("-change", ["C", "A", "B"]),
    ],
)
def test_symbols_are_put_in_the_chosen_order(sort: str, expected: list[str]) -> None:
    known = overview(
        symbol("A", said={15: said(0.7)}),
        symbol("B", NOW - MINUTE, said={15: said(0.2, q95=0.04)}, state="turbulent", past=()),
        symbol("C", said={15: said(None, q05=None)}, close=120.0),
    )
    choice, notes = parse({"sort": sort, "model": "gbm"}, "1m")
    assert (arranged(known, choice, LOOK), notes) == (expected, ())


def test_filters_are_by_name_regime_and_staleness() -> None:
    known = overview(
        symbol("AUSDT"), symbol("BUSDT", NOW - 9 * MINUTE), symbol("CUSD", state="turbulent"), symbol("DUSD", said={})
    )
    for changed, expected in (
        ({"find": "usdt"}, ["AUSDT", "BUSDT"]),
        ({"regime": "turbulent"}, ["CUSD"]),
        ({"shown": "stale"}, ["BUSDT", "DUSD"]),
        ({"shown": "fresh"}, ["AUSDT", "CUSD"]),
    ):
        assert arranged(known, replace(CHOICE, **changed), LOOK) == expected


def test_a_line_is_broken_where_bars_are_missing_and_stays_in_its_box() -> None:
    past = tuple((NOW - at * MINUTE, close) for at, close in ((175, 1.0), (170, 3.0), (60, 2.0), (55, 2.5), (0, 1.5)))
    path, reach = line(symbol("A", past=past), "1m")
    assert [part[0] for part in path.replace("L", ",L").replace("M", ",M").split(",")[1:]] == ["M", "L", "M", "L", "M"]
    numbers = [float(part) for part in path.replace("L", " ").replace("M", " ").split()]
    assert all(0 <= across <= WIDTH for across in numbers[::2])
    assert all(0 <= down <= HEIGHT for down in numbers[1::2])
    assert reach == "3h: 1.0000 to 3.0000"


def test_a_choice_survives_its_address_and_what_means_nothing_is_said() -> None:
    asked = {"model": "naive", "horizon": "60", "unit": "bp", "sort": "-rise5", "find": "BTC", "regime": "calm"}
    choice, notes = parse(asked | {"show": "stale", "clock": "local", "interval": "5m"}, "1m")
    given = {name: value for name, value in query(choice, "1m").items() if value}
    assert (parse(given, "1m"), notes) == ((choice, ()), ())
    _, notes = parse({"horizon": "7", "unit": "pips", "sort": "-luck", "interval": "soon"}, "1m")
    assert len(notes) == 4
    settled, notes = settle(parse({"model": "crystal", "interval": "9m"}, "1m")[0], ("1m", "5m"), ())
    assert (settled.interval, notes) == ("1m", ("There are no 9m bars in the database: these are 1m.",))
    settled, notes = settle(settled, ("1m",), ("gbm", "naive"))
    assert (settled.model, notes) == ("gbm", ("There are no forecasts of a model crystal: this is gbm.",))


def test_only_the_cells_that_differ_are_sent() -> None:
    document, table = Document(), symbol_table()
    document.add_root(table)
    sent: list[Any] = []
    document.on_change(sent.append)
    before = [cells(symbol(name), CHOICE, LOOK) for name in ("A", "B")]
    feed(table.source, (), before)
    after = [before[0], before[1] | {"close": "101.00"}]
    feed(table.source, before, after)
    feed(table.source, after, after)
    patches = [event for event in sent if isinstance(event, ColumnsPatchedEvent)]
    assert [event.patches for event in patches] == [{"close": [(1, "101.00")]}]
    assert table.source.data["close"] == ["100.00", "101.00"]
    feed(table.source, after, after[1:])
    assert table.source.data["symbol"] == ["B"]
