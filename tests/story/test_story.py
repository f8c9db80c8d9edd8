"""The whole story on the stack that `foretick up` starts, with nothing left out and seen from outside only.

The bundled sample is replayed; then the market changes (`story_market`), and all that follows is nobody's doing: an
alarm, an alert, a training, a challenger, a promotion. The user takes it back.
"""

import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from browsing import chromium, tab
from default_stack import Stack, up
from notebooks import code, executed, without_figures
from receiver import Receiver
from stored_market import SAMPLE_BARS, SAMPLE_END, SYMBOLS, everything_is_stored
from story_market import MINUTE_MS, continued, written

from alerts.delivery.webhook_signature import verify
from settings import ROOT
from stack.component_table import NAMES

pytestmark = [
    pytest.mark.services,
    pytest.mark.browser,
    pytest.mark.chaos,
    pytest.mark.slow,
    pytest.mark.timeout(1_500),
]

NOTEBOOK = ROOT / "docs/notebooks/topics.ipynb"
PART, MOST = 480, 4_800
"""Bars of each symbol that are replayed at once after the sample, and in all at most."""
DELAY = 900
"""Bars after the change within which drift must be raised."""
SETTINGS = {
    "FORETICK_SAMPLE_PACE": "max",
    "FORETICK_SAMPLE_RUN": "false",  # the drift's run is to be the first
    "FORETICK_RETRAIN_CRON": "never",  # drift alone
    "FORETICK_RETRAIN_COOLDOWN_HOURS": "1000",  # once
    "FORETICK_RETRAIN_DAYS": "7.1",
    "FORETICK_PROMOTE_BARS": "200",
    "FORETICK_ALERTS_ALLOW_PRIVATE": "true",
}
SAYS = {
    "models history": "trained and put into service no challenger; the next may come from the next training",
    "models list": "gbm champion",
    "skill": "skill and coverage in %, until 2025-06-03",
    "drift": "1m bars from 2025-05-24 00:00 to 2025-06-03",
    "pipeline list": "no run yet; the next training: when a drift is found",
    "alerts list": "drift: any",
}
HELD = "SELECT objid, classid, pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
SERVED = "SELECT DISTINCT version FROM predictions WHERE model = %s AND role = 'champion'"
SERVING = "SELECT DISTINCT symbol FROM model_events WHERE event = 'serving' AND model = %s AND number = %s"
DRIFTS = "SELECT kind FROM drift WHERE model = 'gbm' AND time > to_timestamp(%s / 1000.0)"
BEGAN = "SELECT min(time) FROM predictions WHERE model = %s AND version = %s"
GAINS = """
SELECT version, avg((naive_pinball - pinball) / (naive_pinball + pinball)) FROM scores
WHERE model = %s AND time >= %s GROUP BY version
"""


class Market:
    """Replays what comes after the sample, with `foretick replay`, a part at a time."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self._stack, self._folder, self._frames = stack, folder, continued(MOST)
        self.sent = 0

    def go_on(self) -> None:
        """Replay the next part, unless the trainer is at work: then a real market's bars would be minutes apart."""
        if self._stack.sql("SELECT FROM pipeline_runs WHERE state IN ('queued', 'running')"):
            return
        assert self.sent < MOST, f"{MOST} bars did not lead there\n{self._stack.said()}"
        files = written(self._frames, slice(self.sent, self.sent + PART), self._folder / str(self.sent))
        counts = self._stack.foretick("replay", *map(str, files))
        assert counts["sent"] == PART * len(SYMBOLS)
        self.sent += PART

    @property
    def bars(self) -> int:
        """Return how many bars of each symbol the stack has been given."""
        return SAMPLE_BARS + self.sent


@pytest.fixture(scope="module")
def receiver() -> Any:
    with Receiver().listening() as result:
        yield result


def decisions(stack: Stack, action: str) -> list[Any]:
    """Return the decisions of that kind, of all models, in their order."""
    return [one for one in stack.foretick("models", "history") if one["action"] == action]


