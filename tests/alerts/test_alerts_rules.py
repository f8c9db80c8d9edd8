"""A mistake in a rule gets one line when the rule is added."""

from typing import Any

import msgspec
import pytest
from alert_records import prediction

from alerts.consumer import KIND_OF
from alerts.rules import kinds, message
from alerts.rules.check import check, decode
from alerts.rules.condition_text import parse_when, show_when
from alerts.rules.kinds import KINDS
from alerts.rules.observation import observations
from alerts.rules.quantities import parse, show
from alerts.rules.quiet_hours import parse as parse_quiet
from alerts.rules.rule import Quiet, Rule, When
from alerts.store.history import STORED
from features.regimes import STATES
from topics.catalog import READ_FOR_ALERTS

MEAN = When("above", "mean", 0.001)


def rule(**changes: Any) -> Rule:
    return msgspec.structs.replace(Rule(name="big-move", on="prediction", when=MEAN, horizon=15), **changes)


def test_a_valid_rule_is_accepted_and_survives_json() -> None:
    good = rule(symbols=("BTC*", "ETHUSDT"), cooldown_ms=1, quiet=Quiet(0, 60, "Europe/Berlin"), rearm=0.0005)
    check(good)
    assert decode(msgspec.json.encode(good)) == good


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"name": "Big Move"}, "name 'Big Move': write a rule's name in small letters"),
        ({"on": "predictions"}, "on 'predictions': a rule is about one of prediction, outcome"),
        ({"when": When("above", "return", 0.1)}, "when: prediction has no field 'return'; it has mean, median"),
        ({"horizon": 10}, "horizon 10 is not served; 1, 5, 15, 60 bars are"),
        ({"symbols": ("btcusdt",)}, "symbol 'btcusdt': write BTCUSDT, or a pattern such as BTC*"),
        ({"symbols": ("BTC[UD]",)}, r"symbol 'BTC\[UD\]'"),
        ({"interval": "1 minute"}, "interval '1 minute' is none of 1m"),
        ({"when": When("above", "p_up", 1.0)}, "when: p_up is never above 100%; it lies at most at 100%"),
        ({"when": When("below", "p_up", 0.0)}, "when: p_up is never below 0%; it lies at least at 0%"),
        ({"when": When("below", "width", 0.0)}, "when: width is never below 0 bp"),
        ({"when": When("above", "mean")}, "when: mean above what"),
        ({"when": When("is", "mean", word="big")}, "when: mean is a number"),
        ({"when": When("above", "regime", 1.0), "horizon": None}, "when: regime is a word"),
        (
            {"when": When("is", "regime", word="wild"), "horizon": None},
            "when: regime is never 'wild'; it is one of calm",
        ),
        ({"when": When("is", "regime", word="calm")}, "horizon: regime of a prediction is the same at every horizon"),
        ({"when": When("any", "mean")}, "when: `any` stands alone"),
        (
            {"on": "outcome", "when": When("below", "skill", 0.0)},
            "when: skill is two numbers: pinball_skill, which tables, the API and the page show, and mae_skill, which",
        ),
        ({"rearm": 0.002}, "rearm 20 bp: must lie at or below 10 bp"),
        ({"when": When("below", "mean", -0.001), "rearm": -0.002}, "rearm -20 bp: must lie at or above -10 bp"),
        ({"when": When("above", "p_up", 0.7), "rearm": -0.1}, "rearm: p_up never comes to -10%"),
        ({"min_confidence": 0.7}, r"minimum confidence is \|P\(up\) - 0.5\|: above 0, at most 0.5"),
        ({"min_signal": 0.0}, "minimum signal is"),
        ({"when": When("above", "price", 1.0), "horizon": None, "min_signal": 1.0}, "only a forecast has one"),
        ({"quiet": Quiet(0, 60, "Europe/Nowhere")}, "there is no time zone 'Europe/Nowhere'"),
        ({"window": 5}, "window 5: between 10 and 1000 outcomes"),
        ({"message": "{price} {secret}"}, "message: no {secret} here; there are rule, severity, symbol"),
        ({"message": "{symbol.__class__}"}, "the message may hold names in braces"),
        ({"message": "{symbol!r}"}, "the message may hold names in braces"),
        ({"message": "{value:>99999999}"}, "the message may hold names in braces"),
        ({"message": "{0}"}, "the message may hold names in braces"),
        ({"message": "{symbol"}, "expected '}'"),
        ({"on": "regime", "when": When("changes", "state"), "horizon": 15}, "horizon: a record of regime has none"),
        (
            {"on": "regime", "when": When("changes", "state"), "horizon": None, "model": "x"},
            "model: a record of regime",
        ),
        ({"on": "regime", "when": When("changes", "state"), "horizon": None, "rearm": 0.1}, "rearm: only a number"),
        ({"on": "regime", "when": When("becomes", "state"), "horizon": None}, "when: state becomes what"),
        ({"cooldown_ms": -1}, "cooldown: a time cannot be negative"),
    ],
)
def test_a_mistake_gets_one_line(changes: dict[str, Any], line: str) -> None:
    with pytest.raises(ValueError, match=line) as error:
        check(rule(**changes))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "definition", ['{"name": "a"}', '{"name": "a", "on": "regime", "when": {"operator": "any"}, "hurry": 1}', "[]", "{"]
)
def test_a_stored_rule_that_cannot_be_read_is_one_line_too(definition: str) -> None:
    with pytest.raises(ValueError, match=r"Object|Expected|Input"):
        decode(definition.encode())


