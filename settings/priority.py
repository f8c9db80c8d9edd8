"""The priority of background processes."""

import logging
import os
import time
from pathlib import Path

log = logging.getLogger("foretick")

AUTOGROUP = Path("/proc/self/autogroup")
ATTEMPTS, WAIT_S = 20, 0.1
"""The kernel takes one change in a tenth of a second, of all processes together."""


def lower(niceness: int) -> None:
    """Set this process's niceness, and that of its session if it leads one: what it starts later has both.

    Linux divides the processors between sessions first where autogroups are on, as on Debian: niceness then counts
    among the processes of one session only (sched(7)), and each component of the stack has a session of its own.
    """
    os.nice(niceness)
    if os.getsid(0) != os.getpid():
        return
    for _ in range(ATTEMPTS):
        try:
            AUTOGROUP.write_text(str(niceness))
        except FileNotFoundError:  # no such kernel: niceness counts among all
            return
        except BlockingIOError:
            time.sleep(WAIT_S)
        except OSError as error:
            log.warning("the session keeps its priority: %s: %s", AUTOGROUP, error.strerror)
            return
        else:
            return
    log.warning("the session keeps its priority: %s is busy", AUTOGROUP)
