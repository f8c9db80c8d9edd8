"""Answers ``POST /actions/NAME``: checks the page's token, does the action in a thread, and writes the audit trail."""

import asyncio
import logging
import re
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import msgspec
from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

from dashboard.actions.action import Action, ActionError, ActionRequest
from dashboard.actions.audit import Entry, write
from dashboard.actions.page_token import HEADER, PageTokens
from settings import Settings
from stack.rate_limit import RateLimiter
from storage.errors import reason

log = logging.getLogger("foretick")

PATH = "/actions/"
WORKERS = 4
LARGEST = 2_000_000
"""The most bytes of a request to the server: a corrected dead letter is the largest."""
REFUSED_RATE, REFUSED_BURST = 0.5, 20
"""Refusals per second that the audit trail takes: a site that floods the dashboard must not fill the database."""


class ActionResponse(NamedTuple):
    """What a request is answered: a status and one line."""

    status: int
    line: str


class Actions:
    """The actions of a server by name. `do` blocks."""

    def __init__(self, settings: Settings, actions: Iterable[Action]) -> None:
        self._settings, self._url = settings, settings.database_url.get_secret_value()
        self.by_name = {action.name: action for action in actions}
        self.tokens = PageTokens()
        self.pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="action")
        self._refusals = RateLimiter(REFUSED_RATE, REFUSED_BURST, time.monotonic)

    def stop(self) -> None:
        """Wait for what is being done."""
        self.pool.shutdown()

    def refuse(self, request: HTTPServerRequest, why: str) -> None:
        """Write down that a request was refused. Never waits."""
        if not self._refusals.wait(""):
            entry = Entry(client=_client(request), action=_name(request.path), outcome="refused", result=why)
            self.pool.submit(write, self._url, entry)

    def do(self, action: Action, page: str, client: str, body: bytes) -> ActionResponse:
        """Do an action for a page; the audit trail has it when this returns."""
        try:
            request = msgspec.json.decode(body, type=action.request)
        except (msgspec.MsgspecError, ValueError) as error:
            entry = Entry(client=client, action=action.name, outcome="failed", result=reason(error), page=page)
            write(self._url, entry)
            return ActionResponse(400, f"the request is not valid: {entry.result}")
        log.info("action %s begins: %s", action.name, request.reason)
        answer = self._run(action, request)
        entry = Entry(
            client=client,
            action=action.name,
            outcome="done" if answer.status == 200 else "failed",
            result=answer.line,
            page=page,
            reason=request.reason,
            request=msgspec.json.encode(request).decode(),
        )
        write(self._url, entry)
        return answer

    def _run(self, action: Action, request: ActionRequest) -> ActionResponse:
        try:
            return ActionResponse(200, action.run(self._settings, request))
        except ActionError as error:
            return ActionResponse(409, reason(error))
        except Exception as error:
            log.exception("action %s failed", action.name)
            return ActionResponse(
                500, f"it failed ({type(error).__name__}: {reason(error)}); the dashboard's log has all of it"
            )


class ActionHandler(RequestHandler):
    """Answers one line of plain text: 200 done, 400 invalid, 403 no token, 404 no such action, 409 not possible."""

    def initialize(self, actions: Actions) -> None:
        """Take the actions."""
        self.actions = actions

    async def post(self, name: str) -> None:
        """Do an action."""
        actions, headers = self.actions, self.request.headers
        action = actions.by_name.get(name)
        page = actions.tokens.page_of(headers.get(HEADER, ""))
        if page is None:
            why = "the page's token is missing, wrong or too old: reload the page"
            actions.refuse(self.request, why)
            answer = ActionResponse(403, why)
        elif action is None:
            answer = ActionResponse(404, "there is no such action")
        elif headers.get("Content-Type", "").partition(";")[0].strip() != "application/json":
            answer = ActionResponse(415, "an action's request is application/json")
        else:
            asked = (action, page, _client(self.request), self.request.body)
            answer = await asyncio.get_running_loop().run_in_executor(actions.pool, actions.do, *asked)
        self.set_status(answer.status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.finish(f"{answer.line}\n")


def _client(request: HTTPServerRequest) -> str:
    return request.remote_ip or "unknown"


def _name(path: str) -> str:
    """Return a path's action, fit for a log: the path is a stranger's."""
    return re.sub(r"[^A-Za-z0-9_-]", "?", path.removeprefix(PATH))[:60]