@pytest.mark.parametrize(
    ("on", "text", "when"),
    [
        ("prediction", "mean above 10bp", When("above", "mean", 0.001)),
        ("prediction", "mean below -0.1%", When("below", "mean", -0.001)),
        ("prediction", "p_up above 70 %", When("above", "p_up", 0.7)),
        ("prediction", "price above 64000", When("above", "price", 64_000.0)),
        ("prediction", "price below 2.263e-10", When("below", "price", 2.263e-10)),
        ("prediction", "price above 0.0000000002263", When("above", "price", 2.263e-10)),
        ("regime", "state becomes turbulent", When("becomes", "state", word="turbulent")),
        ("regime", "state changes", When("changes", "state")),
        ("outcome", "interval_hit is false", When("is", "interval_hit", word="false")),
        ("drift", "any", When("any")),
    ],
)
def test_conditions_are_written_in_words_and_back(on: str, text: str, when: When) -> None:
    parsed = parse_when(on, text)
    assert (parsed.operator, parsed.field, parsed.word) == (when.operator, when.field, when.word)
    assert parsed.threshold == (None if when.threshold is None else pytest.approx(when.threshold))
    again = parse_when(on, show_when(Rule(name="r", on=on, when=parsed)))
    assert again.threshold == (None if when.threshold is None else pytest.approx(when.threshold))


@pytest.mark.parametrize(
    ("on", "text", "line"),
    [
        ("prediction", "mean above 10", "'10' is no return: write it as 10bp or 0.1%"),
        ("prediction", "p_up above often", "'often' is no probability: write it as 0.7 or 70%"),
        ("prediction", "mean over 10bp", "write FIELD above"),
        ("prediction", "mean", "write FIELD above"),
        ("prediction", "", "write FIELD above"),
        ("prediction", "meen above 10bp", "prediction has no field 'meen'"),
        ("regime", "state changes calm", "write FIELD above"),
        ("regime", "state above 1", "when: state is a word"),
        ("weather", "any", "on 'weather'"),
    ],
)
def test_a_condition_that_cannot_be_read_gets_one_line(on: str, text: str, line: str) -> None:
    with pytest.raises(ValueError, match=line):
        parse_when(on, text)


@pytest.mark.parametrize("text", ["22-07", "25:00-07:00", "22:00-22:00", "22:00", "a:b-c:d"])
def test_invalid_quiet_hours_get_one_line(text: str) -> None:
    with pytest.raises(ValueError, match="quiet hours"):
        parse_quiet(text)


def test_a_shown_number_is_parsed_back() -> None:
    for unit, value in (("return", -0.00123), ("probability", 0.35), ("ratio", 1.5), ("duration", 90_000.0)):
        assert parse(show(value, unit).replace(" ", ""), unit) == pytest.approx(value)


@pytest.mark.parametrize(
    ("price", "threshold", "words"),
    [
        (2.2630123e-10, 2.2e-10, "BTCUSDT: price is 2.2630123e-10 (above 2.2e-10)"),
        (7.1e-12, 7e-12, "BTCUSDT: price is 7.1e-12 (above 7e-12)"),
        (3.4e-5, 0.00003, "BTCUSDT: price is 0.000034 (above 0.00003)"),
        (0.9999, 0.99, "BTCUSDT: price is 0.9999 (above 0.99)"),
        (104_312.5, 100_000.0, "BTCUSDT: price is 104312.5 (above 100000)"),
    ],
)
def test_an_alert_says_a_price_of_any_size(price: float, threshold: float, words: str) -> None:
    template = "{symbol}: {field} is {value} ({operator} {threshold})"
    asked = Rule(name="price", on="prediction", when=When("above", "price", threshold), message=template)
    (seen,) = observations(asked, msgspec.structs.replace(prediction(0), price=price))
    assert message.compose(asked, seen, seen.value("price"), 0) == words
    again = parse_when("prediction", show_when(asked))
    assert again.threshold == pytest.approx(threshold)


def test_the_tables_of_kinds_topics_and_stored_records_agree() -> None:
    """What is written down twice, so that it need not be imported, is the same."""
    assert kinds.STATES == STATES
    assert set(KIND_OF) == {topic.name for topic in READ_FOR_ALERTS}
    assert set(STORED) == {name for name, kind in KINDS.items() if kind.topic is not None}
    for kind in KINDS.values():
        known = kind.record.__struct_fields__
        assert set(kind.series + kind.moment) | {kind.time} <= set(known)
