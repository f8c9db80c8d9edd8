"""The writing actions apart from a server: their tokens, requests, results, the trail in the log, and the button."""

import html
import logging
import re
from collections.abc import Iterator

import msgspec
import pytest

from dashboard.actions.action import Action, ActionError, ActionRequest
from dashboard.actions.button import Field, button
from dashboard.actions.handler import Actions
from dashboard.actions.page_token import LIFE_S, PageTokens
from dashboard.serve import is_loopback
from settings import Settings


class Count(ActionRequest):
    """A request of a made-up action."""

    number: int


def count(settings: Settings, request: Count) -> str:
    """Do it, but not below zero."""
    if request.number < 0:
        raise ActionError("the number is\nnegative")
    return f"{10 // request.number} on {settings.home.name or 'root'}"


@pytest.fixture
def actions() -> Iterator[Actions]:
    """The made-up action on a database that does not answer."""
    settings = Settings.model_validate({"home": "/", "database_url": "postgresql://foretick@127.0.0.1:1/foretick"})
    made = Actions(settings, [Action("count", Count, count)])
    yield made
    made.stop()


@pytest.mark.parametrize(
    ("body", "status", "line", "outcome"),
    [
        (b'{"number": 5, "reason": "to see"}', 200, "2 on root", "done"),
        (b'{"number": -1, "reason": "to see"}', 409, "the number is negative", "failed"),
        (b'{"number": 0, "reason": "to see"}', 500, "it failed (ZeroDivisionError", "failed"),
        (b'{"number": 5, "reason": "  "}', 400, "the request is not valid", "failed"),
        (b'{"number": 5}', 400, "the request is not valid", "failed"),
        (b'{"number": 5, "reason": "to see", "more": 1}', 400, "the request is not valid", "failed"),
        (b'{"number": 5, "reason": "\xff"}', 400, "the request is not valid", "failed"),
    ],
)
def test_an_action_answers_in_one_line_and_is_in_the_audit_log(
    actions: Actions, caplog: pytest.LogCaptureFixture, body: bytes, status: int, line: str, outcome: str
) -> None:
    with caplog.at_level(logging.INFO, "foretick.audit"):
        answer = actions.do(actions.by_name["count"], "ops", "127.0.0.1", body)
    assert (answer.status, answer.line[: len(line)]) == (status, line)
    assert "\n" not in answer.line
    trail = [one.getMessage() for one in caplog.records if one.name == "foretick.audit"]
    assert trail[0].startswith(f"action count {outcome} by dashboard")
    assert "in this log only" in trail[1]


def test_a_token_is_of_one_page_one_server_and_one_day() -> None:
    now = [1_000.0]
    tokens, others = PageTokens(lambda: now[0]), PageTokens(lambda: now[0])
    token = tokens.issue("ops")
    assert tokens.page_of(token) == "ops"
    assert others.page_of(token) is None
    assert tokens.page_of(token.replace("ops", "live")) is None
    assert tokens.page_of(re.sub(r"\.\d+\.", ".99999999999.", token)) is None
    now[0] += LIFE_S
    assert tokens.page_of(token) is None


def test_a_button_carries_data_as_text() -> None:
    hostile = '"><script>alert(1)</script>'
    shown = button(
        "mute", hostile, {"rule": hostile}, title=hostile, text=hostile, fields=[Field(name="hours", label=hostile)]
    )
    assert "<script>" not in shown
    request = re.search(r'data-request="([^"]*)"', shown)
    assert request is not None
    assert msgspec.json.decode(html.unescape(request[1])) == {"rule": hostile}


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104 - nothing is bound
        ("::", False),
        ("192.168.1.5", False),
        ("foretick.example", False),
    ],
)
def test_loopback_addresses_need_no_password(address: str, loopback: bool) -> None:
    assert is_loopback(address) is loopback
