"""What Analytics reads, on a real TimescaleDB, against the stored outcomes counted another way."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from dashboard_market import Market as Written
from judged_market import CHALLENGER, CHAMPION, FIRST, MINUTE, STATES, SYMBOLS, JudgedMarket
from pydantic import SecretStr

from dashboard.analytics.challenge_reader import DecisionsSource
from dashboard.analytics.evaluation_reader import EvaluationSource
from dashboard.analytics.forecasts_reader import ForecastsKey, ForecastsSource
from dashboard.analytics.scores_reader import ScoresSource
from dashboard.analytics.source import STATEMENT_S
from dashboard.analytics.view_state import WINDOWS, Market
from dashboard.database import connected
from evaluation import result_tables
from evaluation.calibration import pit_histogram, reliability
from evaluation.results import Results
from learning.monitoring.e_test import ChampionChallengerTest
from settings import Settings
from topics.records import HORIZONS

pytestmark = pytest.mark.services

MINUTES = 500
ALL = Market(symbol=None, horizon=15, window=WINDOWS[0])
ETH = Market(symbol="ETHUSDT", horizon=15, window=WINDOWS[0])


@pytest.fixture(scope="module")
def judged() -> JudgedMarket:
    return JudgedMarket(MINUTES)


@pytest.fixture(scope="module")
def url(judged: JudgedMarket, new_market: Callable[[], Written]) -> str:
    """The address of a database with the judged market."""
    url = new_market().url
    judged.store(url)
    judged.decide(url)
    return url


@pytest.fixture(scope="module")
def connection(url: str) -> Iterator[Any]:
    with connected(url, STATEMENT_S) as connection:
        yield connection


@pytest.mark.parametrize("market", [ALL, ETH])
def test_skill_and_coverage_are_those_of_the_outcomes_counted_one_by_one(
    connection: psycopg.Connection, judged: JudgedMarket, market: Market
) -> None:
    scores = ScoresSource(connection, "1m").read(market)
    assert scores.catalog.symbols == SYMBOLS
    assert scores.catalog.models == ("gbm", "har", "naive")
    assert scores.newest == datetime.fromtimestamp((FIRST + (MINUTES - 16) * MINUTE) / 1000, UTC)
    ours, naive = (judged.of(model, 15, market.symbol) for model in ("gbm", "naive"))
    pinball = 1 - sum(one.pinball or 0 for one in ours) / sum(one.pinball or 0 for one in naive)
    (row,) = [one for one in scores.board if (one.model, one.horizon) == ("gbm", 15)]
    assert row.scored == len(ours)
    assert row.pinball_skill == pytest.approx(pinball)
    assert row.coverage == pytest.approx(np.mean([bool(one.interval_hit) for one in ours]))
    curve = scores.curves["gbm"]
    end = curve["time"][3]
    begin = end - WINDOWS[0].rolling / timedelta(milliseconds=1)
    within = [place for place, one in enumerate(ours) if begin <= one.time < end]
    assert curve["scored"][3] == len(within)
    assert curve["coverage"][3] == pytest.approx(np.mean([bool(ours[place].interval_hit) for place in within]))
    losses = [sum(of[place].pinball or 0 for place in within) for of in (ours, naive)]
    assert curve["skill"][3] == pytest.approx(1 - losses[0] / losses[1])


def test_the_forecasts_are_judged_as_the_records_themselves(
    connection: psycopg.Connection, judged: JudgedMarket
) -> None:
    figures = ForecastsSource(connection, "1m").read(ForecastsKey(ETH, "gbm"))
    assert figures is not None
    ours = judged.of("gbm", 15, "ETHUSDT")
    said = {
        one.time: one.forecasts[HORIZONS.index(15)]
        for one in judged.predictions
        if (one.symbol, one.model, one.version) == ("ETHUSDT", "gbm", CHAMPION)
    }
    quantiles = np.array([said[one.time].quantiles for one in ours])
    realised = np.array([one.realised for one in ours])
    p_up = np.array([said[one.time].p_up for one in ours])
    assert figures.forecasts == len(ours)
    assert not figures.truncated
    assert figures.pit == pit_histogram(quantiles, realised, 15)
    assert figures.reliability == reliability(p_up, realised, 15)
    widths = np.quantile(quantiles_of(judged), [0.05, 0.25, 0.5, 0.75, 0.95])
    (sharp,) = [one for one in figures.sharpness if one.model == "gbm"]
    assert sharp.widths == pytest.approx(widths)
    assert sum(score.forecasts for score in figures.groups["hour"]) == len(ours)
    assert [score.name for score in figures.groups["regime"]] == list(STATES)
    calm = [one for one in ours if (one.time - FIRST) // MINUTE // 60 % 2 == 0]
    assert figures.groups["regime"][0].forecasts == len(calm)
    assert figures.groups["regime"][0].error == pytest.approx(np.mean([one.absolute_error for one in calm]))
    assert sum(score.forecasts for score in figures.groups["volatility"]) == len(ours)
    assert figures.ic.ic[-1] > figures.ic.noise[-1]
    free, dear = (figures.policies[cost] for cost in (0, 10))
    assert free.net == free.gross > 0
    assert dear.cost == pytest.approx(dear.gross - dear.net)


def quantiles_of(judged: JudgedMarket) -> np.ndarray:
    """Return the widths of the 90 % interval that gbm's champion said about ETHUSDT, in the window."""
    said = [
        one.forecasts[HORIZONS.index(15)].quantiles or []
        for one in judged.predictions
        if (one.symbol, one.model, one.version) == ("ETHUSDT", "gbm", CHAMPION)
        and one.time <= FIRST + (MINUTES - 16) * MINUTE
    ]
    return np.array([levels[-1] - levels[0] for levels in said])


