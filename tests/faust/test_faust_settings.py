"""What no setting may turn on, since Faust does not hold what it promises there: docs/why.md."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from settings import ROOT

pytestmark = pytest.mark.slow

SAID = """
from settings import Settings
from stream.app import make_app
app = make_app("any", Settings())
print(app.conf.processing_guarantee.value, app.conf.web_enabled, app.conf.consumer_auto_offset_reset)
"""


@pytest.mark.parametrize(
    "fields",
    [
        {"PROCESSING_GUARANTEE": "exactly_once"},
        {"FAUST_PROCESSING_GUARANTEE": "exactly_once"},
        {"CONSUMER_AUTO_OFFSET_RESET": "latest"},
        {"WEB_ENABLED": "true", "NODE_WEB_ENABLED": "true"},
    ],
)
def test_no_setting_changes_what_was_chosen_for_a_reason(fields: dict[str, str], tmp_path: Path) -> None:
    environment = {**os.environ, "FORETICK_HOME": str(tmp_path), **fields}
    output = subprocess.run(
        [sys.executable, "-c", SAID], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert output.stdout.split() == ["at_least_once", "False", "earliest"]


def test_nothing_uses_a_windowed_table() -> None:
    """Windows of Faust do not expire after a rebalance (faust#385, #193): bars are a fold of ours."""
    words = (".tumbling(", ".hopping(", "Window(", "SlidingWindow")
    used = [
        (path.relative_to(ROOT), word)
        for path in (ROOT / "stream").rglob("*.py")
        for word in words
        if word in path.read_text()
    ]
    assert used == []
