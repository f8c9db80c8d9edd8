"""Every command that prints a table: it fits the width, keeps each identifier whole, and has --wide and --json."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from pydantic import SecretStr
from stacks import Servers, databases, kafka_environment
from test_stack_terminal import insert
from typer.testing import CliRunner

from alerts.store.history import RuleBacktest
from api.tokens import Tokens
from cli import (
    alerts_tables,
    explanation_tables,
    live,
    pipeline,
    progress,
    replay_tables,
    status_tables,
    tables,
    train,
    tune,
)
from cli.main import app
from cli.tables import Column
from cli.text import Terminal
from features.frame import BarFrame
from learning.deployment.ledger import Ledger
from learning.runs.records import Options, PipelineRun, Step
from learning.runs.report import ModelOutcome, Report
from learning.tuning.mean_estimate import MeanEstimate
from learning.tuning.tuning_result import TuningResult
from models.explain.explanation import Contribution, Explanation
from models.registry import model_registry
from settings import ROOT, Settings
from sources.live.status import Status, SymbolStatus
from sources.reading.counts import Counts, FileSummary, Refused
from stack import status_report
from stack.check import Check
from stack.prepare import prepare
from stack.row_counts import Undelivered
from topics.records import Alert

T0 = 1_748_044_800_000  # 2025-05-24 00:00
MODEL, VERSION, LATER = "lightgbm_volatility", "0123456789ab", "ba9876543210"
SYMBOL, RUN = "1000SATSUSDT:USDT-240329", "20250524-000000-0a1b2c3d"
LETTER = "predictions/3/123456789012/499"
RULE, DESK = "coverage-of-the-ninety-percent-interval", "the-desk-on-the-second-floor"
WHY = "as good in the walk as the one that serves, and on the days that no trial saw better by two standard errors"
FILE = Path("/data/history/of/many/years/1000SATSUSDT-1m-2025-05.csv")
SIZES = [pytest.param(width, id=str(width)) for width in (60, 80)]


def check(text: str, width: int, identifiers: tuple[str, ...]) -> None:
    """Lines fit, but where one word is longer; nothing is cut, and each identifier is there in one piece."""
    for line in text.splitlines():
        assert len(line) <= width or len(line.split()) == 1, line
    assert "…" not in text
    for one in identifiers:
        assert re.search(rf"(?<!\w){re.escape(one)}(?!\w)", text), f"{one} in\n{text}"


def components() -> dict[str, status_report.ComponentReport]:
    good = status_report.ComponentReport(
        state="healthy",
        pid=1_234_567,
        address="http://127.0.0.1:31141/",
        uptime=93_784.5,
        restarts=2,
        last_error=None,
        good=True,
    )
    why = "behind on features, predictions for 40 s, by 1,200 rows, 2 h of event time; last read 2 s ago"
    late = status_report.ComponentReport(
        state="lagging",
        pid=23,
        address=None,
        uptime=5.0,
        restarts=0,
        last_error="it fell over",
        why=why,
        since=1e9,
        until=2e9,
    )
    return {"postgres": good, "dashboard": good, "worker": late}


def status() -> status_report.Report:
    counts: dict[str, int | None] = {"bars": 123_456_789, "dead_letters": 3, "cross_section": None}
    lag: dict[str, int | None] = {"bars": 12, "cross-section": None, "dead-letters": 0}
    rows: dict[str, int | None] = {"bars": None, "cross-section": None, "dead-letters": 0}
    late = {"bars": 7_200.0, "cross-section": None, "dead-letters": 0.0}
    addresses = {
        "dashboard": "http://127.0.0.1:5006/",
        "api": "http://127.0.0.1:8000",
        "mlflow": "http://127.0.0.1:5000",
    }
    untold = {DESK: Undelivered(12, 1, WHY)}
    return status_report.Report(
        running=True,
        components=components(),
        steps={},
        counts=counts,
        lag=lag,
        rows_behind=rows,
        late=late,
        addresses=addresses,
        undelivered=untold,
        metrics={},
        mlflow_login="/h/mlflow.password",
        warnings=(WHY,),
    )


def stack(wide: bool) -> None:
    status_tables.show_status(status(), wide)


def doctor(wide: bool) -> None:
    checks = [
        Check("the disk below .foretick", "fail", WHY, "./foretick logs supervisor"),
        Check("python", "ok", "3.13"),
    ]
    status_tables.show_checks(checks, wide)


def fitted(wide: bool) -> None:
    train._report(
        [frame()], [(MODEL, VERSION, FILE)], [12.5], 13.0, [MODEL], "http://127.0.0.1:5000/#/run", "taken", wide, False
    )


def frame() -> BarFrame:
    names = BarFrame.__struct_fields__
    made: dict[str, Any] = dict.fromkeys(names, np.ones(2))
    made |= {"symbol": SYMBOL, "interval": "1m", "time": np.array([T0, T0 + 60_000])}
    return BarFrame(**made)


def tuned(wide: bool) -> None:
    skills = ("untuned", "best", "gain", "later_untuned", "later_best", "later_gain")
    worth: dict[str, Any] = dict.fromkeys(skills, MeanEstimate(0.0123, 0.0004))
    result = TuningResult(
        model=MODEL,
        study="study",
        complete=40,
        pruned=3,
        failed=1,
        parameters={"learning_rate": 0.03},
        **worth,
        importances={"leaves": 0.25},
        reasons={WHY: 1},
    )
    tune._show(Terminal(), result, wide)


def ran(wide: bool) -> None:
    run = PipelineRun(
        run_id=RUN,
        why="drift",
        requested_by="trainer",
        bar_time=T0,
        requested_at=T0,
        ended_at=T0 + 60_000,
        state="failed",
        mlflow_run_id=None,
        options=Options(),
        error=WHY,
    )
    step = Step(
        step="train",
        model=MODEL,
        state="failed",
        started_at=T0,
        ended_at=T0,
        seconds=12.5,
        detail=None,
        error=WHY,
        attempts=1,
    )
    outcomes = [
        ModelOutcome(model=MODEL, version=VERSION, skill=0.01, skill_error=None, role="challenger", why=WHY, error=None)
    ]
    pipeline._show(Report(run, [step], outcomes), wide)


def watched(wide: bool) -> None:
    symbol = SymbolStatus(
        symbol="1000SATSUSDT",
        market=SYMBOL,
        trades=123_456,
        repaired=12,
        duplicates=3,
        gaps=1,
        dead=0,
        reconnects=2,
        waiting=0,
        last_time=T0,
        last_id="1",
        age_ms=123.4,
        problem=WHY,
    )
    live._show([Status(venue="binanceusdm", pid=1, since=T0, problem=WHY, symbols=[symbol])], wide, False)


def explained(wide: bool) -> None:
    parts = (Contribution("bollinger_width_20__15m", 0.5, -0.3), Contribution("rsi_14", float("nan"), 0.1))
    explanation = Explanation(
        model=MODEL,
        version=VERSION,
        symbol=SYMBOL,
        interval="1m",
        time=T0,
        horizon=5,
        price=1.0,
        mean=-2e-4,
        scale=2e-3,
        quantity="mean",
        unit=2e-3,
        base=0.1,
        total=-0.1,
        contributions=parts,
    )
    explanation_tables.show(Terminal(), explanation, 1, 10, (), wide)


def replayed(wide: bool) -> None:
    file = FileSummary(
        file=str(FILE),
        layout="binance",
        kind="bars",
        symbols=[SYMBOL],
        interval="1m",
        interval_told_by="its times",
        market="linear",
        columns={"time": "open_time"},
        times="ms",
        zone="UTC",
        left_out=["ignore"],
        notes=[],
        remarks=[],
    )
    counts = Counts(
        rows=5, bars=4, symbols={SYMBOL: 4}, understood=[file], refused={WHY: Refused(1, str(FILE), 3, "x")}
    )
    replay_tables.show(counts, wide)


def backtested(_: bool) -> None:
    alert = Alert(alert_id="an-id", rule=RULE, symbol=SYMBOL, time=T0, severity="warning", message=f"{SYMBOL}: {WHY}")
    alerts_tables.show_backtest(RULE, 7.0, RuleBacktest(1, 1_234, 5, {SYMBOL: 1}, [alert]))


PRINTED: dict[str, tuple[Callable[[bool], None], tuple[str, ...]]] = {
    "status": (stack, ("postgres", "dashboard", "worker", "lagging", "cross-section", "2 h", DESK)),
    "doctor": (doctor, ("the disk below .foretick", "./foretick logs supervisor", "fail")),
    "train": (fitted, (MODEL, VERSION, str(FILE), SYMBOL)),
    "tune": (tuned, ("later, unused by trials", "+1.230 % ± 0.040", "learning_rate")),
    "pipeline run": (ran, (MODEL, VERSION, RUN, "challenger")),
    "live list": (watched, ("binanceusdm", SYMBOL, "123,456")),
    "explain": (explained, (MODEL, VERSION, SYMBOL, "bollinger_width_20__15m")),
    "replay": (replayed, (str(FILE), SYMBOL)),
    "alerts test": (backtested, (RULE, SYMBOL)),
}


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("name", PRINTED)
def test_what_is_printed_fits_and_keeps_identifiers_whole(
    name: str, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    draw, identifiers = PRINTED[name]
    monkeypatch.setenv("COLUMNS", str(width))
    draw(False)
    output = capsys.readouterr().out
    check(output, width, identifiers)
    draw(True)
    wide = capsys.readouterr().out
    check(wide, 10_000, identifiers)
    assert "--wide adds" not in wide


def test_a_state_that_somebody_needs_to_look_at_is_red_whatever_its_word() -> None:
    waits = status_report.ComponentReport(
        state="waiting", pid=1, address=None, uptime=5.0, restarts=0, last_error=None, why="the database"
    )
    by_plan = status_report.ComponentReport(
        state="waiting", pid=1, address=None, uptime=5.0, restarts=0, last_error=None, why="the next run", good=True
    )
    assert [str(status_tables.cells(one)[0].style) for one in (waits, by_plan)] == ["red", "yellow"]


def test_the_json_of_status_has_every_column_and_times_in_ms() -> None:
    result = json.loads(json.dumps(status().document(), allow_nan=False))
    assert result["rows_behind"] == {"bars": None, "cross-section": None, "dead-letters": 0}
    assert result["late"] == {"bars": 7_200.0, "cross-section": None, "dead-letters": 0.0}
    assert result["components"]["worker"]["since"] == 1_000_000_000_000
    assert result["components"]["postgres"]["since"] is None
    assert set(result["components"]["worker"]) >= {"state", "pid", "address", "uptime", "restarts", "why", "last_error"}


TABLE = (Column("model"), Column("role", 2), Column("age", 1), Column("why", words=True))
ROWS = [(MODEL, "champion", "1.3 days", WHY), ("gbm", "standby", "-", "")]


def printed(width: int, capsys: pytest.CaptureFixture[str], wide: bool = False) -> list[str]:
    tables.show(TABLE, ROWS, wide, Terminal(width=width))
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_the_least_important_column_goes_first_and_words_go_below(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(36, capsys) == [
        "model                age",
        "lightgbm_volatility  1.3 days",
        "    why: as good in the walk as the",
        "    one that serves, and on the days",
        "    that no trial saw better by two",
        "    standard errors",
        "gbm                  -",
        "--wide adds: role",
    ]
    assert printed(80, capsys)[:2] == [
        "model                role      age       why",
        "lightgbm_volatility  champion  1.3 days  as good in the walk as the one that",
    ]
    tables.show(TABLE, [("gbm", "standby", "-", "")], console=Terminal(width=80))
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["model", "role", "age"],
        ["gbm", "standby", "-"],
    ]
    assert printed(10, capsys)[:2] == ["model", MODEL]
    assert printed(36, capsys, wide=True)[1] == f"{MODEL}  champion  1.3 days  {WHY}"


def test_a_pipe_is_80_wide_unless_COLUMNS_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: N802 - the variable's own name
    monkeypatch.delenv("COLUMNS", raising=False)
    assert Terminal().width == 80
    monkeypatch.setenv("COLUMNS", "61")
    assert Terminal().width == 61


@pytest.mark.parametrize(("every_s", "lines"), [(5.0, ["reading the files", "the end"]), (0.0, ["reading the files",
    "epoch 1", "epoch 2", "the end"])])  # fmt: skip
def test_without_a_terminal_work_is_told_in_lines_on_stderr_and_not_too_many(
    every_s: float, lines: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "EVERY_S", every_s)
    with progress.progress("beginning") as reporter:
        reporter.say(f"reading the files {FILE} {FILE}")
        reporter.now("epoch 1")
        reporter.now("epoch 2")
        reporter.say("the end")
    output = capsys.readouterr()
    assert output.out == ""
    assert [line.split(" s  ")[1].removesuffix(f" {FILE} {FILE}") for line in output.err.splitlines()] == lines


def test_a_line_of_the_pipeline_tells_the_skills() -> None:
    skills = {MODEL: {"mean": 0.0123, "error": 0.001, "days": 3}, "gbm": {"mean": None, "error": None, "days": 0}}
    step = Step(
        step="evaluate",
        model=None,
        state="done",
        started_at=T0,
        ended_at=T0,
        seconds=1.0,
        detail={"folds": ["fold 1"], "skills": skills},
        error=None,
        attempts=1,
    )
    assert pipeline._line(step) == f"evaluate done: skill of {MODEL} +1.23 %, skill of gbm unknown"


def test_the_version_is_one_line() -> None:
    done = CliRunner().invoke(app, ["--version"])
    written = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert written is not None
    assert (done.exit_code, done.stdout) == (0, f"foretick {written[1]}\n")


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FORETICK_HOME", str(tmp_path))
    Tokens(tmp_path).create("the notebook of the desk", ("read", "stream"))
    return tmp_path


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize(
    ("command", "identifiers", "keys"),
    [
        ("topics list", ("cross-section", "dead-letters"), {"topic", "record", "key", "partitions", "retention_days"}),
        ("api token list", ("the notebook of the desk",), {"name", "id", "scopes", "created"}),
    ],
)
def test_commands_that_need_no_server(command: str, identifiers: tuple[str, ...], keys: set[str], width: int) -> None:
    answers(command, identifiers, keys, width, {})


def answers(
    command: str, identifiers: tuple[str, ...], keys: set[str], width: int, environment: dict[str, str]
) -> None:
    """Ask a command three times: in `width` columns, with --wide, and with --json."""

    def run(*more: str) -> str:
        done = CliRunner().invoke(
            app, [*command.split(), *more], env={**environment, "COLUMNS": str(width)}, catch_exceptions=False
        )
        assert done.exit_code == 0, done.output
        return done.stdout

    check(run(), width, identifiers)
    wide = run("--wide")
    check(wide, 10_000, identifiers)
    assert "--wide adds" not in wide
    document = json.loads(run("--json"), parse_constant=pytest.fail)
    assert keys <= keys_of(document), keys - keys_of(document)


def keys_of(document: Any) -> set[str]:
    """Return the names in a JSON document, at any depth."""
    if isinstance(document, dict):
        return set(document).union(*map(keys_of, document.values()))
    return set().union(*map(keys_of, document)) if isinstance(document, list) else set()


@pytest.fixture(scope="module")
def environment(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A database with a row for every table, each name as long as names become."""
    home = tmp_path_factory.mktemp("tables")
    with databases(servers, "tables") as make:
        settings = Settings(home=home, **servers.as_stack(), database_url=SecretStr(make()))
        prepare(settings)
        for version in (VERSION, LATER):
            artifact = home / "models" / MODEL / version / "model.json"
            artifact.parent.mkdir(parents=True)
            artifact.write_text("{}")
        model_registry.serve(home / "models", {MODEL: VERSION})
        ledger = Ledger(settings)
        ledger.decide(MODEL, "serve", VERSION, decided_by="foretick train", why=WHY)
        ledger.decide(MODEL, "challenge", LATER, decided_by="pipeline", why=WHY)
        url = settings.database_url.get_secret_value()
        with psycopg.connect(url, autocommit=True) as connection:
            of_model = {"model": MODEL, "version": VERSION, "interval": "1m"}
            insert(connection, "drift", **of_model, kind="dissimilarity", detector="adwin", symbol=SYMBOL, detail=WHY)
            for horizon in (1, 5, 15, 60):
                insert(connection, "model_skill", **of_model, horizon=horizon, regime="all", role="challenger")
            asked = {"run_id": RUN, "requested_by": "trainer"}
            insert(connection, "pipeline_runs", **asked, state="failed", why=WHY, error=WHY, options="{}")
            insert(connection, "pipeline_steps", run_id=RUN, step="evaluate", model=MODEL, state="done", error=WHY)
            topic, partition, offset, row = LETTER.split("/")
            letter = {"topic": topic, "partition": partition, "offset": offset, "row": row, "state": "retried"}
            insert(connection, "dead_letters", **letter, reason=WHY, value=b"x", key=None)
            target = "https://hooks.example.org/services/of/the/desk"
            subscriber = {"name": DESK, "channel": "webhook", "target": target, "severity": "warning"}
            insert(connection, "alert_subscribers", **subscriber, rules=[RULE], symbols=[SYMBOL])
        yield {
            "FORETICK_HOME": str(home),
            **kafka_environment(settings),
            "FORETICK_DATABASE_URL": url,
        }


