"""The whole loop on the real stack: a market changes, and the stream gets a model that knows it, without a pause.

Real minutes with a rule planted in their returns (`planted_market`): until the bar `CHANGE` a return takes back a part
of the one before, from then on it carries it on.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from deploying import asked, assert_one_champion_a_bar, first_bars, ledger_of, until
from planted_market import Rule, planted, records
from stacks import Servers, environment_of, running
from stream_runs import Run

from features.frame import BarFrame
from learning.runs import Runs
from models import provenance, registry, training
from models.gbm import GBM
from models.reference import Reference
from settings import ROOT
from topics.records import Bar

pytestmark = [pytest.mark.services, pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(900)]

TRAINED, CHANGE, END, MOST = 10_300, 11_500, 19_500, 26_000
"""Bars of each symbol: those that the first models are trained on, those before the change, up to where the market is
left to itself at least, and until when the skill must be back."""
DELAY = 900
"""Bars after the change within which drift must be raised."""
PART, JUDGED, LAG, BAD = 20, 1_000, 200, 250
"""Bars that are sent at once, that the last champion is judged by, that may not be scored yet, and that the bad one is
left to serve for: too few for a challenger to win against it first."""
MINUTE_MS, SLOW_S, FAST_S = 60_000, 0.4, 0.08
"""Between two parts: while the trainer is at work, and else. Markets do not wait, but theirs are minutes."""
SETTINGS = {
    # Drift comes first; from two days after the change on there is also a training a day.
    "FORETICK_RETRAIN_CRON": "0 16 14-31 5 *",
    "FORETICK_RETRAIN_DAYS": "7.1",
    "FORETICK_RETRAIN_COOLDOWN_HOURS": "20",
    "FORETICK_PROMOTE_BARS": "300",
}
COMPONENTS = ("kafka", "postgres", "redis", "prepare", "deploy", "worker", "persist", "mlflow", "watch", "trainer")
ERRORS = "SELECT FROM drift WHERE kind = 'errors' AND model = 'gbm'"
FIRST = "SELECT kind, (extract(epoch FROM time) * 1000)::int8 FROM drift ORDER BY time"
GAIN = """
SELECT avg((naive_pinball - pinball) / (naive_pinball + pinball))
FROM scores WHERE model = 'gbm' AND horizon = 1 AND role = 'champion'
    AND time >= to_timestamp(%s / 1000.0) AND time < to_timestamp(%s / 1000.0) GROUP BY time
"""


def trained(folder: Path, bars: list[BarFrame]) -> str:
    """Fit the models that serve at first, and store a bad one beside them; return its version."""
    definition, fitted = training.train(bars, seed=0, models=("gbm",))
    frames = training.features(bars, definition)
    reference = Reference.fit(frames, definition.names, seed=0)
    reference.save(folder)
    origin = provenance.of(bars, definition.fingerprint, 0, reference=reference.id)
    registry.save(folder, definition, fitted, origin)
    bad = GBM(definition.names)
    against = planted((Rule(0, -0.6),), TRAINED)
    bad.fit(training.features(against, definition), seed=1)
    registry.store(folder, bad, provenance.of(against, definition.fingerprint, 1))
    return bad.version


class Feed:
    """Sends bars, in parts and at a steady pace beside what is done inside; `sent` of each symbol are on their way."""

    def __init__(self, run: Run, bars: list[list[Bar]], sent: int) -> None:
        self.run, self.bars, self.sent = run, bars, sent
        self._ended = threading.Event()

    def _pause_s(self) -> float:
        return SLOW_S if Runs(self.run.servers.database_url).unfinished() else FAST_S

    def send(self, until_bar: int) -> None:
        """Send the bars before that one at once."""
        part = [one[self.sent : until_bar] for one in self.bars]
        self.run.send([rows[at : at + 200] for at in range(0, until_bar - self.sent, 200) for rows in part])
        self.sent = until_bar

    @contextmanager
    def paced(self) -> Iterator[None]:
        """Send on until the block is left."""
        failed: list[BaseException] = []
        self._ended.clear()

        def work() -> None:
            try:
                while not self._ended.wait(self._pause_s()) and self.sent + PART <= MOST:
                    self.send(self.sent + PART)
            except BaseException as error:  # noqa: BLE001 - raised below, in the test's own thread
                failed.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()
        if failed:
            raise failed[0]


def foretick(home: Path, *words: str) -> Any:
    """Run a command against the stack in `home` and return what it prints as JSON."""
    command = [sys.executable, "-m", "cli.main", *words, "--json"]
    done = subprocess.run(command, cwd=ROOT, env=environment_of(home), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def mean_gain(servers: Servers, first: int, last: int) -> float:
    """Return the champions' mean gain over naive at the bars of `first <= time < last`; NaN where there is none."""
    gains = [value for (value,) in asked(servers, GAIN, first, last)]
    return float(np.mean(gains)) if gains else float("nan")


