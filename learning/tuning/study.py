"""One Optuna study in PostgreSQL, shared by several processes: no trial is lost or superfluous.

Trials are claimed under a lock of the database. A running one has a heartbeat; if its process is killed it stops, and
the next claim, by any process, retries the same parameters.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING
from warnings import catch_warnings, filterwarnings, simplefilter

import numpy as np
import optuna
import psycopg
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback, fail_stale_trials
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from models.search_space import Integer, Kind, Parameters, Real, Space
from storage import locks
from storage.errors import StorageError, place, reason
from storage.locks import Lock
from storage.timescale import migrate

if TYPE_CHECKING:
    from optuna.study import Study

SCHEMA = "optuna"
BEAT_S, GRACE_S = 10, 120
"""Seconds between two heartbeats, and without one until a trial is lost: compiled code may block Python for a while."""
RETRIES = 2
"""How often a trial is retried whose process was lost, since the trial may have killed it."""
REASON = "reason"
"""Why a trial failed. A trial that failed without a reason was lost, and does not count."""
DONE = (TrialState.COMPLETE, TrialState.PRUNED)
PRUNERS = ("median", "hyperband")
BEAT_FOR_THE_SILENT = f"""
INSERT INTO {SCHEMA}.trial_heartbeats (trial_id, heartbeat)
SELECT trial_id, now() FROM {SCHEMA}.trials t
WHERE state = 'RUNNING' AND NOT EXISTS (SELECT FROM {SCHEMA}.trial_heartbeats h WHERE h.trial_id = t.trial_id)
"""  # noqa: S608 - our own constant
"""A trial's first heartbeat is written within the lock. One without a heartbeat was left by a process that was killed
there; Optuna alone would never treat it as lost."""


class Shared:
    """A study by its name, created if it does not exist; `url` is PostgreSQL's.

    Raises StorageError with one line if the database cannot be reached.
    """

    def __init__(
        self, url: str, name: str, space: Space, pruner: BasePruner, seed: int, beat: int = BEAT_S, grace: int = GRACE_S
    ) -> None:
        self.name, self.space, self.seed = name, space, seed
        self.url, self._beat = url, beat
        migrate(url)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with failing_in_a_line(url), self.locked(), experimental():
            # Concurrent creation of Optuna's tables would conflict: hence within the lock.
            self._storage = RDBStorage(
                _with_schema(url),
                engine_kwargs={"poolclass": NullPool},  # no connection is left open, and a trial takes seconds
                heartbeat_interval=beat,
                grace_period=grace,
                heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(max_retry=RETRIES),
            )
            self.study: Study = optuna.create_study(
                storage=self._storage, study_name=name, direction="maximize", pruner=pruner, load_if_exists=True
            )

    @contextmanager
    def locked(self) -> Iterator[psycopg.Connection]:
        """Hold the study's lock. It is released when the process is killed."""
        with psycopg.connect(locks.keepalive_url(self.url), autocommit=True) as connection:
            locks.wait(connection, Lock.STUDY)
            yield connection

    def begin(self, first: list[Parameters]) -> None:
        """Queue the first parameters to try, in that order; nothing if there are trials already."""
        with self.locked():
            if not self.trials():
                for parameters in first:
                    self.study.enqueue_trial(dict(parameters))

    def claim(self, trials: int) -> Trial | None:
        """Return a trial to run, None if `trials` were begun, here or elsewhere."""
        with self.locked() as connection:
            connection.execute(BEAT_FOR_THE_SILENT)
            with experimental():
                fail_stale_trials(self.study)
                return self._asked(trials)

    def _asked(self, trials: int) -> Trial | None:
        results = self.trials()
        if sum(map(counts, results)) >= trials:
            return None
        # A seed of its own for each trial: two processes do not repeat each other, and one alone can be repeated.
        mixed = np.random.SeedSequence([self.seed, len(results)]).generate_state(1)
        self.study.sampler = optuna.samplers.TPESampler(seed=int(mixed[0]))
        trial = self.study.ask({name: distribution(kind) for name, kind in self.space.items()})
        self._storage.record_heartbeat(trial._trial_id)
        return trial

    @contextmanager
    def running(self, trial: Trial) -> Iterator[None]:
        """Send heartbeats of a claimed trial; an aborted one is queued again at once, whatever the error."""
        stop = Event()
        thread = Thread(target=self._keep_beating, args=(trial._trial_id, stop), daemon=True)
        thread.start()
        try:
            yield
        except BaseException:
            self._give_back(trial)
            raise
        finally:
            stop.set()
            thread.join()

    def fail(self, trial: Trial, why: str) -> None:
        """Record that a trial cannot be run, and why."""
        trial.set_user_attr(REASON, why)
        self.study.tell(trial, state=TrialState.FAIL, skip_if_finished=True)

    def trials(self) -> list[FrozenTrial]:
        """Return all trials, in the order in which they were begun or queued."""
        return self.study.get_trials(deepcopy=False)

    def busy(self) -> int:
        """Return how many trials run, here or elsewhere."""
        return sum(trial.state == TrialState.RUNNING for trial in self.trials())

    def _keep_beating(self, trial_id: int, stop: Event) -> None:
        while True:
            try:
                self._storage.record_heartbeat(trial_id)
            except (SQLAlchemyError, StorageInternalError):
                return  # the process running the trial meets the same error, and reports it
            if stop.wait(self._beat):
                return

    def _give_back(self, trial: Trial) -> None:
        try:
            with self.locked():
                self.study.tell(trial, state=TrialState.FAIL)
                self.study.enqueue_trial(trial.params)
        except (psycopg.Error, SQLAlchemyError, StorageInternalError):
            return  # its heartbeat has stopped: another claim retries it


