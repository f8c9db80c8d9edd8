"""A figure that is shown in several places is one number, whoever says it: of the same outcomes, in one database."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import psycopg
import pytest
from api_market import FIRST, MINUTE, Market, serving

from alerts.rules.fold import State, step
from alerts.rules.observation import observations
from alerts.rules.rule import Rule, When
from alerts.store import history
from api.database import Database
from api.metrics import ChampionCollector
from dashboard.live.series_reader import Key, read_newest, read_scores
from dashboard.live.timeframes import Window
from dashboard.live.view_state import BarSeries
from learning.monitoring import listing
from learning.monitoring.reader import Stored, moment
from learning.monitoring.skill import RollingSkill
from learning.tracking.log_stream import SCORED
from learning.watch import SKILL
from topics.catalog import BARS, OUTCOMES, PREDICTIONS
from topics.records import HORIZONS, Bar, Forecast, Outcome, Prediction

pytestmark = pytest.mark.services

HOUR, HOURS, HORIZON = 60 * MINUTE, 8, 5
END = FIRST + HOURS * HOUR
HOURS_OF = """
SELECT skill_of(sum(pinball), sum(naive_pinball)), skill_of(sum(absolute_error), sum(naive_absolute_error)),
    sum(interval_hits)::float8 / sum(intervals), sum(direction_hits)::float8 / sum(directions)
FROM score_hours WHERE model = 'gbm' AND horizon = %s
"""
NAIVE_LOSSES = """
SELECT (extract(epoch FROM time) * 1000)::int8, naive_pinball FROM scores WHERE model = 'gbm' AND horizon = %s
"""


def outcome(rng: np.random.Generator, target: int, model: str, version: str = "v1") -> Outcome:
    """Return an outcome of random scores; one in five has no mean, and one in five said nothing."""
    head = ("BTCUSDT", "1m", target - HORIZON * MINUTE, model, version, HORIZON, target)
    kind, (realised, error, loss) = rng.integers(5), rng.normal(0, 1e-3, 3)
    if kind == 0:
        return Outcome(*head, "unscored", realised)
    hit, right = bool(rng.random() < 0.85), bool(rng.random() < 0.55)
    scores = (None, abs(realised), abs(loss)) if kind == 1 else (abs(error), abs(realised), abs(loss))
    return Outcome(*head, "scored", realised, *scores, hit, None if kind == 1 else right)


@pytest.fixture(scope="module")
def stored(new_market: Callable[[], Market]) -> Market:
    """A database with eight hours of outcomes of gbm and naive, and what the watch makes of them.

    No label comes with an hour's first moment: it is the last of the hour before for the watch, the next one's for the
    API. One of another horizon comes later, so that the watch sees the last hour end. Half of the hours were replayed
    after a training: there a second version of the naive model was its champion too, and the newest counts.
    """
    market, rng = new_market(), np.random.default_rng(5)
    targets = [time for time in range(FIRST, END, MINUTE) if time % HOUR]
    outcomes = [outcome(rng, target, model) for target in targets for model in ("gbm", "naive")]
    again = [outcome(rng, target, "naive", "v2") for target in targets if target // HOUR % 2]
    after = Outcome("BTCUSDT", "1m", END, "gbm", "v1", 1, END + MINUTE, "scored", 0.1, 0.1, 0.1, 0.1, True, True)
    bars = [Bar("BTCUSDT", "1m", time, 1.0, 1.0, 1.0, 1.0, 1.0) for time in range(FIRST, END, MINUTE)]
    forecast = Forecast(
        horizon=HORIZON, mean=0.0, scale=0.001, quantiles=[-0.003, -0.002, -0.001, 0.0, 0.001, 0.002, 0.003], p_up=0.5
    )
    made = [
        Prediction(
            symbol="BTCUSDT",
            interval="1m",
            time=one.time,
            model=one.model,
            version=one.version,
            fingerprint="print",
            price=1.0,
            forecasts=[forecast],
        )
        for one in outcomes
    ]
    market.store({BARS: bars, PREDICTIONS: made, OUTCOMES: [*outcomes, after]})
    market.store({OUTCOMES: again})
    with psycopg.connect(market.url) as connection:
        rows = Stored(connection, "1m", HORIZONS)
        rows.newest()
        skills = RollingSkill(MINUTE).update(rows.scored(FIRST - HOUR, END + MINUTE))
        with connection.cursor() as cursor:
            cursor.executemany(SKILL, [(moment(one.time), "1m", *one[1:]) for one in skills])
    return market


@pytest.fixture(scope="module")
def connection(stored: Market) -> Iterator[psycopg.Connection]:
    with psycopg.connect(stored.url) as result:
        yield result


def by_alerts(connection: psycopg.Connection, field: str) -> float:
    """Return the last value of a rule whose window holds all of gbm's outcomes that have such a number, and no more."""
    last = None
    records = [one for one in history.read(connection, "outcome", moment(FIRST - HOUR)) if isinstance(one, Outcome)]
    rule = Rule(name="r", on="outcome", when=When("above", field, -1e9), model="gbm", horizon=HORIZON)
    seen = [observation for record in records for observation in observations(rule, record)]
    count = sum(observation.value(field) is not None for observation in seen)
    rule, state = Rule(name="r", on="outcome", when=rule.when, model="gbm", horizon=HORIZON, window=count), State()
    for observation in seen:
        state, alert = step(rule, state, observation)
        last = alert or last
    assert last is not None
    assert last.value is not None
    return last.value


