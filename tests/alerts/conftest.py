"""A stack with the alerts worker, and what the tests do with it."""

from collections.abc import Iterator

import pytest
from alert_runs import COMPONENTS, Alerts
from stacks import running


@pytest.fixture(scope="module")
def alerts() -> Iterator[Alerts]:
    """Run servers, persist and the alerts worker, which may post to this machine."""
    with running(COMPONENTS, environment={"FORETICK_ALERTS_ALLOW_PRIVATE": "true"}) as servers:
        yield Alerts(servers)
