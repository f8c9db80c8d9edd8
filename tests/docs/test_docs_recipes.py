"""CONTRIBUTING's recipes are followed in a copy of the tree: what they name is all that a newcomer has to write."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from settings import ROOT

ROW = re.compile(r"^\| (an? [^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
FOLLOWED = {
    "an indicator": ("features/indicators/momentum.py", "features/table.py"),
    "a model": ("models/baselines/last_return.py", "models/registry/zoo.py"),
}
"""What the recipes here write to: a file with the code, and the one with the line."""
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "docs", "bench")
INDICATORS = '''

@compiled
def jump(x: Floats, start: int, out: Floats, period: int) -> None:
    """Close less the close `period` bars before."""
    difference(x[CLOSE, start:], x[CLOSE, start - period :], out[0])


@compiled
def wrong_jump(x: Floats, start: int, out: Floats, period: int) -> None:
    """The same, but of the high."""
    difference(x[HIGH, start:], x[HIGH, start - period :], out[0])
'''
LINES = """
    Feature(("jump_7",), momentum.jump, (7,), 8, ("price change",), "by this test", talib=("MOM(close, 7)",)),
    Feature(("wrong_jump_7",), momentum.wrong_jump, (7,), 8, ("price change",), "by this test",
        talib=("MOM(close, 7)",)),
"""
ROWS = "    # momentum\n"

MODEL = '''"""The last return alone: least squares of each horizon's standardised return on it."""

from typing import ClassVar

import numpy as np

from features.frame import FeatureFrame, Floats
from models import ewma_volatility
from models.contributions import Parts, Row, weighed
from models.ewma_volatility import Walk
from models.forecaster import Forecasts
from models.intervals.distribution import NORMAL
from models.intervals.residual_quantiles import from_mean, residual
from models.json_model import JSONModel
from models.json_type import JSON
from models.labels import targets
from models.search_space import NONE, Parameters
from topics.records import HORIZONS


class LastReturn(JSONModel):
    """One coefficient a horizon, pooled over symbols."""

    name: ClassVar[str] = "last_return"
    carried_state: ClassVar[tuple[str, ...]] = ewma_volatility.STATE
    kept: ClassVar[tuple[str, ...]] = ("weights", "spread")

    def __init__(
        self, names: tuple[str, ...] = (), horizons: tuple[int, ...] = HORIZONS, parameters: Parameters = NONE
    ) -> None:
        super().__init__(names, horizons, parameters)
        self.weights = np.zeros(len(horizons))
        self.spread = np.array([NORMAL] * len(horizons))

    def fit(self, frames: list[FeatureFrame], seed: int) -> None:
        """Fit the coefficients, then the spread of what they leave over."""
        self.fingerprint = frames[0].fingerprint
        walks = [ewma_volatility.walk(ewma_volatility.initial(), frame)[1] for frame in frames]
        x = np.concatenate([self._input(walk) for walk in walks])
        y = np.concatenate([targets(f, walk.sigma, self.horizons, 4.0) for f, walk in zip(frames, walks, strict=True)])
        for column, target in enumerate(y.T):
            known = ~np.isnan(x + target)
            self.weights[column] = (x[known] @ target[known]) / (x[known] @ x[known])
        self.spread = residual(y, x[:, None] * self.weights)

    def _input(self, walk: Walk) -> Floats:
        return np.clip(walk.returns / walk.sigma, -4.0, 4.0)

    def initial(self) -> JSON:
        """Return the state of a symbol that was not seen yet."""
        return ewma_volatility.initial()

    def step(self, state: JSON, frame: FeatureFrame) -> tuple[JSON, Forecasts]:
        """Forecast each row from the return that ends with it."""
        state, walk = ewma_volatility.walk(state, frame)
        mean = self._input(walk)[:, None] * self.weights
        return state, from_mean(mean, walk.sigma, self.horizons, self.spread)

    def contributions(self, row: Row) -> Parts:
        """Return the coefficient times its input."""
        return weighed(0.0, ("log_return_1",), self._input(row.walk), self.weights[[row.column]])
'''
WRONG = '''"""The same, with a mistake each."""

from typing import ClassVar

import numpy as np

from features.frame import Floats
from models.baselines.last_return import LastReturn
from models.ewma_volatility import Walk


