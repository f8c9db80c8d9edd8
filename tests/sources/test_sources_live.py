"""A symbol's line: whatever comes late, twice, out of order or not at all, each trade goes out once or is in a gap."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ccxt
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.errors import SourceError
from sources.live.checkpoint import FeedCheckpoint
from sources.live.clock_offset import skew_of
from sources.live.exchange import make
from sources.live.markets import described, market_of
from sources.live.parse import Market, Trade, parse
from sources.live.publisher import FRAME_ROWS, frames
from sources.live.record import Recorder, lines
from sources.live.rest import LONGEST_WAIT_S, named_wait
from sources.live.sequence_by_id import RENUMBERED_MS, ById
from sources.live.sequence_by_time import REMEMBERED, ByTime
from sources.live.sequencer import Cursor, TradeSequencer
from topics.records import DeadLetter, Gap, Tick

BTC = Market("BTCUSDT", "BTC/USDT")
START = 1_700_000_000_000
PAGE = 7


def trade(number: int, time: int | None = None, *, counted: bool = True) -> Trade:
    """The trade of that number at a venue whose trades come three a millisecond."""
    time = START + number // 3 if time is None else time
    tick = Tick("BTCUSDT", time, 1.0 + number, 1.0, None, str(number), "binance")
    return Trade(key=str(number), number=number if counted else None, time=time, tick=tick)


def numbers(trades: Sequence[Trade]) -> list[int]:
    return [int(each.key or -1) for each in trades]


@dataclass
class Told:
    """What a line gave: the numbers that went out, and those that its gaps cover."""

    line: TradeSequencer
    out: list[int] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)

    def take(self, trades: Sequence[Trade]) -> None:
        self.out += numbers(self.line.take(trades))

    def mend(self, venue: Sequence[Trade]) -> None:
        """Ask the venue, which gives a page from a number or a time on, until it has no more; then leave the hole."""
        for _ in range(500):
            missing = self.line.missing
            if missing is None:
                return
            if missing.number is not None:
                page = [each for each in venue if (each.number or 0) >= missing.number][:PAGE]
            else:
                page = [each for each in venue if each.time >= missing.since][:PAGE]
            if self.line.forgotten(page):
                self.gap(page[0])
            self.out += numbers(self.line.fill(page, full=len(page) >= PAGE))
            if self.line.missing == missing and not self.gap():
                return
        raise AssertionError("the hole is never filled")

    def gap(self, first: Trade | None = None) -> bool:
        result = self.line.declare_gap("BTCUSDT", "binance", "the test", first)
        if result is not None:
            self.gaps.append(result)
            self.out += numbers(self.line.take([]))
        return result is not None


@st.composite
def rides(draw: st.DrawFn) -> list[tuple[list[int], int, int]]:
    """Stretches of a venue's trades, the connection lost after each: which come, how many are lost and forgotten."""
    stretches, number = [], 1
    for _ in range(draw(st.integers(1, 6))):
        count = draw(st.integers(0, 25))
        came = list(range(number, number + count))
        twice = draw(st.lists(st.sampled_from(came), max_size=5)) if came else []
        lost = draw(st.integers(0, 20))
        stretches.append((came + twice, lost, draw(st.integers(0, lost))))
        number += count + lost
    return stretches


@given(rides(), st.integers(1, 6), st.randoms(use_true_random=False))
def test_where_the_venue_counts_each_trade_goes_out_once_and_in_order_or_is_in_a_gap(
    ride: list[tuple[list[int], int, int]], together: int, luck: Any
) -> None:
    reporter = Told(ById())
    forgotten: set[int] = set()
    newest = 0
    reporter.take([trade(0)])
    for came, lost, old in ride:
        mixed = [came[at : at + 4] for at in range(0, len(came), 4)]
        for part in mixed:
            luck.shuffle(part)
        order = [number for part in mixed for number in part]
        for start in range(0, len(order), together):
            reporter.take([trade(number) for number in order[start : start + together]])
        newest = max([newest, *came])
        forgotten |= set(range(newest + 1, newest + old + 1))
        newest += lost
        reporter.line.interrupted()
        reporter.mend([trade(number) for number in range(newest + 1) if number not in forgotten])
    reporter.take([trade(newest + 1)])
    reporter.mend([trade(number) for number in range(newest + 2) if number not in forgotten])
    covered = [n for gap in reporter.gaps for n in range(int(gap.after_id or 0) + 1, int(gap.before_id or 0))]
    assert reporter.out == sorted(set(reporter.out))
    assert sorted([*reporter.out, *covered]) == list(range(newest + 2))
    assert set(covered) == forgotten
    assert sum(gap.trades or 0 for gap in reporter.gaps) == len(covered)


