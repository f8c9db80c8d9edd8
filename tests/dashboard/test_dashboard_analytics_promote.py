"""Promote and roll back by button, on a real ledger, and the audit trail of both."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest
from dashboard_market import Market, serving
from judged_market import CHALLENGER, CHAMPION, JudgedMarket
from playwright.sync_api import Page, expect
from pydantic import SecretStr
from stacks import Servers, kafka_environment
from storing import aside

from broker.confirmed_send import KafkaWriter
from dashboard.actions.action import ActionError
from dashboard.analytics import actions
from dashboard.analytics.actions import PromoteRequest, RollbackRequest
from learning.deployment.ledger import Ledger
from models.registry import model_registry
from settings import Settings
from stack.prepare import prepare
from topics.catalog import MODEL_EVENTS
from topics.records import ModelEvent

pytestmark = [pytest.mark.services, pytest.mark.browser]

T = TypeVar("T")

AUDIT = "SELECT action, outcome, reason, result, request FROM dashboard_actions ORDER BY time"
WAIT_MS = 20_000


@pytest.fixture
def settings(servers: Servers, new_market: Callable[[], Market], tmp_path: Path) -> Settings:
    """A judged market with a ledger in which gbm serves, and a folder with its two versions."""
    url = new_market().url
    JudgedMarket(100).store(url)
    settings = Settings(home=tmp_path, **servers.as_stack(), database_url=SecretStr(url))
    for version in (CHAMPION, CHALLENGER):
        artifact = tmp_path / "models" / "gbm" / version / "model.json"
        artifact.parent.mkdir(parents=True)
        artifact.write_text("{}")

    def begin() -> None:
        prepare(settings)
        model_registry.serve(tmp_path / "models", {"gbm": CHAMPION})
        ledger = Ledger(settings)
        ledger.decide("gbm", "serve", CHAMPION, decided_by="foretick train", why="trained")
        ledger.decide("gbm", "challenge", CHALLENGER, decided_by="pipeline", why="a run")

    aside(begin)
    return settings


@pytest.fixture
def worker(settings: Settings) -> Iterator[None]:
    """What a worker says of each decision: that its champion is loaded."""
    ended = threading.Event()

    async def load(number: int, version: str) -> None:
        writer = KafkaWriter(settings.broker)
        event = ModelEvent(
            model="gbm", version=version, event="loaded", fingerprint="f", time=1, number=number, role="champion"
        )
        await writer.send([(MODEL_EVENTS, "gbm", [event])])
        await writer.stop()

    def work() -> None:
        seen = 2
        while not ended.wait(0.2):
            newest = Ledger(settings).latest()["gbm"]
            if newest.number > seen and newest.champion is not None:
                seen = newest.number
                asyncio.run(load(newest.number, newest.champion))

    thread = threading.Thread(target=work)
    thread.start()
    yield
    ended.set()
    thread.join()


def confirm(page: Page, reason: str, said: str) -> None:
    """Give the reason, confirm, wait for the result, and close the dialog."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill(reason)
    dialog.locator("[type=submit]").click()
    expect(dialog.get_by_role("status")).to_contain_text(said, timeout=WAIT_MS)
    dialog.get_by_role("button", name="Close").click()


@pytest.mark.usefixtures("worker")
def test_a_challenger_is_promoted_and_rolled_back_by_button_and_both_are_in_the_log_and_the_audit_trail(
    page: Page, settings: Settings
) -> None:
    database, kafka = settings.database_url.get_secret_value(), kafka_environment(settings)
    with serving(database, settings.kafka, settings.home, "--stale-after", "3600", more=kafka) as address:
        page.goto(f"{address}analytics?model=gbm")
        page.get_by_role("button", name=f"Promote {CHALLENGER}").click(timeout=WAIT_MS)
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("The e-value is")
        expect(dialog).to_contain_text(f"{CHAMPION} becomes the standby")
        dialog.locator("[type=submit]").click()  # without a reason nothing is sent
        expect(dialog).to_be_visible()
        confirm(page, "better on <every> horizon", f"version {CHALLENGER} serves")
        page.get_by_role("button", name=f"Roll back to {CHAMPION}").click(timeout=WAIT_MS)
        expect(dialog).to_contain_text("better on <every> horizon")
        confirm(page, "it was a trial", f"version {CHAMPION} serves")
        expect(page.locator(".log").get_by_text("rollback")).to_be_visible(timeout=WAIT_MS)
        page.goto("about:blank")
    promoted, rolled = Ledger(settings).history("gbm")[2:]
    assert (promoted.action, promoted.champion, promoted.standby) == ("promote", CHALLENGER, CHAMPION)
    assert (promoted.decided_by, promoted.why) == ("dashboard", "better on <every> horizon")
    assert promoted.evidence is not None
    assert promoted.evidence["bars"] > 0
    assert (rolled.action, rolled.champion) == ("rollback", CHAMPION)
    with psycopg.connect(database) as connection:
        audit = connection.execute(AUDIT).fetchall()
    assert [(action, outcome, reason) for action, outcome, reason, *_ in audit] == [
        ("promote", "done", "better on <every> horizon"),
        ("rollback", "done", "it was a trial"),
    ]


def test_a_decision_that_was_made_meanwhile_is_not_overruled(settings: Settings) -> None:
    stale = PromoteRequest(model="gbm", version=CHALLENGER, number=1, reason="late")
    early = RollbackRequest(model="gbm", number=2, reason="early")
    wrong = PromoteRequest(model="gbm", version="none", number=2, reason="wrong")
    with pytest.raises(ActionError, match="another decision"):
        aside(lambda: actions.promote(settings, stale))
    with pytest.raises(ActionError, match="none to go back to"):
        aside(lambda: actions.rollback(settings, early))
    with pytest.raises(ActionError, match="no version"):
        aside(lambda: actions.promote(settings, wrong))
    assert len(Ledger(settings).history("gbm")) == 2
