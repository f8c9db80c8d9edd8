"""Each model has one colour, told apart from the others' and from the page, light and dark."""

from itertools import combinations

import numpy as np
import pytest

from dashboard.palette import DARK, LIGHT, model_colours
from models.colours import COLOURS, colours
from models.registry.zoo import COMBINERS, ZOO

LIKE = 0.05
"""Distance in Oklab below which two colours pass for one."""
APART = 0.09
"""Distance in Oklab from which on two colours are told apart on thin lines."""
SIGHTS = {
    "full": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
"""What is seen of linear RGB: Machado, Oliveira and Fernandes, A Physiologically-based Model for Simulation of Color
Vision Deficiency (2009), the matrices for severity 1.0."""
TOGETHER = ("naive", "gbm", "har", "online", "ensemble")
"""Those that are looked at together most: their colours alone tell them apart."""
THEMES = pytest.mark.parametrize(("theme", "card"), [(0, LIGHT.card), (1, DARK.card)])


def linear(colour: str) -> np.ndarray:
    parts = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def oklab(colour: str, sight: str = "full") -> np.ndarray:
    """Return the place in Oklab (Ottosson 2020) of what is seen of the colour."""
    light = np.clip(SIGHTS[sight] @ linear(colour), 0.0, 1.0)
    cones = np.cbrt(np.array([[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]]) @ light)
    return np.array([[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]]) @ cones


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2."""
    low, high = sorted(float(np.array([0.2126, 0.7152, 0.0722]) @ linear(colour)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def test_every_model_of_the_zoo_has_a_colour_and_nothing_else_has() -> None:
    assert set(COLOURS) == {*ZOO, *COMBINERS}


@THEMES
def test_no_two_are_alike_and_all_stand_out_from_the_page(theme: int, card: str) -> None:
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


def test_the_simulation_finds_what_a_deuteranope_takes_for_one() -> None:
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
