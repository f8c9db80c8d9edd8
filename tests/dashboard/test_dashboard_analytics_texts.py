"""What Analytics says: the choice in the address, how current it is, the tests in words, and nothing unescaped."""

import time
from datetime import UTC, datetime

import numpy as np
import pytest

from dashboard.analytics import decision_text, page_text, tables, walk_forward_table
from dashboard.analytics.challenge_reader import Challenge, Decisions
from dashboard.analytics.evaluation_reader import WalkForward
from dashboard.analytics.forecasts_reader import MOST_POINTS, policy
from dashboard.analytics.line_plot import Axis, reach
from dashboard.analytics.page_text import Freshness
from dashboard.analytics.scores_reader import BoardRow, Scores
from dashboard.analytics.source import MOST_KEPT, Kept
from dashboard.analytics.view_state import DEFAULT, WINDOWS, Catalog, Choice, Market, parse, query, settle
from dashboard.polled_reader import Reading
from evaluation.breakdown import GroupScore
from evaluation.paper_policy import PaperEquity
from evaluation.results import Cell, Results
from evaluation.significance import Comparison
from learning.monitoring.scorer import Pair
from topics.records import Deployment

CATALOG = Catalog(("BTCUSDT", "ETHUSDT"), ("gbm", "naive"))
NEWEST = datetime(2025, 5, 20, 23, 44, tzinfo=UTC)


def scores(newest: datetime | None = NEWEST, catalog: Catalog = CATALOG, changed: float | None = None) -> Scores:
    return Scores(catalog=catalog, newest=newest, changed=changed, curves={}, board=())


def test_a_choice_is_parsed_from_the_address_and_written_back() -> None:
    given = {"symbol": "BTCUSDT", "horizon": "60", "model": "har", "window": "30d", "cost": "5"}
    choice, notes = parse(given)
    assert notes == ()
    assert query(choice) == given
    assert (choice.market, choice.cost_bp) == (Market(symbol="BTCUSDT", horizon=60, window=WINDOWS[2]), 5)
    assert parse({}) == (DEFAULT, ())
    assert not any(query(DEFAULT).values())


def test_an_invalid_part_of_the_address_is_told_and_the_default_taken() -> None:
    choice, notes = parse({"horizon": "7", "window": "1y", "cost": "x"})
    assert choice == DEFAULT
    assert [note.partition(" ")[0] for note in notes] == ["horizon=7", "window=1y", "cost=x"]


def test_a_symbol_or_model_that_is_not_there_is_replaced_with_a_word() -> None:
    market = Market(symbol="DOGE", horizon=15, window=WINDOWS[1])
    choice, notes = settle(Choice(market=market, model="nobody"), CATALOG)
    assert (choice.market.symbol, choice.model) == (None, "gbm")
    assert len(notes) == 2
    other = Choice(market=Market(symbol="btc/usdt", horizon=15, window=WINDOWS[1]))
    assert settle(other, CATALOG)[0].market.symbol == "BTCUSDT"
    assert settle(other, Catalog((), ())) == (other, ())


@pytest.mark.parametrize(
    ("reading", "watched_s", "state", "said"),
    [
        (Reading(None, None, None), 1.0, "connecting", "Reading"),
        (Reading(None, None, "No answer."), 1.0, "blank", "No answer."),
        (Reading(scores(None, Catalog((), ())), 1.0, None), 1.0, "blank", "foretick up"),
        (Reading(scores(None), 1.0, None), 1.0, "blank", "come true"),
        (Reading(scores(), 1.0, None), 1.0, "live", "read 1 s ago"),
        (Reading(scores(), 1.0, None), 500.0, "stale", "20 May 2025 23:44"),
        (Reading(scores(changed=0.0), 1.0, None), 1.0, "stale", "20 May 2025 23:44"),
        (Reading(scores(), 31.0, None), 1.0, "unreachable", "These figures were read 31 s ago"),
        (Reading(scores(), 90.0, "No answer."), 1.0, "unreachable", "20 May 2025 23:44"),
    ],
)
def test_nothing_old_is_shown_as_current(reading: Reading[Scores], watched_s: float, state: str, said: str) -> None:
    freshness = Freshness.of(reading, watched_s, 90.0)
    assert freshness.state == state
    assert said in freshness.detail
    assert (page_text.notices(freshness, (), ()) != "") == (state in ("stale", "unreachable"))
    assert (page_text.blank(freshness) != "") == (state in ("blank", "connecting"))


