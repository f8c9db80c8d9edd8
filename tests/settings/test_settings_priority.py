"""A background process leaves the processor to those of other sessions too, as the stack's components are."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from settings import ROOT
from settings.priority import AUTOGROUP

SPIN = """
import os, sys, time
from settings.priority import lower
os.sched_setaffinity(0, {int(sys.argv[1])})
if int(sys.argv[2]):
    lower(int(sys.argv[2]))
print("ready", flush=True)
end = float(sys.stdin.readline())
before = time.process_time()
while time.monotonic() < end:
    pass
print(time.process_time() - before)
"""
NICE = """
from pathlib import Path
from settings.priority import lower
lower(7)
print(Path("/proc/self/autogroup").read_text())
"""


def spinning(processor: int, niceness: int) -> "subprocess.Popen[str]":
    """Start a process in a session of its own that will use a processor until the time that it is told."""
    return subprocess.Popen(
        [sys.executable, "-c", SPIN, str(processor), str(niceness)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a process on a processor")
def test_a_background_process_gets_little_of_a_processor_that_another_session_wants() -> None:
    processor = min(os.sched_getaffinity(0))
    both = [spinning(processor, niceness) for niceness in (0, 19)]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    # One end for both: the one that gives way may begin late, and would go on alone after a length of time of its own.
    end = time.monotonic() + 2.0
    for process in both:
        assert process.stdin is not None
        process.stdin.write(f"{end}\n")
        process.stdin.flush()
    foreground, background = (float(process.communicate(timeout=60)[0]) for process in both)
    assert background < foreground / 3, (foreground, background)


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="the kernel has no autogroups: niceness counts among all processes")
def test_only_a_process_that_leads_its_session_changes_the_sessions_priority() -> None:
    def said(*, leads: bool) -> str:
        command = [sys.executable, "-c", NICE]
        return subprocess.run(
            command, cwd=ROOT, text=True, capture_output=True, check=True, start_new_session=leads
        ).stdout

    before = Path("/proc/self/autogroup").read_text().split()
    assert said(leads=True).split()[-2:] == ["nice", "7"]
    assert said(leads=False).split()[-2:] == before[-2:]