def test_the_default_stack_serves_forecasts_scores_and_alerts(
    tmp_path: Path, receiver: Receiver, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with up(SETTINGS) as stack:
        assert "there is no rule" in stack.run("alerts", "tail").stdout
        key = stack.foretick("alerts", "subscribe", "ops", "--webhook", "-", "--rule", "planted", typed=receiver.url)
        stack.foretick("alerts", "add", "planted", "--on", "drift", "--when", "any", "--model", "gbm")
        components_work_and_each_holds_a_lock_of_its_own(stack)
        bars_become_forecasts_outcomes_and_skill(stack)
        monkeypatch.setenv("FORETICK_KAFKA", f"127.0.0.1:{stack.addresses['kafka_open_port']}")
        a_notebook_reads_the_topics(capsys, tmp_path)

        market = Market(stack, tmp_path)
        drift_is_found_and_told(stack, market, receiver, key["key"])
        run = drift_leads_to_a_training(stack)
        promoted = the_new_version_challenges_and_wins(stack, market)
        the_user_takes_it_back(stack, market, promoted)

        stack.until("all is stored", lambda: everything_is_stored(stack, market.bars), 300)
        mlflow_has_the_run(stack, run, promoted)
        the_api_answers(stack, promoted)
        the_dashboard_answers(stack)
        every_component_is_well(stack)


def components_work_and_each_holds_a_lock_of_its_own(stack: Stack) -> None:
    """Then both lose their sessions, as at a failover of the database, and each has its own again."""
    held = stack.until("alerts and the watch each hold a lock", lambda: two_holders(stack), 300)
    stack.sql("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", list({pid for *_, pid in held}))
    before = {pid for *_, pid in held}
    stack.until(
        "each holds its own again", lambda: before.isdisjoint(pid for *_, pid in two_holders(stack) or held), 300
    )


def two_holders(stack: Stack) -> list[tuple[Any, ...]]:
    """Return who holds which lock, where two sessions hold one each; nothing if not."""
    held = stack.sql(HELD)
    return held if len({pid for *_, pid in held}) == len({lock[:2] for lock in held}) == 2 else []


def bars_become_forecasts_outcomes_and_skill(stack: Stack) -> None:
    stack.until("the sample is stored", lambda: everything_is_stored(stack, SAMPLE_BARS), 600)
    stack.until("the watch has come so far", lambda: skill_until(stack) > SAMPLE_END - 120 * MINUTE_MS, 300)
    assert {row["model"] for row in stack.foretick("skill")} == {"naive", "online", "gbm"}
    statuses = dict(stack.sql("SELECT status, count(*) FROM outcomes GROUP BY status"))
    assert statuses["scored"] > 0.99 * sum(statuses.values())
    assert stack.foretick("drift") == []
    a_newcomer_is_told_how_it_is(stack)


def a_notebook_reads_the_topics(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    notebook, shown, fresh = executed(NOTEBOOK, capsys, tmp_path)
    now = [cell["outputs"] for cell in code(notebook)]
    assert without_figures(now) == without_figures(shown), f"cp {fresh} {NOTEBOOK}"
    assert now[-1][0]["text"] == ["read twice: set()\n"]


def a_newcomer_is_told_how_it_is(stack: Stack) -> None:
    """Each command has something true to say, or says what it waits for, on a terminal of 80 columns."""
    fields = {words: stack.run(*words.split()).stdout for words in SAYS}
    for words, says in SAYS.items():
        assert says in " ".join(fields[words].split()), fields[words]
        assert max(map(len, fields[words].splitlines())) <= 80, fields[words]


def skill_until(stack: Stack) -> int:
    """Return until which bar the newest skills are, 0 if there are none."""
    return max((row["time"] for row in stack.foretick("skill")), default=0)


def drift_is_found_and_told(stack: Stack, market: Market, receiver: Receiver, key: str) -> None:
    stack.until("drift of gbm", lambda: stack.sql(DRIFTS, SAMPLE_END), 600, market.go_on)
    alarms = [alarm["time"] for alarm in stack.foretick("drift")]
    assert SAMPLE_END < min(alarms) <= SAMPLE_END + DELAY * MINUTE_MS
    stack.until("an alert is delivered", lambda: receiver.requests, 120)
    headers, body = receiver.requests[0]
    reporter = receiver.documents()[0]["alerts"][0]
    assert (reporter["rule"], reporter["model"], reporter["time"] > SAMPLE_END) == ("planted", "gbm", True)
    assert verify(key, headers, body, time.time())
    delivered = stack.sql("SELECT alert_id FROM alert_deliveries WHERE subscriber = 'ops' AND state = 'delivered'")
    assert (reporter["alert_id"],) in delivered
    assert reporter["alert_id"] in stack.run("alerts", "tail").stdout
    (rule,) = stack.foretick("alerts", "list")["rules"]
    assert rule["alerts"] >= 1


def drift_leads_to_a_training(stack: Stack) -> Any:
    """Return the run."""

    def ended() -> Any:
        runs = [run for run in stack.foretick("pipeline", "list") if run["requested_by"] == "drift"]
        assert not [run for run in runs if run["state"] == "failed"], stack.said()
        return [run for run in runs if run["state"] == "done"]

    return stack.until("a training that drift has asked for", ended, 900)[-1]


def the_new_version_challenges_and_wins(stack: Stack, market: Market) -> Any:
    """Return the decision."""
    stack.until("a challenger", lambda: decisions(stack, "challenge"), 300)
    promoted = stack.until("a promotion", lambda: decisions(stack, "promote"), 900, market.go_on)[0]
    model, new, old = promoted["model"], promoted["champion"], promoted["standby"]
    assert promoted["decided_by"] == "sequential test"
    assert any(
        (one["model"], one["champion"], new in one["challengers"]) == (model, old, True)
        for one in decisions(stack, "challenge")
    )
    assert promoted["evidence"]["e_value"] >= 20
    assert promoted["evidence"]["bars"] >= int(SETTINGS["FORETICK_PROMOTE_BARS"])
    it_serves(stack, market, promoted)
    ((began,),) = stack.sql(BEGAN, model, new)
    gains = dict(stack.sql(GAINS, model, began))
    assert gains[new] > gains[old]
    return promoted


def it_serves(stack: Stack, market: Market, made: Any) -> None:
    """Wait until a decision's champion predicts the bars of every symbol."""
    everywhere = [(symbol,) for symbol in SYMBOLS]
    stack.until(
        f"{made['action']} takes effect",
        lambda: sorted(stack.sql(SERVING, made["model"], made["number"])) == everywhere,
        300,
        market.go_on,
    )


def the_user_takes_it_back(stack: Stack, market: Market, promoted: Any) -> None:
    model = promoted["model"]
    taken_back = stack.foretick("models", "rollback", model, "--why", "to see that it can be done")
    made, answer = taken_back["deployment"], taken_back["answer"]
    assert (made["champion"], made["standby"]) == (promoted["standby"], promoted["champion"])
    assert (answer["version"], answer["event"]) == (promoted["standby"], "loaded")
    it_serves(stack, market, made)
    assert {version for (version,) in stack.sql(SERVED, model)} == {promoted["champion"], promoted["standby"]}
    standing = {row["version"]: row["role"] for row in stack.foretick("models", "list") if row["model"] == model}
    assert standing[promoted["standby"]] == "champion"


def mlflow_has_the_run(stack: Stack, run: Any, promoted: Any) -> None:
    shown = stack.foretick("pipeline", "show", run["run_id"])["run"]
    address = f"{stack.addresses['mlflow_uri']}/api/2.0/mlflow"
    result = httpx.get(f"{address}/runs/get", params={"run_id": shown["mlflow_run_id"]}).json()["run"]
    assert result["info"]["status"] == "FINISHED"
    named = {"filter": f"name='foretick-{promoted['model']}'"}
    versions = httpx.get(f"{address}/model-versions/search", params=named).text
    assert promoted["champion"] in versions


def the_api_answers(stack: Stack, promoted: Any) -> None:
    address = f"http://127.0.0.1:{stack.addresses['api_port']}/v1"
    token = (stack.home / "api.token").read_text().strip()

    def rows(path: str, **asked: str | int) -> Any:
        answer = httpx.get(f"{address}/{path}", params=asked, headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.text
        return answer.json()["rows"]

    assert {row["model"]: row["champion"] for row in rows("models")}[promoted["model"]] == promoted["standby"]
    assert any(row["model"] == "gbm" and row["time"] > SAMPLE_END for row in rows("drift"))
    assert any(row["rule"] == "planted" for row in rows("alerts"))
    newest = [row for row in rows("predictions/latest", symbol="BTCUSDT") if row["model"] == promoted["model"]]
    assert {row["version"] for row in newest} == {promoted["standby"]}
    assert {row["symbol"] for row in rows("symbols")} == set(SYMBOLS)
    assert rows("skill", symbol="BTCUSDT", interval="1m", horizon=1)


def the_dashboard_answers(stack: Stack) -> None:
    address = f"http://127.0.0.1:{stack.addresses['dashboard_port']}/"
    assert httpx.get(f"{address}health").status_code == 200

    ((close,),) = stack.sql("SELECT close FROM bars WHERE symbol = 'BTCUSDT' ORDER BY time DESC LIMIT 1")
    shown = f"BTCUSDT {close:,.2f} · Foretick"

    with chromium() as browser, tab(browser) as page:
        page.goto(address)
        stack.until("the page shows the newest price", lambda: page.title() == shown, 60)
        text = page.evaluate("Bokeh.documents[0].get_model_by_name('board').text")
    assert all(model in text for model in ("naive", "online", "gbm")), text


def every_component_is_well(stack: Stack) -> None:
    """Nothing was restarted but what ends with its session, nothing was given up, nothing waits but the trainer."""

    def well() -> Any:
        result = stack.foretick("status")
        good = all(one["good"] for one in result["components"].values()) and not any(result["lag"].values())
        return result if good else None

    result = stack.until("every component is well", well, 120)
    assert set(result["components"]) == set(NAMES)
    states = {name: one["state"] for name, one in result["components"].items()}
    assert states == {name: "waiting" if name == "trainer" else "healthy" for name in NAMES}
    assert {name for name, one in result["components"].items() if one["restarts"]} == {"watch"}
    assert {one["state"] for one in result["steps"].values()} == {"done"}
    session = Path(f"/proc/{result['components']['trainer']['pid']}/autogroup")
    assert not session.exists() or session.read_text().split()[-2:] == ["nice", "19"]
    assert stack.sql("SELECT count(*) FROM dead_letters") == [(0,)]
