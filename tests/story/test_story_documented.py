"""Each command that README and docs name, typed on the default stack at 80 columns: how it ends, and what it says."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from browsing import chromium, tab
from default_stack import Stack, up
from stacks import environment_of

from dashboard.site import PAGES as PAGES_SERVED
from dashboard.site import SUBPAGES
from settings import ROOT

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(600)]

PAGES = (
    *("README.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md", "sample/README.md"),
    *(
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "docs").rglob("*.md"))
        if path.parent.name != "reference"  # which is made from the code: tests/docs/test_docs_reference.py
    ),
)
FILES = tuple(str(path) for path in sorted((ROOT / "sample").glob("BTC*.csv.gz")))
WIDTH = 80
TABLES = (
    *("--help", "status", "doctor", "install", "models", "skill", "drift", "explain", "evaluate", "train", "pipeline"),
)
"""The commands whose standard output is for people alone; lines to be copied, and those of others, are not cut."""
FOLLOWED_S = 5.0
"""How long a command that goes on for ever is listened to."""
SETTINGS = {"FORETICK_SAMPLE_PACE": "max", "FORETICK_RETRAIN_CRON": "never", "FORETICK_ALERTS_ALLOW_PRIVATE": "true"}


class Typed(NamedTuple):
    """What is typed, FILES standing for a file of the sample and FOLDER for one of the test's; how it ends and what it
    says. `follows`: it goes on until it is stopped.
    """

    line: str
    says: str
    ends: int = 0
    follows: bool = False


COMMANDS = (
    Typed("--version", r"^foretick \d"),
    Typed("--help", "Usage: .* COMMAND"),
    Typed("up", "already running: http://127.0.0.1:"),
    Typed("up --no-sample", "already running: http://127.0.0.1:"),
    Typed("status", "worker +healthy"),
    Typed("doctor", "postgres"),
    Typed("upgrade --check", r"ok +models +the \d+ in service fit: "),
    Typed("logs worker", "INFO"),
    Typed("logs worker -f", "INFO", follows=True),
    # The stack's own PostgreSQL lets in its owner alone, who creates no roles: tests/storage/test_storage_roles.py.
    Typed("database roles FOLDER", "could not be made: permission denied to create role", ends=2),
    Typed("install", "default +[\\d.]+ GB"),
    Typed("config show", "sample_pace = .max. +# FORETICK_SAMPLE_PACE"),
    Typed("config check", "no fault; 0 settings in the file"),
    Typed("config schema", '"additionalProperties": false'),
    Typed("replay FILES --dry-run", "BTCUSDT"),
    Typed("replay FILES --dry-run --symbol BTCUSDT --interval 1m --zone UTC", "BTCUSDT"),
    Typed("replay FILES --from 2026-01-01 --no-retrain", r"no row is of 2026-01-01", ends=2),
    Typed("replay FILES --from 2031-01-01", r"no row is of 2031-01-01 .*the first row is of 2025-05-04", ends=2),
    Typed("lookahead FILES --bars 2000 --model gbm", "gbm: 12 columns of 2,000 bars\\n +none uses later bars"),
    Typed("features FILES --from 2025-06-02 --to 2025-06-03 -o FOLDER/F.parquet", "F.parquet"),
    Typed("api", "http://127.0.0.1:"),
    Typed("api token create reader --scope read --scope stream", "foretick_"),
    Typed("topics tail predictions", '"symbol":"(BTC|ETH)USDT"'),
    Typed("topics tail predictions -f", '"symbol":"(BTC|ETH)USDT"', follows=True),
    Typed("topics schema predictions", '"quantiles"'),
    Typed("topics list", "predictions"),
    Typed("topics credentials", "no program has a user yet"),
    Typed("topics credentials desk", "sasl.password="),
    Typed("topics credentials desk --replace", "sasl.password="),
    Typed("topics credentials desk --revoke", "desk is removed"),
    Typed("topics skip bars 0 123456 --why 'a test'", "123456"),
    Typed("topics skip bars 0 123456 --undo", "123456"),
    Typed("dead-letters list", "no dead letter|letters"),
    Typed("models list", "gbm"),
    Typed("models history", "gbm"),
    Typed("skill", "gbm"),
    Typed("drift", "drift|alarm|gbm"),
    Typed("explain BTCUSDT/1m/2025-06-01T12:00/gbm", "mean"),
    Typed(
        "alerts add btc-up --on prediction --when 'p_up above 0.53' --symbol BTCUSDT --horizon 15 --rearm 0.51 "
        "--cooldown 30m",
        "btc-up",
    ),
    Typed("alerts add blind --on gap --when any --severity critical", "blind"),
    Typed("alerts add forged --on model-event --when 'event is refused'", "forged"),
    Typed("alerts test btc-up", "btc-up"),
    Typed("alerts subscribe desk --webhook http://127.0.0.1:9/hook", "desk"),
    Typed("alerts list", "btc-up"),
    Typed("alerts mute btc-up 8h", "btc-up"),
    Typed("alerts mute btc-up always", "btc-up"),
    Typed("alerts unmute btc-up", "btc-up"),
    Typed("alerts mute btc-up 8h --symbol BTCUSDT", "btc-up.*BTCUSDT"),
    Typed("alerts mute --symbol BTCUSDT --for 2d", "BTCUSDT"),
    Typed("alerts unmute --symbol BTCUSDT", "BTCUSDT"),
    Typed("alerts tail", "."),
    Typed("alerts unsubscribe desk", "desk"),
    Typed("evaluate FILES --quick --model har", "7 days are too few"),
    Typed("evaluate FILES --months 1 --window 14 --seed 0 --model har", "days too late to train for 2025-05", ends=2),
    Typed("tune ridge FILES --trials 1 --apply", "ridge"),
    Typed("pipeline list", "sample .*the sample was replayed"),
    Typed("pipeline run --model ridge --days 4", "at least 7 are needed", ends=1),
    Typed("train FILES --from 2025-05-20 --to 2025-05-24 --model ridge --as-challenger", "ridge", ends=2),
    Typed("train FILES --from 2025-05-20 --to 2025-05-24", "the worker serves them from its next start"),
    Typed("models rollback gbm", "gbm", ends=2),
    Typed("live list", "."),
    Typed("backup FOLDER", r"foretick-\d+T\d+Z\.zip: [\d,]+ rows of \d+ tables, .*without secrets"),
    Typed("backup FOLDER/backup.zip --secrets FOLDER/secrets.zip", r"secrets\.zip: the secrets"),
    Typed("restore FOLDER --check", "has no backup: they are called", ends=2),  # tests/story/test_story_restored.py
    Typed("restore FOLDER --secrets FOLDER/secrets.zip", "has no backup: they are called", ends=2),
    Typed("restart worker", "worker is healthy again, as process"),
)
ELSEWHERE = {
    "test": "these are they",
    "down": "the end of these",
    "install networks": "tests/stack/test_stack_packages.py: gigabytes",
    "live": "tests/stream/test_stream_live.py, at a venue of its own",
    "alerts test --send": "tests/alerts/test_alerts_settings.py, at a receiver of its own",
    "alerts subscribe me --apprise -": "tests/alerts/test_alerts_mail.py, at a mail server of its own",
}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with up(SETTINGS) as running:
        running.until("the sample is replayed", lambda: _replayed(running), 180)
        # `train`, which is typed below, puts other features in service: a run that began before is refused at its end.
        running.until("the first run ends", lambda: _first_run(running)["state"] in ("done", "failed"), 400)
        assert _first_run(running)["state"] == "done", running.run("pipeline", "list", "--json").stdout
        yield running


def _replayed(stack: Stack) -> bool:
    status = json.loads(stack.run("status", "--json").stdout)
    return bool(status["steps"]["sample"]["state"] == "done" and not any(status["lag"].values()))


def _first_run(stack: Stack) -> dict[str, str]:
    """Return the run that `up` requests, which is the oldest."""
    run: dict[str, str] = stack.foretick("pipeline", "list")[-1]
    return run


def _filled_in(line: str, folder: Path) -> list[str]:
    words: list[str] = []
    for word in shlex.split(line):
        words += FILES if word == "FILES" else [word.replace("FOLDER", str(folder))]
    return words


def _followed(stack: Stack, words: list[str]) -> tuple[str, str]:
    """Listen to a command for a while, then stop it as Ctrl-C does, and return what it said."""
    environment = environment_of(stack.home) | {"COLUMNS": str(WIDTH), **stack.environment}
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", *words],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        return process.communicate(timeout=FOLLOWED_S)
    except subprocess.TimeoutExpired:
        process.send_signal(2)
        lines = process.communicate(timeout=FOLLOWED_S)
        assert process.returncode == 130
        return lines


@pytest.mark.long
@pytest.mark.parametrize("typed", COMMANDS, ids=lambda typed: typed.line)
def test_a_documented_command_does_what_is_documented(stack: Stack, tmp_path: Path, typed: Typed) -> None:
    words = _filled_in(typed.line, tmp_path)
    if typed.follows:
        out, err = _followed(stack, words)
    else:
        done = stack.run(*words)
        out, err = done.stdout, done.stderr
        assert done.returncode == typed.ends, out + err
    assert re.search(typed.says, out + err, re.MULTILINE | re.DOTALL), out + err
    if typed.line.split()[0] in TABLES:
        assert not [line for line in out.splitlines() if len(line) > WIDTH and len(line.split()) > 1]


LOOKED_AT = {
    "live": "chance of a rise",
    "overview": "Newest forecasts",
    "training": "loss held out: last",
    "tuning": "Best trial",
    "inspector": "Importance of the inputs",
    "analytics": "Walk forward",
    "ops": "No symbol is behind",
}
"""What each page says once it has something to show."""


@pytest.mark.long
def test_every_page_has_something_to_show_after_a_first_up(stack: Stack) -> None:
    with chromium() as browser:
        for name, text in LOOKED_AT.items():
            with tab(browser) as page:
                page.goto(f"http://127.0.0.1:{stack.addresses['dashboard_port']}/{name}")
                page.get_by_text(text).first.wait_for(timeout=60_000)


def test_every_page_of_the_site_is_looked_at() -> None:
    assert set(LOOKED_AT) == {page.name for page in (*PAGES_SERVED, *SUBPAGES)}


def _documented() -> set[str]:
    """Return the commands with their subcommands, and the whole lines of what ELSEWHERE names whole."""
    typed = re.compile(r"(?:\./)?foretick ((?!-)[a-z][^`\n#|]*)")
    results: set[str] = set()
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        blocks = re.findall(r"^```sh\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
        inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
        for code in (*"\n".join(blocks).splitlines(), *inline):
            results |= {match.strip() for match in typed.findall(code)}
    return results


GROUPS = {"alerts", "api", "dead-letters", "live", "models", "pipeline", "topics"}


def _name(line: str) -> str:
    words = line.split()
    return " ".join(words[:2]) if words[0] in GROUPS and len(words) > 1 and words[1].islower() else words[0]


def _options(line: str) -> set[str]:
    return set(re.findall(r"(?<= )--?[a-z][a-z-]*", line))


def test_each_command_that_is_documented_is_typed_here_with_its_options() -> None:
    typed: dict[str, set[str]] = {}
    for one in COMMANDS:
        typed.setdefault(_name(one.line), set()).update(_options(one.line))
    here = [line for line in sorted(_documented()) if not any(line.startswith(known) for known in ELSEWHERE)]
    assert [line for line in here if _name(line) not in typed and line not in GROUPS] == []
    assert [line for line in here if _options(line) - typed.get(_name(line), set())] == []
