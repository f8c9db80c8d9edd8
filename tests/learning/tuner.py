"""A process that takes part in a study: `python tuner.py DATABASE_URL TRIALS`; it tells what it does, line by line."""

import sys

from tuning_market import FEW, PLAN, markets

from learning.tracking.tracker import Tracker
from learning.tuning.objective import Objective
from learning.tuning.study import MedianPruner, Shared
from learning.tuning.tuner import tune
from models.baselines.ar import AR

BEAT_S, GRACE_S = 1, 15
"""On a busy machine a process may be held up for seconds, and is not lost by that."""


def main() -> None:
    url, trials = sys.argv[1], int(sys.argv[2])
    objective = Objective(AR, markets(), PLAN, columns=FEW)
    shared = Shared(url, "shared", AR.SPACE, MedianPruner(), PLAN.seed, BEAT_S, GRACE_S)
    tune(objective, shared, trials, Tracker("http://127.0.0.1:1", tell), tell)


def tell(what: str) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
