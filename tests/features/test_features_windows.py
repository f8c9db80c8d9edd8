"""Moving windows that are put together from halves, against each window's own numbers; and one window alone."""

from collections.abc import Callable

import numpy as np
import pytest

from features.extremes import moving_max, moving_min, moving_place, rows_since_extreme
from features.frame import Floats
from features.power_sums import moving_powers
from features.windows import moving_deviation, moving_mean, moving_products, moving_sum

pytestmark = pytest.mark.slow

VALUES = np.random.default_rng(51).standard_t(3, 700) + 5.0
OTHERS = 0.5 * VALUES + np.random.default_rng(52).normal(size=700)
TIED = np.random.default_rng(53).integers(0, 6, 700).astype(np.float64)
START = 300
PERIODS = [2, 3, 5, 7, 26, 60, 63, 64, 100, 240, 300]

Moving = Callable[[Floats, int, int, int], list[Floats]]
"""values, start, period, rows -> the results."""


def results(function: Callable[..., None], count: int, *more: float | Floats) -> Moving:
    def act(values: Floats, start: int, period: int, rows: int) -> list[Floats]:
        matches = [np.empty(rows) for _ in range(count)]
        series = [part for part in more if isinstance(part, np.ndarray)]
        function(values, *series, start, period, *(part for part in more if part not in series), *matches)
        return matches

    return act


MOVING: dict[str, tuple[Moving, Callable[[Floats, Floats], list[float]]]] = {
    "sum": (results(moving_sum, 1), lambda v, _: [v.sum()]),
    "mean": (results(moving_mean, 1), lambda v, _: [v.mean()]),
    "deviation": (results(moving_deviation, 2), lambda v, _: [v.mean(), v.std()]),
    "products": (results(moving_products, 1, OTHERS), lambda v, w: [((v - v.mean()) * (w - w.mean())).sum()]),
    "powers": (
        results(moving_powers, 4),
        lambda v, _: [v.mean(), *(((v - v.mean()) ** power).sum() for power in (2, 3, 4))],
    ),
    "max": (results(moving_max, 1), lambda v, _: [v.max()]),
    "min": (results(moving_min, 1), lambda v, _: [v.min()]),
    "place": (results(moving_place, 1, 0.0), lambda v, _: [place(v)]),
    "since max": (results(rows_since_extreme, 1, 1.0), lambda v, _: [v[::-1].argmax()]),
    "since min": (results(rows_since_extreme, 1, -1.0), lambda v, _: [v[::-1].argmin()]),
}


def place(v: Floats) -> float:
    span = v.max() - v.min()
    return 100.0 * (v[-1] - v.min()) / span if span else np.nan


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("name", MOVING)
def test_each_window_has_its_own_numbers(name: str, period: int) -> None:
    moving, of = MOVING[name]
    for values in (VALUES, TIED):
        result = np.array(moving(values, START, period, len(values) - START))
        ends = range(START + 1, len(values) + 1)
        wanted = np.array([of(values[end - period : end], OTHERS[end - period : end]) for end in ends]).T
        np.testing.assert_allclose(result, wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("name", MOVING)
def test_a_window_alone_and_among_few_or_many_has_the_same_bits(name: str, period: int) -> None:
    moving = MOVING[name][0]
    unknown = VALUES.copy()
    unknown[START + 20] = np.nan
    for values in (VALUES, TIED, unknown):
        whole = np.array(moving(values, START, period, len(values) - START))
        for first, rows in ((START, 2), (START + 15, 9), *((end, 1) for end in range(START, START + 60))):
            part = np.array(moving(values[: first + rows], first, period, rows))
            assert part.tobytes() == whole[:, first - START : first - START + rows].tobytes()


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min"])
def test_a_window_of_one_is_the_value(name: str) -> None:
    for rows in (1, 400):
        assert MOVING[name][0](VALUES, START, 1, rows)[0].tobytes() == VALUES[START : START + rows].tobytes()


def test_where_all_are_equal_nothing_is_left_of_rounding() -> None:
    constant = np.full(700, 0.1)
    for rows in (1, 400):
        assert not results(moving_products, 1, OTHERS)(constant, START, 60, rows)[0].any()
        assert not np.array(results(moving_powers, 4)(constant, START, 60, rows)[1:]).any()
        assert not results(moving_deviation, 2)(constant, START, 60, rows)[1].any()
