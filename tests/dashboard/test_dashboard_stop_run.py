"""The action that stops a run: its answer, its trace, and what the run is told."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import psycopg
import pytest
from dashboard_market import Market
from pydantic import SecretStr

from dashboard.actions.handler import Actions
from dashboard.training.actions import STOP_RUN
from learning.runs.queue import Runs
from settings import Settings

pytestmark = pytest.mark.services


def test_a_run_is_stopped_once_with_a_trace_and_one_that_is_unknown_is_told(
    new_market: Callable[[], Market], tmp_path: Path
) -> None:
    url = new_market().url
    run_id = Runs(url).request("to see", "user", None)
    actions = Actions(Settings(home=tmp_path, database_url=SecretStr(url)), [STOP_RUN])

    def ask(run: str | None) -> tuple[int, str]:
        body = msgspec.json.encode({"run_id": run, "reason": " it does not <learn> "})
        return actions.do(STOP_RUN, "training", "127.0.0.1", body)

    assert ask(run_id) == (200, f"run {run_id} stops at its next checkpoint")
    assert ask("other") == (409, "no run 'other'")
    assert ask(None)[0] == 400
    overview = Runs(url).overview(run_id)
    assert overview.run is not None
    assert overview.run.stop_reason == "it does not <learn>"
    with psycopg.connect(url) as connection:
        trail = connection.execute("SELECT action, outcome, page FROM dashboard_actions ORDER BY number").fetchall()
    assert trail == [("stop-run", outcome, "training") for outcome in ("done", "failed", "failed")]
    actions.stop()