class Ahead(LastReturn):
    """Looks at the return after its row."""

    name: ClassVar[str] = "last_return_ahead"

    def _input(self, walk: Walk) -> Floats:
        return np.roll(super()._input(walk), -1)


class Forgetful(LastReturn):
    """Does not save what it has fitted of the spread."""

    name: ClassVar[str] = "last_return_forgetful"
    kept: ClassVar[tuple[str, ...]] = ("weights",)
'''
ENTRIES = """
    Entry("last_return", "models.baselines.last_return:LastReturn", Colour("#111111", "#eeeeee")),
    Entry("last_return_ahead", "models.baselines.wrong:Ahead", Colour("#222222", "#dddddd")),
    Entry("last_return_forgetful", "models.baselines.wrong:Forgetful", Colour("#333333", "#cccccc")),
"""
FIRST = 'ZOO: "Zoo[type[Forecaster]]" = Zoo('
FAILS = {
    "last_return_ahead": {
        "test_cutting_anywhere_changes_no_bit",
        "test_rows_one_by_one_give_the_bits_of_a_batch",
        "test_the_future_deleted_changes_nothing_before_it",
        "test_a_poisoned_label_changes_no_forecast_before_its_own_bar",
    },
    "last_return_forgetful": {"test_saved_and_loaded_it_is_the_same_model"},
}
"""What the wrong models are caught by, whatever else is."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the tree as it is, without what is hidden or generated."""
    return shutil.copytree(ROOT, tmp_path / "tree", ignore=LEFT_OUT)


def pytest_in(copy: Path, *arguments: str) -> str:
    """Run pytest in the copy, on the copy's own packages; return what it printed."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(copy), *arguments]
    done = subprocess.run(
        command, cwd=copy, env=os.environ | {"PYTHONPATH": str(copy)}, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_the_table_names_files_that_are_there_and_those_that_the_recipes_here_write_to() -> None:
    rows = {row[1]: (row[2], row[3]) for row in ROW.finditer((ROOT / "CONTRIBUTING.md").read_text())}
    assert len(rows) >= 9
    for own, lines in rows.values():
        places = re.findall(r"`([^`]+)`", own + lines)
        assert places
        assert [place for place in places if not (ROOT / place).exists()] == []
    for name, (file, line) in FOLLOWED.items():
        assert re.findall(r"`([^`]+)`", rows[name][1]) == [line]
        assert str(Path(file).parent) in rows[name][0]


@pytest.mark.slow
def test_an_indicator_is_a_function_and_a_line(copy: Path) -> None:
    family, table = (copy / place for place in FOLLOWED["an indicator"])
    family.write_text(family.read_text() + INDICATORS)
    assert table.read_text().count(ROWS) == 1
    table.write_text(table.read_text().replace(ROWS, ROWS + LINES))
    printed = pytest_in(copy, "tests/features/test_features_columns.py", "-k", "jump_7 and not btcusd- and not ltcusd-")
    assert "1 failed, 13 passed" in printed, printed
    assert "FAILED tests/features/test_features_columns.py::test_the_column_equals_its_reference" in printed, printed
    assert "[BTCUSDT-wrong_jump_7-talib]" in printed, printed


@pytest.mark.long
@pytest.mark.slow
def test_a_model_is_a_file_and_a_line(copy: Path) -> None:
    file, zoo = (copy / place for place in FOLLOWED["a model"])
    file.write_text(MODEL)
    file.with_name("wrong.py").write_text(WRONG)
    assert zoo.read_text().count(FIRST) == 1
    zoo.write_text(zoo.read_text().replace(FIRST, FIRST + ENTRIES))
    printed = pytest_in(copy, "tests/models", "-k", "last_return", "-m", "not services")
    failed = re.findall(r"^FAILED tests/models/\w+\.py::(\w+)\[(\w+)\]", printed, re.MULTILINE)
    caught = {model: {test for test, whose in failed if whose == model} for _, model in failed}
    assert set(caught) == set(FAILS), printed
    assert all(FAILS[model] <= tests for model, tests in caught.items()), printed
    passed = re.search(r"(\d+) passed", printed)
    assert passed is not None
    assert int(passed[1]) >= 15, printed