SKILLS = {"role", "days", "horizon", "pinball_skill", "mae_skill", "coverage", "interval", "regime"}
STORED = {
    "models list": ((MODEL, VERSION, LATER), {"model", "role", "version", "trained_until", "age_days", "decided_by"}),
    "models history": (
        (MODEL, VERSION, LATER),
        {"time", "number", "action", "champion", "challengers", "standby", "decided_by", "why"},
    ),
    "drift": ((MODEL, VERSION, "dissimilarity"), {"kind", "horizon", "since", "symbol", "interval", "statistic"}),
    "skill": ((MODEL, VERSION), SKILLS),
    "skill --regimes": ((MODEL, VERSION), SKILLS),
    "pipeline list": ((RUN,), {"run_id", "state", "requested_by", "requested_at", "ended_at", "bar_time", "error"}),
    f"pipeline show {RUN}": ((RUN, MODEL), {"step", "model", "state", "started_at", "seconds", "attempts", "detail"}),
    "dead-letters list --state all": ((LETTER,), {"letters", "last", "newest", "state", "reason"}),
    "alerts list": (
        (RULE, DESK, SYMBOL),
        {"name", "version", "refused", "alerts", "last", "waiting", "delivered", "failed", "muted", "last_error"},
    ),
}


@pytest.mark.services
@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("command", STORED)
def test_commands_that_read_the_database(command: str, width: int, environment: dict[str, str]) -> None:
    if command == "alerts list":
        add = [
            "alerts",
            "add",
            RULE,
            "--on",
            "outcome",
            "--when",
            "coverage below 80%",
            "--symbol",
            SYMBOL,
            "--replace",
        ]
        assert CliRunner().invoke(app, add, env=environment, catch_exceptions=False).exit_code == 0
    answers(command, *STORED[command], width, environment)
