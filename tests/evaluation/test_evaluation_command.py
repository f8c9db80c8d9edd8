"""`foretick evaluate`: from files to tables, a report and a page."""

from pathlib import Path

import msgspec
import pytest

from cli.errors import UserError
from cli.evaluate import evaluate
from evaluation import result_tables
from stack import sample

CHOSEN = ["ridge", "har", "ensemble"]


def run(
    files: list[Path],
    output: Path,
    model: list[str] | None = None,
    horizon: list[int] | None = None,
    quick: bool = True,
    as_json: bool = True,
) -> None:
    evaluate(
        files,
        model=model,
        horizon=horizon,
        months=1,
        window=150,
        quick=quick,
        interval=None,
        output=output,
        leaderboard=output.with_suffix(".md"),
        jobs=2,
        seed=0,
        as_json=as_json,
    )


@pytest.mark.slow
def test_evaluate_judges_models_and_combinations_on_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORETICK_HOME", str(tmp_path))
    run(sample.FILES, tmp_path / "out", CHOSEN)
    printed = capsys.readouterr()
    cells = msgspec.json.decode(printed.out)["cells"]
    results = result_tables.load(tmp_path / "out")
    assert results.models == ("naive", *CHOSEN)
    assert len(cells) == len(results.cells)
    assert results.find("naive", 5, "r2").value == 0.0
    assert results.find("har", 15, "qlike").value < results.find("naive", 15, "qlike").value
    for model in results.models:
        assert 0.85 < results.find(model, 15, "coverage_90").value < 0.95
    assert "<svg" in (tmp_path / "out" / "report.html").read_text()
    page = (tmp_path / "out.md").read_text()
    assert all(f"| {model} " in page for model in results.models)
    assert "--quick" in page
    assert "fitted" not in printed.out
    fits = [line for line in printed.err.splitlines() if "R²" in line]
    assert sorted(line.split(" s  2025-05-27: ")[1].split()[0] for line in fits) == ["har", "naive", "ridge"]
    assert fits[-1].endswith("% at 1, 5, 15, 60 bars; 3 of 3 fits done")
    assert fits[0].endswith(" left")
    run(sample.FILES, tmp_path / "out", CHOSEN, [5, 60])
    again = msgspec.json.decode(capsys.readouterr().out)["cells"]
    assert {cell["horizon"] for cell in again} == {5, 60}
    assert again == [cell for cell in cells if cell["horizon"] in (5, 60)]
    run(sample.FILES, tmp_path / "out", CHOSEN, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("These 7 days are too few for conclusions: tests and intervals need 10 at least.")
    assert [line for line in lines if line.endswith("ahead")] == [
        *("1 bar ahead", "5 bars ahead", "15 bars ahead", "60 bars ahead"),
    ]
    assert "MCS" not in " ".join(lines)
    assert "vs naive" not in " ".join(lines)


def test_a_users_mistake_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETICK_HOME", str(tmp_path))
    with pytest.raises(UserError, match="there is no model 'oracle': there are naive, reversal"):
        run(sample.FILES, tmp_path / "out", ["oracle"])
    with pytest.raises(UserError, match="no horizon 7; they are 1, 5, 15, 60 bars"):
        run(sample.FILES, tmp_path / "out", horizon=[7])
    with pytest.raises(UserError, match="no such file"):
        run([tmp_path / "absent.csv"], tmp_path / "out")
    with pytest.raises(UserError, match="days too late to train for 2025-05: give more history"):
        run(sample.FILES, tmp_path / "out", quick=False)
