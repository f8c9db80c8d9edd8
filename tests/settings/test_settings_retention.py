"""How long topics and tables are kept is set by name and in days; what is wrong with it is one line of answer."""

import pytest
from pydantic import ValidationError

from settings import Settings
from stack.settings_check import check
from topics.catalog import MODELS
from topics.retention import TABLE_DAYS, TOPIC_DAYS


def test_what_is_set_changes_the_defaults_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETICK_TOPIC_DAYS", "ticks:14, gaps:none")
    monkeypatch.setenv("FORETICK_TABLE_DAYS", "features:none,bars:400")
    settings = Settings()
    assert settings.topic_days == {**TOPIC_DAYS, "ticks": 14.0, "gaps": None}
    assert settings.table_days == {**TABLE_DAYS, "features": None, "bars": 400.0}
    check(settings)


def test_a_mapping_is_taken_as_a_text_is() -> None:
    assert Settings(table_days={"ticks": 7, "alerts": "none"}).table_days == {
        **TABLE_DAYS,
        "ticks": 7.0,
        "alerts": None,
    }


def test_what_must_not_expire_cannot_be_set() -> None:
    assert MODELS.name not in TOPIC_DAYS
    audit = {"model_deployments", "dashboard_actions", "dead_letter_resends", "pipeline_runs", "model_events", "gaps"}
    assert not audit & TABLE_DAYS.keys()
    assert all(TABLE_DAYS[name] is None for name in ("bars", "score_hours", "model_skill"))


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("topic_days", "tick:14", "there is no topic 'tick': the nearest is 'ticks'"),
        ("topic_days", "models:14", "there is no topic 'models'"),
        ("table_days", "ticks", "ticks:: not a number of days above 0, such as ticks:14; none keeps all"),
        ("table_days", "ticks:0", "ticks:0: not a number of days above 0"),
        ("table_days", "ticks:nan", "ticks:nan: not a number of days above 0"),
        ("table_days", "ticks:month", "ticks:month: not a number of days above 0"),
        ("table_days", ["ticks"], "['ticks'] says no days: write ticks:14"),
        ("table_days", "score_hours:30", "score_hours would be kept for 30 days and outcomes, which it sums up"),
    ],
)
def test_a_wrong_value_is_answered_in_one_line(name: str, text: object, reason: str) -> None:
    with pytest.raises(ValidationError) as error:
        Settings(**{name: text})
    (problem,) = error.value.errors()
    assert problem["msg"].startswith(reason)


@pytest.mark.parametrize(("table", "reader"), [("bars", "RETRAIN_DAYS"), ("outcomes", "CHALLENGER_DAYS")])
def test_a_table_that_is_read_further_back_than_it_is_kept_is_refused(table: str, reader: str) -> None:
    with pytest.raises(ValueError, match=rf"keeps {table} for 13 days, and FORETICK_{reader} reads 1.* days of it"):
        check(Settings(table_days={table: 13}))
