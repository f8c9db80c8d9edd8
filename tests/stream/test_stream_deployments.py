"""Versions take each other's place on the real stack: no bar without its champion, none with two, whatever happens."""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from deploying import (
    EVENTS,
    asked,
    assert_one_champion_a_bar,
    bars_of,
    champions,
    first_bars,
    home_with_second_versions,
    ledger_of,
    streaming,
)
from stacks import Servers, environment_of, running
from stream_runs import COMPONENTS, Run
from waiting import until

from features.definition import Definition
from learning.deployment import confirmation
from models.registry import model_registry
from models.serving.deployment import Action
from settings import ROOT
from topics.records import Bar, Deployment

MODELS = ("naive", "online", "gbm")
PLACES = (*COMPONENTS, "deploy")
BARS = 900
pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Home:
    """Models in service, and a second version of naive and gbm that is not."""

    folder: Path
    first: dict[str, str]
    second: dict[str, str]


@pytest.fixture
def home(trained: Path, tmp_path: Path) -> Home:
    folder, second = home_with_second_versions(trained, tmp_path)
    return Home(folder, model_registry.serving(folder), second)


@pytest.fixture
def some(bars: dict[str, list[Bar]]) -> dict[str, list[Bar]]:
    return {symbol: rows[:BARS] for symbol, rows in bars.items()}


def confirmed(servers: Servers, begin: int, made: Deployment, seconds: float) -> confirmation.Confirmation:
    """Return what a worker says to a decision; fails where none has loaded it in time."""
    result = confirmation.answer(servers.broker, begin, made, seconds, 0.0)
    assert result.reply is not None, made
    assert result.reply.event == "loaded", result
    return result


def decide(
    servers: Servers,
    model: str,
    action: Action,
    version: str | None = None,
    *,
    within: float = 30.0,
    force: bool = False,
) -> Deployment:
    """Make a decision and wait until a worker has loaded it."""
    begin = confirmation.end(servers.broker)
    made = ledger_of(servers).decide(model, action, version, decided_by="test", why="a test", force=force)
    confirmed(servers, begin, made, within)
    return made


def test_a_version_challenges_is_promoted_and_taken_back_in_mid_stream(home: Home, some: dict[str, list[Bar]]) -> None:
    first, second = home.first["gbm"], home.second["gbm"]
    with running(PLACES, home.folder) as servers:
        run = Run(servers)
        with streaming(run, some, 0.012):
            until(lambda: bars_of(servers, "gbm", first, "champion") > 700, 60, "the stream flows")
            challenged = decide(servers, "gbm", "challenge", second)
            until(lambda: bars_of(servers, "gbm", second, "challenger") > 60, 60, "it challenges")
            promoted = decide(servers, "gbm", "promote", second)
            until(lambda: bars_of(servers, "gbm", second, "champion") > 60, 60, "it serves")
            taken_back = decide(servers, "gbm", "rollback", within=5.0)
        run.wait(sum(map(len, some.values())) * len(MODELS) * 4)
        assert_one_champion_a_bar(servers, some, MODELS)
        switched, back = first_bars(servers, promoted), first_bars(servers, taken_back)
        assert switched.keys() == back.keys() == some.keys()
        for table in ("predictions", "outcomes"):
            for symbol, rows in champions(servers, "gbm", table).items():
                assert {(at, version) for at, version in rows} == {
                    (at, second if switched[symbol] <= at < back[symbol] else first) for at, _ in rows
                }
        roles = {
            (version, role, min(ats) >= min(since.values()))
            for since, version, role, ats in (
                (switched, first, "standby", times(servers, first, "standby")),
                (back, second, "standby", times(servers, second, "standby")),
            )
        }
        assert roles == {(first, "standby", True), (second, "standby", True)}
        assert max(times(servers, second, "challenger")) < max(switched.values())
        log = ledger_of(servers).history("gbm")
        assert [(one.action, one.champion, one.decided_by) for one in log] == [
            ("serve", first, "foretick train"),
            ("challenge", first, "test"),
            ("promote", second, "test"),
            ("rollback", first, "test"),
        ]
        assert [one.number for one in log[1:]] == [challenged.number, promoted.number, taken_back.number]
        assert model_registry.serving(home.folder) == home.first
        assert not asked(servers, "SELECT * FROM dead_letters")


