"""Ten thousand schedules of the stream's shell on an in-memory broker end as the undisturbed run, and defects do not.

Alone: `python -m tests.simulation SEED`.
"""

import logging
from collections import Counter, deque
from collections.abc import Iterator

import pytest
from simulation.auditor import RuleError
from simulation.defects import DEFECTS
from simulation.schedule import Schedule, check

BATCH, BATCHES = 500, 20
SHORT = 4
"""So many batches run without `--long`."""
RARE = {
    "a crash between outputs delivered and state written",
    "a crash between state written and offset committed",
    "a crash during a recovery",
    "a duplicate frame",
    "a rebalance during a recovery",
    "a record folded before its fetch",
    "an older state written after a newer one",
    "two workers that hold the same partition",
}


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable()  # of the stages, which tell of each row that comes again
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.slow
@pytest.mark.parametrize(
    "batch", [pytest.param(batch, marks=[pytest.mark.long] if batch >= SHORT else []) for batch in range(BATCHES)]
)
def test_every_schedule_ends_as_the_undisturbed_run_and_each_rare_state_is_reached(batch: int) -> None:
    met: Counter[str] = Counter()
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        met += check(seed)
    assert set(met) == RARE


def test_the_same_seed_gives_the_same_schedule() -> None:
    def steps(seed: int) -> tuple[int, float]:
        schedule = Schedule(seed)
        schedule.run()
        return schedule.loop.steps, schedule.loop.time()

    assert [steps(seed) for seed in range(5)] == [steps(seed) for seed in range(5)]
    assert len({steps(seed) for seed in range(5)}) == 5


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_planted_defect_is_found(defect: str) -> None:
    planted, first = DEFECTS[defect]
    with pytest.raises(RuleError, match=r"seed \d+: "):
        deque((check(seed, planted) for seed in range(first, BATCH * BATCHES)), maxlen=0)