def test_the_badge_is_green_only_once_something_new_was_seen() -> None:
    read, seen = (scores(changed=changed) for changed in (None, time.monotonic()))
    for known, kind in ((read, "connecting"), (seen, "live")):
        html = page_text.badge(Freshness.of(Reading(known, 1.0, None), 1.0, 90.0))
        assert f'class="badge {kind}"' in html
        assert ">20 May 2025 23:44 UTC<" in html


def test_another_readers_failure_is_said_once() -> None:
    freshness = Freshness.of(Reading(scores(), 1.0, None), 1.0, 90.0)
    assert page_text.notices(freshness, (), (None, "Away <1>.", "Away <1>.")).count("Away &lt;1&gt;.") == 1


def deployment(number: int, action: str, champion: str, why: str = "why", **more: object) -> Deployment:
    return Deployment(
        model="gbm",
        number=number,
        action=action,
        champion=champion,
        fingerprint="print",
        time=1,
        decided_by="user",
        why=why,
        **more,
    )


def challenge(bars: float, outcome: str | None) -> Challenge:
    evidence = {"e_value": 3.21, "e_value_against": 0.5, "bars": bars, "alpha": 0.05, "gain_1": 0.0123}
    evidence |= {"margin": 0.002, "weighted_gain": 0.0101}
    pair = Pair("gbm", "v1", "v2")
    return Challenge(pair=pair, points=(), evidence=evidence, outcome=outcome, alpha=0.05, least=1_440)


@pytest.mark.parametrize(
    ("bars", "outcome", "said"),
    [
        (0.0, None, "no forecast yet"),
        (900.0, None, "from 1,440 bars on"),
        (2_000.0, None, "it is not decided"),
        (2_000.0, "won", "it has won its test"),
        (2_000.0, "lost", "it has lost its test"),
    ],
)
def test_the_evidence_is_said_in_words(bars: float, outcome: str | None, said: str) -> None:
    words = decision_text.verdict(challenge(bars, outcome))
    assert said in words
    if bars:
        for text in ("3.21 for it", "0.50 against it", "20 decides", "5 % of the tests", "+1.23 % 1 ahead"):
            assert text in words
        for text in ("better by more than 0.20 %", "weighted mean, +1.01 %"):
            assert text in words


def test_a_button_shows_the_evidence_and_sends_the_decision_that_was_seen() -> None:
    log = (deployment(1, "serve", "v0"), deployment(2, "promote", "v1", why="it won", challengers=["v2"]))
    decisions = Decisions(model="gbm", log=log, challenges=(challenge(2_000.0, "won"),), promotes=False)
    html = decision_text.buttons(decisions)
    assert 'data-action="promote"' in html
    assert "&quot;number&quot;:2" in html
    assert "it has won its test" in html
    assert "Roll back to v0" in html
    assert "it won" in html
    assert "promoted by a person only" in decision_text.challenges(decisions)


def test_there_is_no_button_where_there_is_nothing_to_decide() -> None:
    assert decision_text.buttons(Decisions(model="gbm", log=(), challenges=(), promotes=True)) == ""
    first = Decisions(model="gbm", log=(deployment(1, "serve", "v0"),), challenges=(), promotes=True)
    assert decision_text.buttons(first) == ""
    assert "no version challenges it" in decision_text.challenges(first)


def test_the_log_is_escaped_and_newest_first() -> None:
    log = (deployment(1, "serve", "v0"), deployment(2, "promote", "v1", why="<script>"))
    html = decision_text.log(Decisions(model="gbm", log=log, challenges=(), promotes=True))
    assert "<script>" not in html
    assert html.index("promote") < html.index("serve")