def plainly(connection: psycopg.Connection) -> dict[str, float]:
    """Return the figures as their definitions have them, from the rows alone."""
    rows = connection.execute(
        "SELECT time, model, pinball, absolute_error, naive_absolute_error, interval_hit, direction_hit FROM outcomes "
        "WHERE horizon = %s AND status = 'scored' ORDER BY version",
        (HORIZON,),
    ).fetchall()
    naive = {row[0]: row[2] for row in rows if row[1] == "naive"}  # of the newest version
    ours = [row for row in rows if row[1] == "gbm"]
    pairs = [(row[2], naive[row[0]]) for row in ours if row[0] in naive]
    errors = [row[3:5] for row in ours if row[3] is not None]
    sides = [row[6] for row in ours if row[6] is not None]
    assert 0 < len(pairs) < len(ours) > len(errors) > 0
    return {
        "pinball_skill": 1 - sum(one for one, _ in pairs) / sum(other for _, other in pairs),
        "mae_skill": 1 - sum(one for one, _ in errors) / sum(other for _, other in errors),
        "coverage": sum(row[5] for row in ours) / len(ours),
        "direction": sum(sides) / len(sides),
        "absolute_error": sum(one for one, _ in errors) / len(errors),
        "scored": len(ours),
    }


def test_every_place_says_the_same_figures(stored: Market, connection: psycopg.Connection, kafka: str, tmp_path: Path):
    asked = {"symbol": "BTCUSDT", "model": "gbm", "horizon": str(HORIZON), "bucket": "60", "window": str(HOURS)}
    with serving(stored.url, kafka, tmp_path) as api, api.client() as client:
        (row,) = [one for one in client.get("/v1/skill", params=asked).json()["rows"] if one["time"] == END]
        whole = {"symbol": "BTCUSDT", "model": "gbm", "horizon": str(HORIZON), "limit": "1000"}
        rows = client.get("/v1/outcomes", params=whole).json()["rows"]
    losses = dict(connection.execute(NAIVE_LOSSES, (HORIZON,)).fetchall())
    assert {one["time"]: one["naive_pinball"] for one in rows if one["status"] == "scored"} == losses
    records = [one for one in history.read(connection, "outcome", moment(FIRST - HOUR)) if isinstance(one, Outcome)]
    ours = [one for one in records if (one.model, one.horizon, one.status) == ("gbm", HORIZON, "scored")]
    assert {one.time: one.naive_pinball for one in ours} == losses
    with closing(Database(stored.url)) as database:
        database.open()
        gauge = {
            family.name.removeprefix("foretick_"): sample.value
            for family in ChampionCollector(database).collect()
            for sample in family.samples
            if (sample.labels["model"], sample.labels.get("horizon")) == ("gbm", str(HORIZON))
        }
    series = BarSeries("BTCUSDT", "1m")
    key = Key(series=series, model="gbm", horizon=HORIZON, span=60, window=Window(60, None, "1m"))
    scores = read_scores(connection, key, read_newest(connection, series))["gbm"]
    page = {name: column[-1] for name, column in scores.items()}
    stored_skill = next(
        one
        for one in listing.skills(stored.url, "gbm")
        if (one.horizon, one.days, one.regime) == (HORIZON, 1.0, "all") and one.time == END
    )
    whose, span = ("1m", "gbm", "v1"), (moment(FIRST - HOUR), moment(END))
    mlflow = next(result for result in connection.execute(SCORED, (*whose, *span, *span)) if result[0] == HORIZON)
    sums = connection.execute(HOURS_OF, (HORIZON,)).fetchone()
    assert sums is not None
    wanted = plainly(connection)
    figures = {
        "pinball_skill": [
            *(row["pinball_skill"], page["skill"], gauge["pinball_skill"], stored_skill.pinball_skill, sums[0]),
            by_alerts(connection, "pinball_skill"),
        ],
        "mae_skill": [stored_skill.mae_skill, sums[1], by_alerts(connection, "mae_skill")],
        "coverage": [
            *(row["coverage"], page["coverage"], gauge["coverage"], stored_skill.coverage, sums[2], mlflow[2]),
            by_alerts(connection, "coverage"),
        ],
        "direction": [row["direction"], page["direction"], sums[3], mlflow[3], by_alerts(connection, "hit_rate")],
        "absolute_error": [row["absolute_error"], page["error"]],
        "scored": [row["scored"], page["scored"], gauge["scored_outcomes"], stored_skill.forecasts, mlflow[1]],
    }
    for name, result in figures.items():
        assert result == pytest.approx([wanted[name]] * len(result), rel=1e-9), name
    assert wanted["pinball_skill"] != pytest.approx(wanted["mae_skill"], abs=0.01)