@given(rides(), st.integers(1, 6))
def test_where_only_time_tells_each_trade_goes_out_once_or_is_in_the_time_of_a_gap(
    ride: list[tuple[list[int], int, int]], together: int
) -> None:
    reporter = Told(ByTime())
    newest, first = 0, 0
    reporter.take([trade(0, counted=False)])
    for came, lost, old in ride:
        for start in range(0, len(came), together):
            reporter.take([trade(number, counted=False) for number in came[start : start + together]])
        newest = max([newest, *came])
        if old:
            first = newest + old + 1  # what the venue still has begins there
        newest += lost
        reporter.line.interrupted()
        reporter.mend([trade(number, counted=False) for number in range(first, newest + 1)])
    reporter.take([trade(newest + 1, counted=False)])
    reporter.mend([trade(number, counted=False) for number in range(first, newest + 2)])
    assert len(reporter.out) == len(set(reporter.out))
    for number in set(range(newest + 2)) - set(reporter.out):
        time = START + number // 3
        assert any(gap.start <= time <= gap.end for gap in reporter.gaps), number
        assert number < first


@given(st.integers(1, 60), st.integers(0, 60), st.booleans())
def test_a_sequencer_resumed_from_its_checkpoint_repeats_no_trade_and_asks_for_the_missing_ones(
    sent: int, more: int, counted: bool
) -> None:
    checkpoint = FeedCheckpoint()
    before = [trade(number, counted=counted) for number in range(sent)]
    for each in before:
        assert each.tick is not None
        checkpoint.record(each.tick, counted=counted)
    place = checkpoint.places["BTCUSDT"]
    line: TradeSequencer = ById(last=place) if counted else ByTime.after(place)
    line.interrupted()
    reporter = Told(line)
    reporter.take(before[-3:])  # a venue shows its last trades to who connects
    reporter.mend([trade(number, counted=counted) for number in range(sent + more)])
    reporter.take([trade(sent + more, counted=counted)])
    reporter.mend([trade(number, counted=counted) for number in range(sent + more + 1)])
    assert reporter.out == list(range(sent, sent + more + 1))
    assert reporter.gaps == []


def test_the_checkpoint_equals_the_sequencers_cursor() -> None:
    line, checkpoint = ByTime(), FeedCheckpoint()
    for each in line.take([trade(number, counted=False) for number in range(40)]):
        assert each.tick is not None
        checkpoint.record(each.tick, counted=False)
    assert checkpoint.places["BTCUSDT"] == line.cursor


def test_a_trade_sent_twice_goes_out_once_and_is_counted() -> None:
    for line in (ById(), ByTime()):
        counted = isinstance(line, ById)
        reporter = Told(line)
        reporter.take([trade(1, counted=counted), trade(2, counted=counted), trade(1, counted=counted)])
        reporter.take([trade(2, counted=counted)])
        assert reporter.out == [1, 2]
        assert line.duplicates == 2


def test_live_trades_wait_until_the_missing_range_before_them_is_filled() -> None:
    reporter = Told(ById())
    reporter.take([trade(1)])
    reporter.take([trade(4), trade(5)])
    assert (reporter.out, reporter.line.waiting) == ([1], 2)
    reporter.out += numbers(reporter.line.fill([trade(2)], full=False))
    assert reporter.out == [1, 2]
    reporter.out += numbers(reporter.line.fill([trade(3), trade(4)], full=False))
    assert (reporter.out, reporter.line.missing) == ([1, 2, 3, 4, 5], None)


@pytest.mark.parametrize("line", [ById(), ByTime()])
def test_what_was_missed_comes_without_waiting_for_the_next_live_trade(line: TradeSequencer) -> None:
    counted = isinstance(line, ById)
    reporter = Told(line)
    reporter.take([trade(0, counted=counted)])
    line.interrupted()
    reporter.mend([trade(number, counted=counted) for number in range(3 * PAGE)])
    assert reporter.out == list(range(3 * PAGE))
    assert line.missing is None


