"""An error that nobody expected: the key that it concerns says it, the others go on, and the status turns."""

from contextlib import contextmanager
from typing import Any

import pytest
from waiting import until

from dashboard import reader_thread
from dashboard.failures import LASTS_S, LOGGED_S, Failed, Failures
from dashboard.inspector.version_loader import VersionLoader
from dashboard.lag import LagMonitor
from dashboard.polled_reader import PolledReader
from dashboard.serve import problem_of
from dashboard.service import SiteOptions
from dashboard.tuning.service import TuningPage
from dashboard.wanted_reader import LastRead, WantedReader
from settings import Settings


class Rows:
    """Rows by key, of which those in `odd` are not understood; `opened` counts how often it was opened."""

    def __init__(self) -> None:
        self.odd: set[str] = set()
        self.opened = 0

    @contextmanager
    def connect(self) -> Any:
        self.opened += 1
        yield self

    def read(self, key: str) -> str:
        if key in self.odd:
            raise KeyError("odd")
        return key.upper()


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> Rows:
    monkeypatch.setattr(reader_thread, "RETRY_S", 0.05)
    return Rows()


def polled(rows: Rows) -> PolledReader[Rows, str, str]:
    return PolledReader(rows.connect, Rows.read, period_s=0.02, failures=(OSError,), describe=str)


def test_one_key_that_is_not_understood_leaves_the_others_and_comes_back(
    rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    rows.odd = {"a"}
    reader = polled(rows)
    reader.start()
    try:
        until(lambda: reader.view("a").error and reader.view("b").value == "B")
        assert reader.view("a").value is None
        assert reader.view("b").error is None
        assert "KeyError: 'odd'" in str(reader.view("a").error)
        assert reader.failing == "KeyError: 'odd'"
        until(lambda: reader.view("a").value is None and reader.view("b").value == "B" and rows.opened > 3)
        assert caplog.text.count("the thread polled-reader fails, and tries again") == 1
        assert "Traceback" in caplog.text
        rows.odd.clear()
        until(lambda: reader.view("a").value == "A")
        assert reader.view("a").error is None
        rows.odd = {"a"}
        until(lambda: reader.view("a").error)
        assert reader.view("a").value == "A", "what was read is kept"
        assert reader.alive
    finally:
        reader.stop()


def test_one_viewer_s_wish_that_is_not_understood_leaves_the_others(rows: Rows) -> None:
    rows.odd = {"a"}
    reader: WantedReader[Rows, str, str] = WantedReader(rows.connect, Rows.read, name="wanted", failures=(OSError,))
    reader.start()
    try:
        until(lambda: (reader.view("one", "a"), reader.view("two", "b"))[1] == LastRead("b", "B") and reader.failing)
        assert reader.view("one", "a") is None
        assert "KeyError: 'odd'" in str(reader.failure("one"))
        assert reader.failure("two") is None
        rows.odd.clear()
        until(lambda: reader.view("one", "a") == LastRead("a", "A"))
        assert reader.failure("one") is None
    finally:
        reader.stop()


def test_a_source_that_cannot_be_opened_for_whatever_reason_is_tried_again(rows: Rows) -> None:
    reader: PolledReader[Rows, str, str]

    @contextmanager
    def connect() -> Any:
        rows.opened += 1
        if rows.opened < 3:
            raise ValueError("no such port")
        yield rows

    reader = PolledReader(connect, Rows.read, period_s=0.02, failures=(OSError,), describe=str)
    reader.start()
    try:
        until(lambda: "ValueError: no such port" in str(reader.view("a").error))
        until(lambda: reader.view("a").value == "A")
        assert reader.view("a").error is None
    finally:
        reader.stop()


def test_a_failure_is_told_for_a_while_and_logged_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    now = [100.0]
    failures = Failures("thread", lambda: now[0])
    assert failures.lately is None
    assert failures.attempt(lambda: 1) == 1
    failed = failures.attempt(lambda: int("x"))
    assert isinstance(failed, Failed)
    assert "ValueError: invalid literal" in failed.why
    now[0] += LASTS_S - 1
    assert "invalid literal" in str(failures.lately)
    failures.attempt(lambda: int("y"))
    assert caplog.text.count("Traceback") == 1
    now[0] += LOGGED_S
    assert failures.lately is None
    failures.attempt(lambda: int("z"))
    assert caplog.text.count("Traceback") == 2
    with pytest.raises(ConnectionError):
        failures.attempt(_away, (OSError,))
    assert "'z'" in str(failures.lately)


def _away() -> None:
    raise ConnectionError


def test_the_status_says_which_page_could_not_read_and_that_a_thread_has_ended(rows: Rows, tmp_path: Any) -> None:
    page = TuningPage(SiteOptions(settings=Settings(home=tmp_path)))
    page.reader = polled(rows)
    assert problem_of([page]) is None
    assert page.ended == "the reader of the studies has ended"
    rows.odd = {"a"}
    page.start()
    try:
        until(lambda: page.reader.view("a").error)
        assert page.ended is None
        assert problem_of([page]) == "the page Tuning: the reader of the studies fails (KeyError: 'odd')"
    finally:
        page.stop()
    assert page.ended is not None


def test_what_is_loaded_and_the_components_may_fail_too(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path, kafka="127.0.0.1:1")
    loader = VersionLoader(settings, (str(tmp_path / "no program"),))
    loader.start()
    try:
        until(lambda: loader.view(("a",)).error)
        assert "FileNotFoundError" in loader.view(("a",)).error
        assert loader.alive
        assert "FileNotFoundError" in str(loader.failing)
    finally:
        loader.stop()

    def odd(_: Settings) -> Any:
        raise KeyError("state")

    monkeypatch.setattr("dashboard.lag.shown", odd)
    monitor = LagMonitor(settings)
    monitor.start()
    try:
        until(lambda: monitor.failing)
        assert monitor.failing == "KeyError: 'state'"
        assert monitor.alive
        assert monitor.conditions() == ()
    finally:
        monitor.stop()
    assert not monitor.alive
