"""Whoever asks what is stored gets an answer, whatever is stored: the API, the dashboard, the commands."""

import json
import urllib.error
import urllib.request

from bench.fuzz.stack import FuzzedStack
from settings import ADDRESSES
from stack.addresses import HOST

RESOURCES = (
    *("symbols", "predictions/latest", "predictions?symbol=FUZZA", "outcomes?symbol=FUZZA", "skill", "models"),
    *("regimes?symbol=FUZZA", "drift", "alerts", "gaps", "predictions?symbol=BTCUSDT"),
)
COMMANDS = (
    ("dead-letters", "list", "--state", "all"),
    ("models", "list"),
    ("drift",),
    ("skill",),
    ("alerts", "list"),
    ("status",),
)
TIMEOUT_S = 30.0


def unanswered(world: FuzzedStack) -> list[str]:
    """Return a line for each question to the API and the dashboard that gets no answer, or one of 500 and more."""
    addresses = json.loads((world.home / ADDRESSES).read_text())
    token = (world.home / "api.token").read_text().strip()
    pages = [f"http://{HOST}:{addresses['api_port']}/v1/{name}" for name in RESOURCES]
    lines = []
    for url in (*pages, f"http://{HOST}:{addresses['dashboard_port']}/"):
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310 - ours
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - likewise
                answer.read()
        except urllib.error.HTTPError as error:
            if error.code >= 500:
                lines.append(f"{url}: {error.code} {error.read()[:300]!r}")
        except OSError as error:
            lines.append(f"{url}: {error}")
    return lines


def garbled(world: FuzzedStack) -> list[str]:
    """Return a line for each command that fails on what is stored, or prints what does something to a terminal."""
    lines = []
    for command in COMMANDS:
        try:
            text = world.foretick(*command)
        except AssertionError as error:
            lines.append(str(error))
        else:
            results = {char for char in text if not (char.isprintable() or char in "\n\t")}
            if results:
                lines.append(f"{' '.join(command)} prints {results}")
    return lines