def gain_now(servers: Servers, feed: Feed) -> float:
    """Return the mean gain at the last `JUDGED` bars but the newest, whose outcomes may be on their way."""
    time.sleep(0.5)
    end = feed.bars[0][feed.sent - 1].time - LAG * MINUTE_MS
    return mean_gain(servers, end - JUDGED * MINUTE_MS, end)


def test_a_change_of_the_market_leads_to_another_champion_and_a_bad_one_is_taken_back(
    tmp_path: Path,
) -> None:
    market = planted((Rule(0, -0.3), Rule(CHANGE, 0.3)), MOST)
    bad = trained(tmp_path, [frame[:TRAINED] for frame in market])
    bars = [records(frame) for frame in market]
    changed = bars[0][CHANGE].time
    with running(COMPONENTS, models=tmp_path, environment=SETTINGS) as servers:
        ledger = ledger_of(servers)
        feed = Feed(Run(servers), bars, 0)
        feed.send(CHANGE)
        until(lambda: bool(asked(servers, "SELECT FROM model_skill")), 60, "the watch has looked")
        assert not asked(servers, "SELECT FROM drift")

        with feed.paced():
            # Drift, a training, a trial and a promotion: nobody asks for any of it.
            until(lambda: bool(asked(servers, ERRORS)), 120, "drift of the errors")
            until(lambda: any(one.action == "challenge" for one in ledger.history("gbm")), 180, "a challenger")
            until(lambda: any(one.action == "promote" for one in ledger.history("gbm")), 240, "a promotion")
            # A version that was trained across the change is soon followed by one that was not.
            before = mean_gain(servers, bars[0][TRAINED].time, changed)
            assert before > 0
            until(lambda: feed.sent >= END, 600, "the stream has come to its end")
            until(lambda: gain_now(servers, feed) > before / 2, 300, "half of the skill is back")
        until(lambda: not Runs(servers.database_url).unfinished(), 120, "the trainer is done")
        judged = feed.sent

        # A challenger would be promoted over the bad version before anybody takes that back.
        for version in ledger.latest()["gbm"].challengers:
            ledger.decide("gbm", "withdraw", version, decided_by="test", why="a bad version is to serve for a while")
        # A bad model is forced in, and taken back, beside the stream.
        with feed.paced():
            foretick(servers.home, "models", "promote", "gbm", bad, "--force", "--why", "to see what happens")
            forced = ledger.latest()["gbm"]
            good = forced.shadow
            until(lambda: feed.sent >= judged + BAD, 120, "bars to judge the bad one by")
            foretick(servers.home, "models", "rollback", "gbm", "--why", "it is bad")
            taken_back = next(one for one in ledger.history("gbm") if one.number > forced.number)
            until(lambda: len(first_bars(servers, taken_back)) == len(bars), 60, "the one before serves again")
        feed.run.wait(0)

        sent = {one[0].symbol: one[: feed.sent] for one in bars}
        assert_one_champion_a_bar(servers, sent, ("naive", "gbm"))
        raised = asked(servers, FIRST)
        assert changed < raised[0][1] <= changed + DELAY * MINUTE_MS
        runs = asked(servers, "SELECT requested_by, state FROM pipeline_runs ORDER BY requested_at")
        assert runs[0][0] == "drift"
        assert runs[0][1] == "done"
        assert "failed" not in {state for _, state in runs}

        log = ledger.history("gbm")
        assert [one.number for one in log] == list(range(1, len(log) + 1))
        promoted = [one for one in log[: forced.number - 1] if one.action == "promote"]
        assert {one.decided_by for one in promoted} == {"sequential test"}
        assert all(one.evidence and one.evidence["e_value"] >= 20 for one in promoted)
        assert promoted[-1].champion == good
        assert (forced.champion, forced.decided_by) == (bad, "user")
        assert (taken_back.action, taken_back.champion, taken_back.shadow) == ("rollback", good, bad)

        wrong = mean_gain(servers, raised[0][1], min(first_bars(servers, promoted[0]).values()))
        worst = mean_gain(
            servers, max(first_bars(servers, forced).values()), min(first_bars(servers, taken_back).values())
        )
        assert max(wrong, worst) < 0, f"gain over naive before, wrong, bad: {before:.4f} {wrong:.4f} {worst:.4f}"
