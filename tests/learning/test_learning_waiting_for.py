"""What the commands say before there is anything to show: what is waited for and until when, as the database has it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import psycopg
import pytest
import storing
from msgspec import Struct
from msgspec.structs import replace
from pydantic import SecretStr
from stacks import Servers, databases, kafka_environment
from typer.testing import CliRunner

from cli.main import app
from learning.deployment.ledger import Ledger
from learning.monitoring import waiting_for
from learning.monitoring.waiting_for import Progress
from models.registry import model_registry
from settings import Settings
from stack.prepare import prepare
from topics.catalog import BARS, OUTCOMES, Topic
from topics.records import Bar, Outcome, Role

HOUR, DAY = 3_600_000, 86_400_000
T0 = 1_748_044_800_000  # 2025-05-24 00:00
NONE = Progress(interval="1m", first=None, newest=None, looked=None, compared=0, scored=False, last_run=None)
BARS_ONLY = Progress(interval="1m", first=T0, newest=T0 + DAY, looked=None, compared=0, scored=False, last_run=None)
JUDGED = Progress(
    interval="1m", first=T0, newest=T0 + DAY, looked=T0 + 20 * HOUR, compared=2_400, scored=True, last_run=None
)
BRING = "no 1m bars are stored yet: run foretick replay FILE or foretick live VENUE SYMBOL"


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (NONE, f"no skill yet: {BRING}"),
        (
            replace(BARS_ONLY, newest=T0 + HOUR // 2),
            "no skill yet: the first rows come with the bars after 2025-05-24 01:00; "
            "the newest is that of 2025-05-24 00:30",
        ),
        (BARS_ONLY, "no skill yet: no forecast has matured; the newest is that of 2025-05-25 00:00 "
            "(foretick status shows the lags)"),
        (replace(BARS_ONLY, scored=True), "no skill yet: the watch has not read that far; the newest is that of "
            "2025-05-25 00:00 (foretick logs watch)"),
    ],
)  # fmt: skip
def test_what_the_first_skill_waits_for(progress: Progress, text: str) -> None:
    assert waiting_for.of_skill(progress) == text


@pytest.mark.parametrize(
    ("progress", "model", "text"),
    [
        (NONE, None, f"no alarm: {BRING}"),
        (JUDGED, "naive", "no alarm of naive: it is the baseline of the other models, and is not monitored"),
        (replace(BARS_ONLY, scored=True), None, "no alarm: nothing is compared yet; the watch has not read that far; "
            "the newest is that of 2025-05-25 00:00 (foretick logs watch)"),
        (JUDGED, "gbm", "no alarm of gbm: 2,400 1m bars from 2025-05-24 00:00 to 2025-05-24 20:00 UTC compared, "
            "without a lasting change; a model's errors count from 2025-05-25 00:00 on"),
        (replace(JUDGED, looked=T0 + DAY, compared=2_880), None, "no alarm: 2,880 1m bars from 2025-05-24 00:00 to "
            "2025-05-25 00:00 UTC compared, without a lasting change"),
    ],
)  # fmt: skip
def test_what_was_compared_without_an_alarm(progress: Progress, model: str | None, text: str) -> None:
    assert waiting_for.of_drift(progress, model) == text


@pytest.mark.parametrize(
    ("progress", "cron", "text"),
    [
        (NONE, "0 3 * * 0", BRING),
        (BARS_ONLY, "0 3 * * 0", "6.0 more days of bars"),
        (replace(BARS_ONLY, newest=T0 + 9 * DAY), "0 3 * * 0", "due at 2025-06-08 03:00 in event time"),
        (replace(BARS_ONLY, newest=T0 + 9 * DAY), "", "when a drift is found"),
        (replace(BARS_ONLY, newest=T0 + 9 * DAY, last_run=T0 + 9 * DAY - HOUR), "0 * * * *", "due at 2025-06-02 23:00"),
    ],
)
def test_when_the_next_training_is_due(progress: Progress, cron: str, text: str) -> None:
    assert text in waiting_for.of_training(progress, Settings(retrain_cron=cron))


@pytest.fixture
def settings(servers: Servers, tmp_path: Path) -> Iterator[Settings]:
    with databases(servers, "awaited") as database:
        result = Settings(home=tmp_path, **servers.as_stack(), database_url=SecretStr(database()))
        prepare(result)
        yield result


@pytest.fixture
def said(settings: Settings) -> Callable[..., str]:
    """Return what runs a command on a terminal of 80 columns, and returns what it prints in one line."""
    environment = {
        "FORETICK_HOME": str(settings.home),
        **kafka_environment(settings),
        "FORETICK_DATABASE_URL": settings.database_url.get_secret_value(),
        "COLUMNS": "80",
    }

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, words, env=environment, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        assert max(map(len, done.stdout.splitlines())) <= 80
        return " ".join(done.stdout.split())

    return run


def store(settings: Settings, records: Mapping[Topic, Sequence[Struct]]) -> None:
    storing.store(settings.database_url.get_secret_value(), records)


def outcome(time: int, version: str, role: Role) -> Outcome:
    loss = (0.1, 0.1, 0.1, 1e-4)
    return Outcome("BTCUSDT", "1m", time, "gbm", version, 1, time + 60_000, "scored", *loss, True, True, role)


@pytest.mark.services
def test_each_command_says_what_it_waits_for_from_the_first_moment_on(
    settings: Settings, said: Callable[..., str]
) -> None:
    undecided = "no decision yet: foretick up trains the first models, and puts them into service"
    assert said("models", "history") == said("models", "list") == undecided
    assert said("skill") == f"no skill yet: {BRING}"
    assert said("drift") == f"no alarm: {BRING}"
    assert said("pipeline", "list") == f"no run yet; the next training: {BRING}"
    no_rule = "no alert: there is no rule; foretick alerts add NAME --on drift --when any"
    assert no_rule in said("alerts", "list")

    rows = [Bar("BTCUSDT", "1m", T0 + minute * 60_000, 1.0, 1.0, 1.0, 1.0, 1.0) for minute in range(180)]
    store(settings, {BARS: rows})
    assert "no forecast has matured" in said("skill")
    store(settings, {OUTCOMES: [outcome(row.time, "v1", "champion") for row in rows]})
    assert "the watch has not read that far" in said("skill")
    assert "6.9 more days of bars" in said("pipeline", "list")

    with psycopg.connect(settings.database_url.get_secret_value(), autocommit=True) as connection:
        connection.execute(
            "INSERT INTO model_skill (time, interval, model, version, role, horizon, regime, days, forecasts, "
            "pinball_skill) "
            "SELECT to_timestamp(%s / 1000.0), '1m', 'gbm', '0123456789ab', 'challenger', h, r, d, 10, -0.1234 "
            "FROM unnest('{1,5,15,60}'::int[]) AS h, unnest('{all,trending_down}'::text[]) AS r, "
            "unnest('{1,7}'::float8[]) AS d",
            (T0 + 2 * HOUR,),
        )
    assert "120 1m bars from 2025-05-24 00:00 to 2025-05-24 02:00 UTC compared" in said("drift")
    assert said("skill").count("gbm 0123456789ab challenger") == 2
    assert said("skill", "--regimes").count("trending_down -12.34") == 2
    assert said("skill", "--model", "naive") == "no skill of naive"


@pytest.mark.services
def test_the_log_of_decisions_says_how_far_a_challenger_is(settings: Settings, said: Callable[..., str]) -> None:
    first, second = "0123456789ab", "ba9876543210"
    for version in (first, second):
        artifact = settings.home / "models" / "gbm" / version / "model.json"
        artifact.parent.mkdir(parents=True)
        artifact.write_text("{}")
    model_registry.serve(settings.home / "models", {"gbm": first})
    ledger = Ledger(settings)
    ledger.decide("gbm", "serve", first, decided_by="foretick train", why="trained and put into service")
    store(settings, {BARS: [Bar("BTCUSDT", "1m", T0 + 9 * day * DAY, 1.0, 1.0, 1.0, 1.0, 1.0) for day in range(2)]})
    assert said("models", "history").endswith(
        f"gbm 1 serve {first} - by foretick train: trained and put into service no challenger; the next may come from "
        "the next training: due at 2025-06-08 03:00 in event time (now 2025-06-02 00:00) or when a drift is found"
    )
    ledger.decide("gbm", "challenge", second, decided_by="pipeline", why="as good in the walk")
    store(settings, {OUTCOMES: [outcome(T0 + minute * 60_000, second, "challenger") for minute in range(70)]})
    assert said("models", "history").endswith(
        f"gbm 2 challenge {first} {second} - by pipeline: as good in the walk "
        f"gbm: challenger {second} was tested on 70 bars so far; the test decides from 1,440 on"
    )
    assert f"gbm challenger {second} - - 2 pipeline" in said("models", "list")