def test_memory_of_ids_is_bounded_and_what_is_forgotten_still_counts_as_known() -> None:
    line = ByTime()
    line.take([trade(number, counted=False) for number in range(3 * REMEMBERED)])
    assert len(line.recent) == REMEMBERED
    assert line.take([trade(0, counted=False), trade(3 * REMEMBERED - 1, counted=False)]) == []


def test_a_venue_that_counts_anew_is_noticed() -> None:
    line = ById()
    line.take([trade(100)])
    assert not line.renumbered([trade(99)])
    assert line.renumbered([trade(1, START + 33 + RENUMBERED_MS + 1)])


def test_trades_without_ids_pass_and_leave_a_gap_where_the_connection_was_lost() -> None:
    def nameless(time: int) -> Trade:
        return Trade(key=None, number=None, time=START + time, tick=Tick("BTCUSDT", START + time, 1.0, 1.0))

    line = ByTime()
    assert len(line.take([nameless(0), nameless(0)])) == 2
    line.interrupted()
    assert line.missing is not None
    assert not line.missing.can_be_asked
    assert line.declare_gap("BTCUSDT", "x", "no ids") is None
    assert line.take([nameless(5)]) == []
    assert line.declare_gap("BTCUSDT", "x", "no ids") == Gap(
        symbol="BTCUSDT", venue="x", start=START, end=START + 5, reason="no ids"
    )
    assert len(line.take([])) == 1


# --- one trade ---


def raw(**changes: Any) -> dict[str, Any]:
    made = {"id": "7", "timestamp": START, "price": 2.0, "amount": 3.0, "side": "sell", "info": {"a": 7, "p": "2.0"}}
    return made | changes


def test_a_trade_of_ccxts_becomes_a_tick() -> None:
    assert parse(raw(), BTC, "binance", counted=True, repaired=True) == Trade(
        key="7", number=7, time=START, tick=Tick("BTCUSDT", START, 2.0, 3.0, "sell", "7", "binance", True)
    )
    assert parse(raw(id=None, side=None), BTC, "x", counted=False) == Trade(
        key=None, number=None, time=START, tick=Tick("BTCUSDT", START, 2.0, 3.0, None, None, "x")
    )


@pytest.mark.parametrize(
    ("market", "amount"),
    [
        ({"symbol": "BTC/USDT:USDT", "contract": True, "contractSize": 0.01, "linear": True}, 0.03),
        ({"symbol": "BTC/USD:BTC", "contract": True, "contractSize": 100.0, "inverse": True}, 150.0),
        ({"symbol": "BTC/USDT", "contract": False, "contractSize": None}, 3.0),
    ],
)
def test_amounts_are_in_base_currency_whatever_a_contract_is_worth(market: dict[str, Any], amount: float) -> None:
    tick = parse(raw(), described(market), "x", counted=False).tick
    assert tick is not None
    assert tick.amount == pytest.approx(amount)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"price": 0.0}, "price 0.0 is not a positive number"),
        ({"price": None}, "float"),
        ({"amount": float("nan")}, "amount nan is not a positive number"),
        ({"timestamp": None}, "its time None is none"),
        ({"timestamp": -5}, "its time -5 is none"),
        ({"id": "x9"}, "its id 'x9' is no number, and binance numbers its trades"),
        ({"id": "7" * 300}, "no number"),
    ],
)
def test_an_impossible_trade_keeps_its_place_and_says_why(changes: dict[str, Any], reason: str) -> None:
    result = parse(raw(**changes), BTC, "binance", counted=True)
    assert result.tick is None
    assert reason in result.reason
    assert msgspec.json.decode(result.raw) == {"a": 7, "p": "2.0"}


def test_a_trade_that_is_dated_ahead_is_none() -> None:
    """Case 24: one trade, and every later one of its symbol was late."""
    known = parse(raw(), BTC, "binance", counted=True, latest=raw()["timestamp"])
    ahead = parse(raw(), BTC, "binance", counted=True, latest=raw()["timestamp"] - 1)
    assert known.tick is not None
    assert (ahead.tick, "is none" in ahead.reason) == (None, True)


def test_an_impossible_trade_does_not_hold_up_those_after_it() -> None:
    bad = parse(raw(price=-1.0, id="2"), BTC, "binance", counted=True)
    assert numbers(ById(last=Cursor(START, 1)).take([bad, trade(3)])) == [2, 3]


