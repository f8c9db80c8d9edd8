"""Each model has one colour, told apart from the others' and from the page, light and dark."""

from itertools import combinations

import numpy as np
import pytest
from colour_sight import SIGHTS, contrast, oklab

from dashboard.palette import DARK, LIGHT, model_colours
from models.colours import COLOURS, colours
from models.registry.zoo import COMBINERS, ZOO

LIKE = 0.05
"""Distance in Oklab below which two colours pass for one."""
APART = 0.09
"""Distance in Oklab from which on two colours are told apart on thin lines."""
TOGETHER = ("naive", "gbm", "har", "online", "ensemble")
"""Those that are looked at together most: their colours alone tell them apart."""
THEMES = pytest.mark.parametrize(("theme", "card"), [(0, LIGHT.card), (1, DARK.card)])


def test_every_model_of_the_zoo_has_a_colour_and_nothing_else_has() -> None:
    assert set(COLOURS) == {*ZOO, *COMBINERS}


@THEMES
def test_all_model_colours_differ_and_contrast_with_the_page(theme: int, card: str) -> None:
    for one, other in combinations(COLOURS, 2):
        assert np.linalg.norm(oklab(COLOURS[one][theme]) - oklab(COLOURS[other][theme])) > LIKE, (one, other)
    assert min(contrast(colour[theme], card) for colour in COLOURS.values()) > 3


def distance(one: str, other: str, theme: int, sight: str) -> float:
    return float(np.linalg.norm(oklab(COLOURS[one][theme], sight) - oklab(COLOURS[other][theme], sight)))


@THEMES
@pytest.mark.parametrize("sight", SIGHTS)
def test_no_two_lines_are_alike_to_those_who_see_no_red_or_no_green(theme: int, card: str, sight: str) -> None:  # noqa: ARG001 - of the themes
    for one, other in combinations(COLOURS, 2):
        alike = COLOURS[one].dash == COLOURS[other].dash
        if alike or {one, other} <= set(TOGETHER):
            assert distance(one, other, theme, sight) > APART, (one, other)


def test_the_simulation_of_deuteranopia_finds_colours_that_look_alike() -> None:
    red, green = "#b5402a", "#6a6a00"  # as bright as each other
    assert np.linalg.norm(oklab(red) - oklab(green)) > APART
    assert np.linalg.norm(oklab(red, "deuteranopia") - oklab(green, "deuteranopia")) < APART


def test_a_models_colour_does_not_depend_on_who_is_beside_it() -> None:
    assert colours(["gbm"])["gbm"] == colours(["ridge", "gbm", "stranger", *ZOO])["gbm"] == COLOURS["gbm"]
    foreign = colours(["gbm", "their own", "another"])
    assert len(set(foreign.values())) == 3
    assert len(colours([*ZOO, *COMBINERS, "one more"])) == len(COLOURS) + 1


def test_the_dashboard_has_the_same_colours() -> None:
    assert model_colours(("naive", "lightgbm", "gbm"), LIGHT) == {
        "naive": COLOURS["naive"].light,
        "lightgbm": COLOURS["lightgbm"].light,
        "gbm": COLOURS["gbm"].light,
    }
    assert model_colours(("gbm",), DARK)["gbm"] == COLOURS["gbm"].dark