def results(p: float) -> Results:
    compared = Comparison("squared", 15, "gbm", "naive", -1.0, -3.0, p, p, 30)
    cell = Cell("gbm", 15, "r2", "", "", "", 0.0112, 0.0087, 0.0134, 0.0034)
    one = np.ones((1, 30))
    return Results(
        models=("naive", "gbm"),
        horizons=(15,),
        symbols=("BTC<USDT",),
        seed=1,
        rows=10,
        start=0,
        end=86_400_000,
        cells=[cell],
        comparisons=[compared],
        memberships=[],
        superiority=[],
        reliability=[],
        days=np.arange(30),
        differences={"pinball": np.zeros((2, 1, 30)), "winkler": np.zeros((2, 1, 30)), "qlike": np.zeros((2, 1, 30))},
        baseline={"pinball": one, "winkler": one, "qlike": one},
    )


def test_the_walk_forward_has_its_marks_and_intervals_and_says_where_it_is_from() -> None:
    html = walk_forward_table.table(WalkForward("run-1", NEWEST, results(0.004)), 15)
    for text in ("1.12", "0.87 to 1.34", '<td class="better">better **</td>', "run-1", "BTC&lt;USDT", "Holm"):
        assert text in html
    assert '">better' not in walk_forward_table.table(WalkForward("run-1", NEWEST, results(0.4)), 15)
    assert "did not evaluate" in walk_forward_table.table(WalkForward("run-1", NEWEST, results(0.4)), 60)
    assert "not evaluated the models yet" in walk_forward_table.table(None, 15)
    assert "cannot be read: broken" in walk_forward_table.table(WalkForward("run-1", NEWEST, None, "broken"), 15)


def test_unknown_scores_are_dashes_and_a_wrong_coverage_is_marked_with_a_sign() -> None:
    unknown = GroupScore(name="calm", forecasts=3, pinball_skill=None, mae_skill=None, coverage=None, error=None)
    html = tables.groups("By <regime>", [unknown])
    assert html.count("\u2013") == 3
    assert "&lt;regime&gt;" in html
    assert "▼ 74.6 %" in tables.coverage(0.746)
    assert "▲ 97.0 %" in tables.coverage(0.97)
    assert tables.coverage(0.891) == "89.1 %"
    row = BoardRow(model="gbm", horizon=15, scored=100, pinball_skill=None, mae_skill=None, coverage=0.9)
    assert tables.board([row], "gbm", 15, {}).count("\u2013") == 7


def test_a_policy_says_what_is_left_after_costs_and_that_it_is_no_advice() -> None:
    time = 60_000 * np.arange(5_000)
    gross, traded = np.linspace(0, 0.05, 5_000), np.linspace(0, 100, 5_000)
    made = policy(PaperEquity(time=time, gross=gross, cost=2e-4 * traded, traded=traded))
    assert len(made.curve["time"]) <= MOST_POINTS
    assert made.curve["net"][-1] == pytest.approx(0.03)
    html = tables.policy(made, 2)
    for text in ("+3.00 %", "+5.00 %", "2.00 %", "5.00 bp", "no advice"):
        assert text in html
    nothing = policy(PaperEquity(time=time[:0], gross=gross[:0], cost=gross[:0], traded=gross[:0]))
    assert "\u2013" in tables.policy(nothing, 2)


def test_what_was_computed_is_kept_until_there_is_something_new_and_it_is_due() -> None:
    now, made = [0.0], []
    kept: Kept[str, int] = Kept(60.0, lambda: now[0])

    def ask(stamp: int) -> int:
        return kept.get("key", stamp, lambda: made.append(stamp) or stamp)

    assert [ask(1), ask(2)] == [1, 1]
    now[0] = 61.0
    assert [ask(1), ask(2), ask(3)] == [1, 2, 2]
    assert made == [1, 2]
    for number in range(MOST_KEPT):
        kept.get(str(number), 0, lambda: 0)
    assert ask(2) == 2
    assert made == [1, 2, 2]


def test_a_range_holds_what_is_known_and_never_less_than_its_least() -> None:
    axis = Axis(format="percent", tip="0", reference=0.0, least=(-0.02, 0.02))
    low, high = reach(axis, [np.array([np.nan, 0.1])], [0.0])
    assert low < -0.02
    assert high > 0.1
    assert reach(axis, [], []) == pytest.approx((-0.0232, 0.0232))
    low, high = reach(Axis(format="power", tip="0", log=True), [np.array([0.0, 1e-3, 1e6])], [20.0])
    assert 0 < low < 1e-3
    assert high > 1e6