def test_the_naive_model_is_judged_and_one_that_is_not_there_is_nothing(connection: psycopg.Connection) -> None:
    source = ForecastsSource(connection, "1m")
    naive = source.read(ForecastsKey(ALL, "naive"))
    assert naive is not None
    assert naive.groups["symbol"][0].pinball_skill == 0
    assert source.read(ForecastsKey(ALL, "nobody")) is None
    assert source.read(ForecastsKey(Market(symbol="NONE", horizon=15, window=WINDOWS[0]), "gbm")) is None


def test_a_challengers_test_is_that_of_its_gains_counted_by_hand(
    connection: psycopg.Connection, url: str, judged: JudgedMarket, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path, database_url=SecretStr(url))
    decisions = DecisionsSource(connection, settings).read("gbm")
    assert [one.action for one in decisions.log] == ["serve", "challenge"]
    (challenge,) = decisions.challenges
    assert challenge.pair == ("gbm", CHAMPION, CHALLENGER)
    # The newest bar may be incomplete, and the regimes end with the bars: the one before is the last that counts.
    bars = np.arange(1, MINUTES - 1)
    gain = np.full((len(bars), len(HORIZONS)), np.nan)
    for column, horizon in enumerate(HORIZONS):
        losses = {
            version: {(one.symbol, one.target_time): one.pinball for one in judged.of("gbm", horizon, None, version)}
            for version in (CHAMPION, CHALLENGER)
        }
        for row, bar in enumerate(bars.tolist()):
            keys = [(symbol, FIRST + bar * MINUTE) for symbol in SYMBOLS]
            values = [
                ((a := losses[CHAMPION][key] or 0) - (b := losses[CHALLENGER][key] or 0)) / (a + b)
                for key in keys
                if key in losses[CHAMPION]
            ]
            gain[row, column] = np.mean(values) if values else np.nan
    test = ChampionChallengerTest(horizons=HORIZONS, span=MINUTE, alpha=0.05, margin=0.002, least=1_440)
    test.update(FIRST + bars * MINUTE, gain)
    assert challenge.evidence == pytest.approx(test.summary())
    last = challenge.points[-1]
    assert last.time == FIRST + bars[-1] * MINUTE
    assert last.gain == pytest.approx(np.nansum(gain, axis=0).tolist())
    assert all(low < total < high for low, total, high in zip(last.low, last.gain, last.high, strict=True))


def test_a_model_without_a_decision_and_an_empty_database_have_nothing(
    url: str, connection: psycopg.Connection, servers: Any, tmp_path: Path, new_market: Callable[[], Written]
) -> None:
    settings = Settings(home=tmp_path, database_url=SecretStr(url))
    assert DecisionsSource(connection, settings).read("nobody").log == ()
    empty = new_market().url
    with psycopg.connect(empty, autocommit=True) as other:
        assert ScoresSource(other, "1m").read(ALL).newest is None
        assert ForecastsSource(other, "1m").read(ForecastsKey(ALL, "gbm")) is None
    with psycopg.connect(servers.database_url.rsplit("/", 1)[0] + "/postgres", autocommit=True) as without_schema:
        assert ScoresSource(without_schema, "1m").read(ALL).newest is None
        assert ForecastsSource(without_schema, "1m").read(ForecastsKey(ALL, "gbm")) is None


def test_the_newest_evaluation_is_read_and_a_broken_one_is_said(tmp_path: Path) -> None:
    source = EvaluationSource(tmp_path)
    assert source.read("newest") is None
    for place, run_id in enumerate(("run-b", "run-a")):
        folder = tmp_path / run_id / "evaluate"
        result_tables.save(results(), folder)
        os.utime(folder / "about.json", (1_000 + place, 1_000 + place))
    found = source.read("newest")
    assert found is not None
    assert (found.run_id, found.results is not None) == ("run-a", True)
    (tmp_path / "run-a" / "evaluate" / "about.json").write_text("{")
    broken = source.read("newest")
    assert broken is not None
    assert broken.results is None
    assert broken.problem


def results() -> Results:
    one = np.ones((1, 3))
    return Results(
        models=("naive",),
        horizons=(15,),
        symbols=("BTCUSDT",),
        seed=1,
        rows=10,
        start=0,
        end=1,
        cells=[],
        comparisons=[],
        memberships=[],
        superiority=[],
        reliability=[],
        days=np.arange(3),
        differences={"squared": np.zeros((1, 1, 3))},
        baseline={"squared": one},
    )
