"""What a trainer that waits says of itself: also that its last run came to nothing, and that another process works."""

from collections.abc import Iterator

import pytest
from stacks import Servers, databases

from learning.runs.queue import Runs
from learning.runs.records import Options
from learning.trainer import Trainer
from observability.condition import Condition
from observability.work_status import WorkStatus
from settings import Settings

pytestmark = pytest.mark.services


@pytest.fixture
def settings(servers: Servers) -> Iterator[Settings]:
    """A database without a row."""
    with databases(servers, "trainer_told") as make:
        yield Settings(database_url=make())


def waits(settings: Settings) -> Condition:
    """Return how a trainer is that has looked once, and has found nothing to do."""
    work_status = WorkStatus(settings)
    assert not Trainer(settings, work_status).once()
    return work_status.condition()


def test_a_trainer_that_waits_says_that_its_last_run_has_failed(settings: Settings) -> None:
    assert waits(settings).text() == "waiting: the first 1m bars"
    with Runs(settings.database_url.get_secret_value()).begun("by hand", "user", None, Options()) as lease:
        assert waits(settings).text() == f"waiting: the end of run {lease.run.run_id}, which another process works on"
        lease.finish("no bars to learn from")
    failed = waits(settings)
    assert failed.why == f"the first 1m bars; the last run, {lease.run.run_id}, failed: no bars to learn from"
    with Runs(settings.database_url.get_secret_value()).begun("again", "user", None, Options()) as lease:
        lease.finish()
    assert waits(settings).text() == "waiting: the first 1m bars"