# --- the rest of it ---


MARKETS = {
    name: {"symbol": name, "spot": ":" not in name, "contract": ":" in name}
    for name in ("BTC/USDT:USDT", "BTC/USDT", "ETH/USDT", "ETH/USDC:USDC")
}


def test_a_symbol_may_be_written_in_any_way() -> None:
    for text in ("BTC/USDT", "btcusdt", "btc_usdt"):
        assert market_of(MARKETS, text, "binance") == Market("BTCUSDT", "BTC/USDT")
    assert market_of(MARKETS, "ETHUSDC:USDC", "binance").unified == "ETH/USDC:USDC"


def test_a_symbol_that_is_not_there_is_answered_with_near_ones() -> None:
    with pytest.raises(SourceError, match=r"binance has no symbol 'ETH/USTD'; did you mean ETH/USDT"):
        market_of(MARKETS, "ETH/USTD", "binance")


def test_a_venue_that_is_not_there_is_answered_with_near_ones() -> None:
    with pytest.raises(SourceError, match="ccxt streams no venue 'binanse'; did you mean binance"):
        make("binanse")
    with pytest.raises(SourceError, match="ccxt has no stream of bydfi's trades"):
        make("bydfi")


def test_a_gateway_stands_before_every_host_of_a_venue() -> None:
    urls = make("binance", "http://127.0.0.1:8443/").urls["api"]
    assert urls["public"] == "http://127.0.0.1:8443/api.binance.com/api/v3"
    assert urls["ws"]["spot"] == "ws://127.0.0.1:8443/stream.binance.com:9443/ws"
    assert not [url for url in texts(urls) if "127.0.0.1" not in url]


def texts(urls: Any) -> list[str]:
    return [urls] if isinstance(urls, str) else [text for part in urls.values() for text in texts(part)]


def test_frames_hold_one_kind_and_key_and_keep_their_order() -> None:
    ticks = [Tick(("A", "B")[n % 2], n, 1.0, 1.0) for n in range(2 * FRAME_ROWS + 6)]
    dead_letters = [
        DeadLetter(topic="live/x", partition=0, offset=n, reason="bad", value=b"", time=0) for n in range(2)
    ]
    results = list(frames([*ticks, *dead_letters]))
    assert [len(frame) for frame in results] == [FRAME_ROWS, 3, FRAME_ROWS, 3, 1, 1]
    for symbol in "AB":
        times = [one.time for frame in results for one in frame if isinstance(one, Tick) and one.symbol == symbol]
        assert times == sorted(times)


def test_the_clock_is_told_by_the_answer_that_took_least_time() -> None:
    assert skew_of([(1_000.0, 1_600.0, 1_200.0), (2_000.0, 2_520.0, 2_020.0)]) == 510.0


class Busy:
    def __init__(self, headers: dict[str, str]) -> None:
        self.last_response_headers = headers


def test_a_busy_venue_is_left_alone_for_as_long_as_it_says() -> None:
    assert named_wait(Busy({"Retry-After": "3"}), ccxt.DDoSProtection()) == 3.0
    assert named_wait(Busy({"retry-after": "900"}), ccxt.RateLimitExceeded()) == LONGEST_WAIT_S
    assert named_wait(Busy({}), ccxt.RateLimitExceeded()) is None
    assert named_wait(Busy({"Retry-After": "3"}), ccxt.ExchangeNotAvailable()) is None


def test_a_recording_is_read_back_but_for_a_last_line_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "wire.jsonl"
    recorder = Recorder(path, "binance", "4")
    recorder.message("wss://x", {"e": "trade"})
    recorder.unreadable("wss://x", b'{"e":"tr')
    recorder.close()
    with path.open("ab") as file:
        file.write(b'{"time":1,"mess')
    head, message, unreadable = lines(path)
    assert (head["venue"], message["message"], unreadable["unreadable"]) == ("binance", {"e": "trade"}, '{"e":"tr')


def test_another_file_is_no_recording(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text("time,open\n1,2\n")
    with pytest.raises(SourceError, match="line 1 is none of a recording"):
        list(lines(path))
    path.write_text('{"a":1}\n')
    with pytest.raises(SourceError, match="no recording: `foretick live VENUE SYMBOL --record FILE` makes one"):
        list(lines(path))
