"""The filter of the table of trials, the choice in the address, and the columns of small and odd studies."""

import numpy as np
import pytest
from dashboard_tables import table

from dashboard.tuning import page_text, plot_data
from dashboard.tuning.choice import Choice, parameters, parse, query
from dashboard.tuning.trial_filter import matching
from learning.tuning.importances_process import Importances


@pytest.mark.parametrize(
    ("choice", "rows"),
    [
        (Choice(), [4, 3, 2, 1, 0]),
        (Choice(order="oldest first"), [0, 1, 2, 3, 4]),
        (Choice(order="best first"), [1, 2, 0, 4, 3]),
        (Choice(state="fail"), [4, 3]),
        (Choice(where="value >= 2"), [2, 1]),
        (Choice(where="value != 2"), [1, 0]),
        (Choice(where="rate<0.01, kind = plain"), [0]),
        (Choice(where="kind != plain", order="best first"), [1, 3]),
        (Choice(where="number > 7"), []),
    ],
)
def test_the_trials_that_match_are_in_the_chosen_order(choice: Choice, rows: list[int]) -> None:
    assert matching(table(), choice).tolist() == rows


def test_where_less_is_better_the_lowest_is_the_best() -> None:
    assert matching(table(maximize=False), Choice(order="best first")).tolist()[:3] == [0, 2, 1]
    _, best = plot_data.history(table((3.0, 1.0, 2.0), maximize=False))
    assert best["value"].tolist() == [3.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("rate", "is no condition"),
        ("rate < fast", "is no number"),
        ("speed < 1", "no 'speed'; there are value, number, seconds, rate, kind"),
        ("kind < plain", "compared by = or !="),
        ("kind = x", "compared by = or !="),
    ],
)
def test_an_invalid_filter_is_told(where: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        matching(table(), Choice(where=where))


def test_the_address_restores_the_choice() -> None:
    choice = Choice(studies=("a", "b"), x="rate", y="kind", top=5, state="fail", order="best first", where="rate < 1")
    given = {name: value for name, value in query(choice).items() if value is not None}
    assert parse(given) == (choice, ())
    assert parse({}) == (Choice(), ())
    assert parse({"top": "7", "state": "odd"})[1] == (
        "top=7 in the address is none of 1, 5, 10, 25, 100.",
        "state=odd in the address is none of any, complete, pruned, fail, running, waiting.",
    )


def test_a_parameter_that_is_not_there_is_replaced_by_the_most_important_one() -> None:
    shown, notes = parameters(Choice(x="gone"), table(), ("kind",))
    assert shown == ("kind", "rate")
    assert notes == ("The study has no parameter gone.",)


@pytest.mark.parametrize("values", [(), (np.nan,), (1.0,), (1.0, 1.0, 1.0)])
def test_a_study_with_few_or_like_trials_is_drawn(values: tuple[float, ...]) -> None:
    study = table(values)
    plot_data.history(study)
    plot_data.distribution(study)
    plot_data.points(study, "rate", "kind", dark=True)
    plot_data.contour(study, "rate", "kind", dark=True)
    plot_data.parallel(study, ["rate", "kind"], 10, dark=True)
    assert "No trial is complete yet" in page_text.best(study, None) or len(values) > 0
    page_text.trials(study, matching(study, Choice()), {})


def test_an_axis_of_a_logarithm_has_its_powers_and_choices_have_their_names() -> None:
    study = table()
    assert plot_data.place(study.parameters["rate"]).tolist() == pytest.approx([-3, -2.5, -2, -1.5, -1])
    assert plot_data.bounds(study.parameters["rate"]) == pytest.approx((-3, -1))
    assert plot_data.written(study.parameters["kind"], 1.0) == "<i>x"
    assert plot_data.written(study.parameters["rate"], np.nan) == "\u2013"


def test_what_comes_from_data_is_escaped() -> None:
    study = table()
    pages = [
        page_text.studies([study.summary], {"<b>a": "#000000"}),
        page_text.best(study, None),
        page_text.trials(study, matching(study, Choice()), {3: "<script>"}),
        page_text.importance_title(Importances({}, 3, "<script>"), 3),
    ]
    for page in pages:
        assert not any(evil in page for evil in ("<b>a", "<i>x", "<script>"))
