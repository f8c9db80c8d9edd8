"""`foretick topics skip` and what is typed wrong there and to `foretick dead-letters`; no server is needed for it."""

import subprocess
import sys
from pathlib import Path

import pytest
from stacks import environment_of

from broker.skipped_records import Skips
from settings import ROOT


def foretick(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "cli.main", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment_of(home), capture_output=True, text=True, check=False)


def test_a_skip_is_for_those_who_read_the_topic_until_it_is_undone(tmp_path: Path) -> None:
    skip = ("topics", "skip", "bars", "2", "17")
    done = foretick(tmp_path, *skip, "--why", "no good")
    assert done.stdout == "bars, partition 2, offset 17: skipped by worker, persist\n"
    for group in ("worker", "persist"):
        assert Skips(tmp_path / "skips.json", group).of("bars") == {(2, 17): "skipped by the user: no good"}
    foretick(tmp_path, *skip, "--group", "worker", "--undo")
    assert Skips(tmp_path / "skips.json", "worker").of("bars") == {}
    assert Skips(tmp_path / "skips.json", "persist").of("bars") != {}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("topics", "skip", "weather", "0", "1"), "there is no topic 'weather': there are ticks, gaps"),
        (("topics", "skip", "models", "1", "1"), "models has the partitions 0 to 0, not 1"),
        (("topics", "skip", "models", "0", "1", "--group", "all"), "--group 'all' is none of worker, persist, alerts"),
        (("topics", "skip", "models", "0", "1", "--group", "persist"), "persist does not read models; worker do"),
        (("dead-letters", "list", "--state", "old"), "--state 'old' is none of new, retried, dropped, all"),
        (("dead-letters", "show", "bars"), "'bars' is no dead letter's name: TOPIC/PARTITION/OFFSET[/ROW]"),
        (("dead-letters", "retry", "bars/0/1", "bars/x/1"), "'bars/x/1' is no dead letter's name"),
        (("dead-letters", "drop", "bars/0"), "'bars/0' is no dead letter's name"),
    ],
)
def test_wrong_input_gets_one_line(tmp_path: Path, arguments: tuple[str, ...], line: str) -> None:
    result = foretick(tmp_path, *arguments)
    assert result.returncode == 2
    assert line in result.stderr
    assert len(result.stderr.splitlines()) == 1
