"""Each notebook is run by a test; here those that need no server: they print what is shown below their cells."""

from pathlib import Path

import pytest
from notebooks import code, executed, without_figures

from settings import ROOT

FOLDER = ROOT / "docs/notebooks"
SHOWS = {
    "scores.ipynb": ("plain OHLCV", "naive", "har", "ridge"),
    "model.ipynb": ("rsi_14", "last return", "coverage_90", "volume_reversal"),
}

WITH_SERVERS = {"client.ipynb": "tests/api/test_api_client.py", "topics.ipynb": "tests/story/test_story.py"}


def test_each_notebook_is_run():
    assert {path.name for path in FOLDER.glob("*.ipynb")} == {*SHOWS, *WITH_SERVERS}
    for name, test in WITH_SERVERS.items():
        assert f"docs/notebooks/{name}" in (ROOT / test).read_text()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", SHOWS)
def test_a_notebook_shows_what_its_cells_print(
    name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORETICK_HOME", str(tmp_path / "home"))
    notebook, shown, fresh = executed(FOLDER / name, capsys, tmp_path)
    now = [cell["outputs"] for cell in code(notebook)]
    assert without_figures(now) == without_figures(shown), f"cp {fresh} {FOLDER / name}"
    assert shown[-1]
    assert all(word in str(now) for word in SHOWS[name]), now
