"""What is said where there is no alert: whether any rule is there, and since when nothing has matched."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from alerts.store.overview import RuleShown
from cli.alerts_tables import silence

RULE = RuleShown(
    name="big-move",
    version=1,
    rule=None,
    problem=None,
    added_at=datetime(2026, 11, 29, 16, 5, tzinfo=UTC),
    alerts=0,
    last=None,
)
LATER = replace(RULE, name="drift", added_at=datetime(2026, 11, 29, 17, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("rules", "symbol", "text"),
    [
        ([], None, "no alert: there is no rule; foretick alerts add NAME --on drift --when any"),
        ([LATER, RULE], None, "no alert: nothing has matched drift, big-move since 2026-11-29 16:05; "
            "foretick alerts test NAME backtests a rule"),
        ([replace(RULE, alerts=3)], None, "no alert on the topic any more: foretick alerts list"),
        ([RULE], "BTCUSDT", "no alert about BTCUSDT: nothing has matched big-move since 2026-11-29 16:05; "
            "foretick alerts test NAME backtests a rule"),
        ([replace(RULE, alerts=3)], "BTCUSDT", "no alert about BTCUSDT on the topic any more: foretick alerts list"),
    ],
)  # fmt: skip
def test_the_reason_for_no_alert_is_told(rules: list[RuleShown], symbol: str | None, text: str) -> None:
    assert silence(rules, symbol) == text
