"""Each model has one colour, told apart from the others' and from the page, light and dark."""

from itertools import combinations

import numpy as np
import pytest

from dashboard.palette import DARK, LIGHT, model_colours
from models.colours import COLOURS, colours
from models.registry.zoo import COMBINERS, ZOO

LIKE = 0.05
"""Distance in Oklab below which two colours pass for one."""
THEMES = pytest.mark.parametrize(("theme", "card"), [(0, LIGHT.card), (1, DARK.card)])


def linear(colour: str) -> np.ndarray:
    parts = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def oklab(colour: str) -> np.ndarray:
    """Return the place in Oklab (Ottosson 2020)."""
    cones = np.cbrt(
        np.array([[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]]) @ linear(colour)
    )
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
