"""The first run of the pipeline that the bundled sample asks for."""

from typing import Any

import pytest
from pydantic import SecretStr
from stacks import databases

from learning.runs.queue import Runs
from settings import Settings
from stack.sample import FILES, PACED_FROM, TRIALS, request_first_run


@pytest.mark.services
def test_the_sample_asks_once_for_a_run_on_itself(servers: Any) -> None:
    with databases(servers, "sample") as make:
        settings = Settings(database_url=SecretStr(make()))
        request_first_run(settings)
        request_first_run(settings)
        (run,) = Runs(settings.database_url.get_secret_value()).listed()
    assert (run.requested_by, run.bar_time, run.state) == ("sample", PACED_FROM, "queued")
    assert run.options.files == [str(file) for file in FILES]
    assert (run.options.tune, run.options.keep, run.options.until) == (TRIALS, False, PACED_FROM)


def test_a_sample_without_a_database_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    request_first_run(Settings(database_url=SecretStr("postgresql://127.0.0.1:1/none")))
    assert "no first run of the pipeline" in caplog.text
