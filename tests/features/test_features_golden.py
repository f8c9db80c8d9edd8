"""The numbers do not change under an unchanged version: a model would read them as what it was trained on.

After a change on purpose raise the feature's `version` in the table, then run
`PYTHONPATH=. python tests/features/test_features_golden.py`, which writes golden.json anew.
"""

import json
from pathlib import Path

import pytest
from feature_bars import frame_of, walk

from features.step import FeatureStep
from features.table import FEATURES, NAMES, Feature

GOLDEN = Path(__file__).with_name("golden.json")
ROWS = (250, 400, 499)


def current() -> dict[str, list[float]]:
    """For each column, its version and its values in some rows of a made-up walk."""
    step = FeatureStep()
    values = step.step(step.initial(), frame_of(walk(500, seed=31)))[1].values
    versions = [feature.version for feature in FEATURES for _ in feature.names]
    return {name: [versions[k], *(float(values[row, k]) for row in ROWS)] for k, name in enumerate(NAMES)}


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.names[0])
def test_a_features_values_change_only_with_its_version(feature: Feature) -> None:
    golden, now = json.loads(GOLDEN.read_text()), current()
    for name in feature.names:
        if name in golden and golden[name][0] == feature.version:
            assert now[name] == pytest.approx(golden[name], rel=1e-9, abs=1e-12), (
                "the numbers changed: raise the feature's version, see the top of this file"
            )


def test_no_golden_column_has_left_the_table() -> None:
    assert set(json.loads(GOLDEN.read_text())) <= set(NAMES)


if __name__ == "__main__":
    lines = [f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in current().items()]
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n")
