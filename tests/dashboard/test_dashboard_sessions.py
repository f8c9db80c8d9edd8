"""Pages that were opened, used and closed leave nothing behind: Bokeh keeps what a Python callback still reaches."""

import gc
import time
from collections import Counter
from pathlib import Path

import pytest
from pydantic import SecretStr

from bench.dashboard import sessions
from dashboard.served_dashboard import ServedDashboard
from dashboard.site_page import SitePage
from settings import Settings

FORGOTTEN_S = 60.0
LEAST_USES = 7
"""Of each page, without anything stored."""


def alive() -> Counter[str]:
    """Return how many pages of each kind this process holds."""
    gc.collect()  # by type(), not isinstance(): that reads `__class__`, and objects of torch answer it with a warning
    return Counter(type(one).__name__ for one in gc.get_objects() if issubclass(type(one), SitePage))


@pytest.mark.long
def test_a_closed_page_whose_widgets_were_used_is_forgotten_and_bokeh_found_no_fault_in_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(
        home=tmp_path,
        database_url=SecretStr("postgresql://127.0.0.1:1/nowhere"),
        mlflow_uri=SecretStr("http://127.0.0.1:1"),
        kafka="127.0.0.1:1",
        dashboard_rate=1_000,
        dashboard_burst=1_000,
    )
    served = ServedDashboard("live", 0, settings)
    try:
        for name in sessions.names():
            assert sessions.use(served.url.rstrip("/"), name) >= LEAST_USES
        assert alive()  # the last is not forgotten yet: there is something to be seen
        deadline = time.monotonic() + FORGOTTEN_S
        while alive() and time.monotonic() < deadline:
            time.sleep(1)
        assert not alive()
        assert [one.getMessage() for one in caplog.records if one.name.startswith("bokeh.core.validation")] == []
    finally:
        served.stop()
