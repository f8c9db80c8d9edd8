"""`foretick topics skip` and what is typed wrong there and to `foretick dead-letters`; no server is needed for it."""

import subprocess
import sys
from pathlib import Path

import pytest
from stacks import environment_of

from settings import ROOT
from stream.skips import Skips


def foretick(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "cli.main", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment_of(home), capture_output=True, text=True, check=False)


def test_a_skip_is_for_those_who_read_the_topic_until_it_is_undone(tmp_path: Path) -> None:
    skip = ("topics", "skip", "bars", "2", "17")
    done = foretick(tmp_path, *skip, "--why", "no good")
    assert done.stdout == "bars, partition 2, offset 17: passed over by worker, persist\n"
    for group in ("worker", "persist"):
        assert Skips(tmp_path / "skips.json", group).of("bars") == {(2, 17): "passed over by hand: no good"}  # type: ignore[arg-type]
    foretick(tmp_path, *skip, "--group", "worker", "--undo")
    assert Skips(tmp_path / "skips.json", "worker").of("bars") == {}
    assert Skips(tmp_path / "skips.json", "persist").of("bars") != {}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("topics", "skip", "weather", "0", "1"), "no topic 'weather'; the topics are ticks, gaps"),
        (("topics", "skip", "models", "1", "1"), "models has the partitions 0 to 0, not 1"),
        (("topics", "skip", "models", "0", "1", "--group", "all"), "--group 'all' is none of worker, persist, alerts"),
        (("topics", "skip", "models", "0", "1", "--group", "persist"), "persist does not read models; worker do"),
        (("dead-letters", "list", "--state", "old"), "--state 'old' is none of new, retried, dropped, all"),
        (("dead-letters", "show", "bars"), "'bars' names no letter; they are TOPIC/PARTITION/OFFSET[/ROW]"),
        (("dead-letters", "retry", "bars/0/1", "bars/x/1"), "'bars/x/1' names no letter"),
        (("dead-letters", "drop", "bars/0"), "'bars/0' names no letter"),
    ],
)
def test_wrong_input_gets_one_line(tmp_path: Path, arguments: tuple[str, ...], line: str) -> None:
    found = foretick(tmp_path, *arguments)
    assert found.returncode == 2
    assert line in found.stderr
    assert len(found.stderr.splitlines()) == 1