def command(servers: Servers, *arguments: str) -> Any:
    """Run ``foretick models`` and return what it prints."""
    line = [sys.executable, "-m", "cli.main", "models", *arguments, "--json"]
    environment = environment_of(servers.home)
    done = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, check=True)
    return msgspec.json.decode(done.stdout)


def refused(servers: Servers, *arguments: str) -> str:
    """Return the line with which ``foretick models`` refuses."""
    line = [sys.executable, "-m", "cli.main", "models", *arguments]
    done = subprocess.run(line, cwd=ROOT, env=environment_of(servers.home), capture_output=True, text=True, check=False)
    assert done.returncode == 2, done
    assert done.stderr.count("\n") == 1, done
    return done.stderr


@pytest.mark.long
def test_the_commands_show_what_serves_and_change_it(home: Home, some: dict[str, list[Bar]]) -> None:
    first, second = home.first["gbm"], home.second["gbm"]
    with running(PLACES, home.folder) as servers:
        run = Run(servers)
        run.send([rows[:400] for rows in some.values()])
        run.wait(2 * 400 * 12)
        stands = {(row["model"], row["role"], row["version"]) for row in command(servers, "list")}
        assert stands == {(model, "champion", version) for model, version in home.first.items()}
        text = refused(servers, "promote", "gbm", second)
        assert f"version {second} of model 'gbm' is no challenger; --force --why TEXT promotes it untested" in text
        assert "--force needs --why" in refused(servers, "promote", "gbm", second, "--force")
        assert "there are gbm, naive, online" in refused(servers, "rollback", "oracle")
        there = ", ".join(sorted((first, second)))
        assert f"there are {there}" in refused(servers, "promote", "gbm", "abc", "--force", "--why", "x")
        assert f"version {first} is the first of model 'gbm'" in refused(servers, "rollback", "gbm")
        made = command(servers, "promote", "gbm", second, "--force", "--why", "the user knows")
        assert made["deployment"]["champion"] == made["answer"]["version"] == second
        stands = {(row["role"], row["version"]) for row in command(servers, "list") if row["model"] == "gbm"}
        assert stands == {("champion", second), ("standby", first)}
        (row,) = command(servers, "show", "gbm", second)
        assert (row["role"], row["decided_by"], row["why"]) == ("champion", "user", "the user knows")
        assert row["provenance"]["rows"] == 2 * 4_500
        assert row["age_days"] > 0
        back = command(servers, "rollback", "gbm", "--why", "the user knew not")
        assert back["deployment"]["champion"] == back["answer"]["version"] == first
        assert command(servers, "retire", "online")["deployment"]["action"] == "retire"
        assert {row["model"] for row in command(servers, "list")} == {"naive", "gbm"}
        log = command(servers, "history")
        assert [(one["model"], one["action"], one.get("why", "")) for one in log[-3:]] == [
            ("gbm", "promote", "the user knows"),
            ("gbm", "rollback", "the user knew not"),
            ("online", "retire", ""),
        ]
        run.kill("worker")
        until(lambda: loaded_again(servers, first, back["deployment"]["number"]), 60, "the worker is back")
        run.send([rows[400:500] for rows in some.values()])
        run.wait(2 * 400 * 12 + 2 * 100 * 12)
        expected = {"naive": 1_000, "gbm": 1_000, "online": 800}
        query = "SELECT model, count(*) FROM predictions WHERE horizon = 1 AND role = 'champion' GROUP BY model"
        assert dict(asked(servers, query)) == expected


def loaded_again(servers: Servers, version: str, number: int) -> bool:
    return sum(row[1:4] == (version, "loaded", number) for row in asked(servers, EVENTS)) > 1


def times(servers: Servers, version: str, role: str) -> list[int]:
    query = (
        "SELECT (extract(epoch FROM time) * 1000)::int8 FROM predictions "
        "WHERE model = 'gbm' AND version = %s AND role = %s AND horizon = 1"
    )
    return [row[0] for row in asked(servers, query, version, role)]


