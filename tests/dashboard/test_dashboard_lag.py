"""What the live page says of the lag while Kafka does not answer."""

import time
from pathlib import Path

from dashboard.lag import GROUPS, LagMonitor
from observability.lag import UNKNOWN
from settings import Settings

WAIT_S = 60.0


def test_a_kafka_that_was_never_there_is_said_and_no_lag_is_made_up(tmp_path: Path) -> None:
    monitor = LagMonitor(Settings(home=tmp_path, kafka="127.0.0.1:1"))
    assert monitor.problem() == ""  # nothing was asked yet
    monitor.start()
    try:
        deadline = time.monotonic() + WAIT_S
        while not monitor.problem() and time.monotonic() < deadline:
            time.sleep(0.05)
        said = monitor.problem()
        assert said.startswith("No answer from Kafka at 127.0.0.1:1 (")
        assert said.endswith("The lag is not known.")
        assert monitor.now() == dict.fromkeys(GROUPS, UNKNOWN)
    finally:
        monitor.stop()