def counts(trial: FrozenTrial) -> bool:
    """Return whether a trial counts: it is complete, runs, or has a reason for its failure."""
    return trial.state in (*DONE, TrialState.RUNNING) or failed(trial)


def failed(trial: FrozenTrial) -> bool:
    """Return whether a trial could not be run."""
    return trial.state == TrialState.FAIL and REASON in trial.user_attrs


def pruner_of(name: str, splits: int) -> BasePruner:
    """Return the pruner of that name, which is applied after each split but the last. Raises ValueError."""
    if name not in PRUNERS:
        raise ValueError(f"no pruner {name!r}; they are {' and '.join(PRUNERS)}")
    if name == "hyperband":
        return HyperbandPruner(min_resource=1, max_resource=splits)
    return MedianPruner(n_startup_trials=5)


def distribution(kind: Kind) -> BaseDistribution:
    """Return Optuna's distribution for a kind of parameter."""
    if isinstance(kind, Integer):
        return IntDistribution(kind.low, kind.high, log=kind.log)
    if isinstance(kind, Real):
        return FloatDistribution(kind.low, kind.high, log=kind.log)
    return CategoricalDistribution(kind.options)


@contextmanager
def failing_in_a_line(url: str) -> Iterator[None]:
    """Turn errors of the database into a StorageError of one line."""
    try:
        yield
    except (psycopg.Error, SQLAlchemyError, StorageInternalError) as error:
        cause = getattr(error.__cause__ or error, "orig", None) or error.__cause__ or error
        raise StorageError(f"the study at {place(url)} failed: {reason(Exception(cause))}") from None


def _with_schema(url: str) -> str:
    whole = make_url(url).set(drivername="postgresql+psycopg")
    return whole.update_query_dict({"options": f"-csearch_path={SCHEMA}"}).render_as_string(hide_password=False)


def make_tables(url: str) -> None:
    """Have Optuna make its tables, where there are none. Raises StorageError with one line."""
    with failing_in_a_line(url):
        RDBStorage(_with_schema(url), engine_kwargs={"poolclass": NullPool})


@contextmanager
def experimental() -> Iterator[None]:
    """Silence Optuna's warnings about heartbeats: that they are experimental, and meant for `optimize`."""
    with catch_warnings():
        simplefilter("ignore", ExperimentalWarning)
        filterwarnings("ignore", "Heartbeat of storage is supposed", UserWarning)
        yield
