"""A run is at work in one process at a time, is taken up again after a kill, and every step leaves its record."""

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest
from learning_bars import new_database
from stacks import Servers

from learning.runs.lease import MOST_ATTEMPTS, RunLease
from learning.runs.queue import Runs
from learning.runs.records import Options, Step
from storage.errors import StorageError

pytestmark = pytest.mark.services
BAR = 1_748_142_000_000


@pytest.fixture
def url(servers: Servers) -> Iterator[str]:
    with new_database(servers.database_url) as text:
        yield text


def test_runs_are_taken_one_after_another_and_each_by_one(url: str) -> None:
    runs = Runs(url)
    first = runs.request("by hand", "user", BAR, Options(models=["gbm"], tune=3))
    second = runs.request("0 3 * * 0", "cron", None)
    assert [run.run_id for run in runs.unfinished()] == [first, second]
    with ExitStack() as stack:
        lease = [stack.enter_context(runs.taken()) for _ in range(3)]
        assert [one and one.run.run_id for one in lease] == [first, second, None]
        assert lease[0] is not None
        assert (lease[0].run.state, lease[0].run.bar_time, lease[0].run.options) == (
            "running",
            BAR,
            Options(models=["gbm"], tune=3),
        )
        with pytest.raises(ValueError, match="is being worked on by another process"), runs.resumed(str(first)):
            pass
        lease[0].finish()
    # Neither ended with a word: what was begun is taken up again, and before what is only asked for.
    third = runs.request("later", "user", BAR)
    assert [run.run_id for run in runs.unfinished()] == [second, third]
    with runs.taken() as again:
        assert again is not None
        assert again.run.run_id == second
        again.finish("no bars")
    assert {run.run_id: (run.state, run.error) for run in runs.listed()} == {
        first: ("done", None),
        second: ("failed", "no bars"),
        third: ("queued", None),
    }
    with runs.resumed(str(second)) as resumed:
        assert (resumed.run.state, resumed.run.error) == ("running", None)


def test_of_two_that_want_the_same_run_one_asks(url: str) -> None:
    runs = Runs(url)
    first = runs.request("drift", "drift", BAR, unless_after=None)
    assert first is not None
    assert runs.request("drift", "drift", BAR, unless_after=None) is None
    assert runs.request("cron", "cron", BAR, unless_after="another") is None
    assert runs.request("cron", "cron", BAR, unless_after=first) is not None
    newest = runs.newest()
    assert newest is not None
    assert newest.requested_by == "cron"


def steps(runs: Runs, lease: RunLease) -> dict[tuple[str, str | None], Step]:
    return {(step.step, step.model): step for step in runs.shown(lease.run.run_id)[1]}


def test_a_step_is_recorded_from_its_beginning_to_its_end_however_it_ends(url: str) -> None:
    runs, heard = Runs(url), []
    with runs.begun("by hand", "user", BAR, Options()) as lease:
        lease.on_message = lambda step: heard.append((step.step, step.model, step.state))
        with lease.step("load") as detail:
            detail["rows"] = 10
            assert steps(runs, lease)["load", None].state == "running"
            assert not lease.is_done("load")
        assert lease.is_done("load")
        with pytest.raises(RuntimeError), lease.step("train", "gbm"):
            raise RuntimeError("it\nfails")
        with pytest.raises(SystemExit), lease.step("train", "ridge"):
            raise SystemExit(143)
        lease.failed("evaluate", "gbm", "no forecasts")
        result = steps(runs, lease)
    load = result["load", None]
    assert (load.state, load.detail, load.error, load.attempts) == ("done", {"rows": 10}, None, 1)
    assert load.ended_at is not None
    assert load.seconds is not None
    assert load.ended_at >= load.started_at
    gbm = result["train", "gbm"]
    assert (gbm.state, gbm.error) == ("failed", "it fails")
    assert gbm.detail is not None
    assert "RuntimeError" in gbm.detail["traceback"]
    assert (result["train", "ridge"].state, result["train", "ridge"].error) == ("stopped", None)
    assert (result["evaluate", "gbm"].state, result["evaluate", "gbm"].error) == ("failed", "no forecasts")
    assert heard[:4] == [
        ("load", None, "running"),
        ("load", None, "done"),
        ("train", "gbm", "running"),
        ("train", "gbm", "failed"),
    ]


def test_a_step_in_which_the_process_is_killed_again_and_again_is_given_up(url: str) -> None:
    runs = Runs(url)
    with runs.begun("by hand", "user", BAR, Options()) as lease:
        begun = [lease.step("train", "lstm") for _ in range(MOST_ATTEMPTS)]
        for attempt, step in enumerate(begun, 1):
            step.__enter__()  # and never left, as by a process that is killed
            assert steps(runs, lease)["train", "lstm"].attempts == attempt
        with pytest.raises(ValueError, match=f"ended {MOST_ATTEMPTS} times in it"), lease.step("train", "lstm"):
            raise AssertionError("it is not begun")
        assert steps(runs, lease)["train", "lstm"].state == "failed"


def test_who_has_lost_the_connection_can_write_no_more_and_another_takes_over(url: str) -> None:
    runs = Runs(url)
    run_id = runs.request("by hand", "user", BAR)
    with runs.taken() as lease:
        assert lease is not None
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        with pytest.raises(StorageError), lease.step("load"):
            raise AssertionError("it is not begun")
    with runs.taken() as lease:
        assert lease is not None
        assert lease.run.run_id == run_id


def test_what_cannot_be_resumed_is_told_in_one_line(url: str) -> None:
    runs = Runs(url)
    with pytest.raises(ValueError, match="no run 'x'"), runs.resumed("x"):
        pass
    with runs.begun("by hand", "user", BAR, Options()) as lease:
        lease.finish()
    with pytest.raises(ValueError, match="is done"), runs.resumed(lease.run.run_id):
        pass


def test_a_database_without_tables_or_answer_is_told_in_one_line(servers: Servers) -> None:
    with pytest.raises(StorageError, match="no table of runs yet"):
        Runs(servers.database_url).newest()
    with pytest.raises(StorageError, match="does not answer"):
        Runs("postgresql://me:secret@127.0.0.1:1/x").newest()