@pytest.mark.long
def test_what_is_corrupted_or_of_other_features_is_refused_and_the_old_version_serves_on(
    home: Home, some: dict[str, list[Bar]]
) -> None:
    first, second = home.first["gbm"], home.second["gbm"]
    booster = home.folder / "gbm" / second / "booster.txt"
    booster.write_text(booster.read_text().replace("leaf_value=", "leaf_value=1", 1))
    foreign = store_of_other_features(home.folder)
    with running(PLACES, home.folder) as servers:
        run = Run(servers)
        with streaming(run, some, 0.004):
            until(lambda: bars_of(servers, "gbm", first, "champion") > 700, 60, "the stream flows")
            for version, text in ((second, "SHA-256"), (foreign, "was fitted on features another")):
                begin = confirmation.end(servers.broker)
                made = ledger_of(servers).decide(
                    "gbm", "promote", version, decided_by="test", why="a mistake", force=True
                )
                answer = confirmation.answer(servers.broker, begin, made, 30, 0.0).reply
                assert answer is not None
                assert (answer.event, answer.role, answer.number) == ("refused", "champion", made.number)
                assert text in (answer.reason or "")
            run.kill("worker")  # and also at a start: the standby, the foreign one's champion before, is corrupted too
        run.wait(sum(map(len, some.values())) * len(MODELS) * 4)
        assert_one_champion_a_bar(servers, some, MODELS)
        assert {version for rows in champions(servers, "gbm").values() for _, version in rows} == {first}
        until(lambda: len(refusals(servers)) >= 4, 30, "the refusals are stored")
        assert {(version, number) for version, number in refusals(servers)} == {(second, 2), (foreign, 3), (second, 3)}


def refusals(servers: Servers) -> list[tuple[str, int]]:
    return [(row[1], row[3]) for row in asked(servers, EVENTS) if row[2] == "refused"]


def store_of_other_features(folder: Path) -> str:
    """Store a version of gbm that was fitted on features of another definition."""
    definition = Definition.load(folder)
    (known,) = [
        version
        for version in model_registry.versions(folder, "gbm")
        if version == model_registry.serving(folder)["gbm"]
    ]
    model = model_registry.load(folder, "gbm", known, definition.fingerprint)
    model.fingerprint = "another"
    return model_registry.store(folder, model).name


@pytest.mark.long
@pytest.mark.chaos
def test_sigkill_of_the_worker_in_mid_switch_leaves_one_champion_a_bar(home: Home, some: dict[str, list[Bar]]) -> None:
    """Killed right after a decision was published, before and after the new champion's first bars."""
    first, second = home.first["gbm"], home.second["gbm"]
    with running(PLACES, home.folder) as servers:
        run = Run(servers)
        made: list[Deployment] = []
        with streaming(run, some, 0.03):
            until(lambda: bars_of(servers, "gbm", first, "champion") > 650, 60, "the stream flows")
            for turn, wait_s in enumerate((0.0, 0.02, 0.1, 0.3)):
                champion, action = (second, "promote") if turn % 2 == 0 else (first, "rollback")
                version = second if action == "promote" else None
                ledger = ledger_of(servers)
                served = bars_of(servers, "gbm", champion, "champion")
                made.append(ledger.decide("gbm", action, version, decided_by="test", why="chaos", force=True))
                time.sleep(wait_s)
                run.kill("worker")
                until(lambda: bars_of(servers, "gbm", champion, "champion") > served, 120, f"{champion} serves")  # noqa: B023 - called before the loop goes on
        run.wait(sum(map(len, some.values())) * len(MODELS) * 4)
        assert_one_champion_a_bar(servers, some, MODELS)
        switches = [first_bars(servers, one) for one in made]
        for symbol, rows in champions(servers, "gbm").items():
            begins = [(at[symbol], one.champion) for at, one in zip(switches, made, strict=True) if symbol in at]
            assert begins, symbol
            for at, version in rows:
                assert version == ([first] + [champion for begin, champion in begins if begin <= at])[-1], (symbol, at)
        assert not scored_twice(servers)


def scored_twice(servers: Servers) -> list[tuple[str, int]]:
    """Return the bars that have two outcomes of champions that were scored."""
    query = (
        "SELECT symbol, count(*) FROM outcomes WHERE model = 'gbm' AND role = 'champion' AND status = 'scored' "
        "GROUP BY symbol, time, horizon HAVING count(*) > 1"
    )
    return asked(servers, query)
