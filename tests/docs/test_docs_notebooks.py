"""The notebook that needs no server: its cells run, and print what is shown below them."""

from pathlib import Path

import pytest
from notebooks import code, executed, without_figures

from settings import ROOT

NOTEBOOK = ROOT / "docs/notebooks/scores.ipynb"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_notebook_shows_what_its_cells_print(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORETICK_HOME", str(tmp_path / "home"))
    notebook, shown, fresh = executed(NOTEBOOK, capsys, tmp_path)
    now = [cell["outputs"] for cell in code(notebook)]
    assert without_figures(now) == without_figures(shown), f"cp {fresh} {NOTEBOOK}"
    assert all(shown[1:])
    text = str(now)
    assert all(word in text for word in ("plain OHLCV", "naive", "har", "ridge")), text
