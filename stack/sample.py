"""The bundled sample in `up`: train on its first part, then replay the rest. `python -m stack.sample train|replay`.

Once most of it is replayed, a first small run of the pipeline with a short study is requested, which the trainer does
in the background: so that there is something to see of training, tuning and challengers.
"""

import logging
import sys

from features.definition import Definition
from learning.runs.queue import Runs
from learning.runs.records import Options
from learning.tracking.code_version import commit
from learning.tracking.learning_curve import Curve
from models import training
from models.registry import model_registry, provenance
from observability import logs
from settings import Settings, sigterm
from settings.places import DATA
from sources.reading.bars import read_bars
from sources.reading.request import ReadRequest
from sources.replay.backfill import replay
from storage.errors import StorageError

log = logging.getLogger("foretick")

FILES = sorted((DATA / "sample").glob("*.csv.gz"))
TRAIN_UNTIL = 1_748_044_800_000  # 2025-05-24: the models never see what is replayed afterwards
PACED_FROM = 1_748_822_400_000  # 2025-06-02: from here on at FORETICK_SAMPLE_PACE, so that changes are visible
SEED = 0
TRIALS = 6


def train(settings: Settings) -> None:
    """Train every model on the first part of the sample, if no models that fit the features are in service yet."""
    folder = settings.home / "models"
    try:
        definition = Definition.load(folder)
        serving = model_registry.load_all(folder, definition.fingerprint)
        if (definition.timeframes, definition.columns) != (settings.timeframes, settings.features):
            raise ValueError("the models have other features than FORETICK_TIMEFRAMES and FORETICK_FEATURES now name")
        if settings.models and {model.name for model in serving} != set(model_registry.classes(settings.models)):
            raise ValueError("other models are in service than FORETICK_MODELS now names")
    except ValueError as error:
        log.info("%s", error)
    else:
        log.info("models in service already: %s", ", ".join(f"{model.name} {model.version}" for model in serving))
        return
    bars = read_bars(FILES, settings.interval, until=TRAIN_UNTIL)
    curves: list[Curve] = []

    def fitting(name: str) -> None:
        log.info("fitting %s", name)
        curves.append(Curve())

    def told(words: str) -> None:
        curves[-1].record(words)

    fitted = training.train(
        bars,
        SEED,
        fitting,
        settings.universe,
        settings.timeframes,
        settings.features,
        settings.models,
        told,
    )
    reference = training.reference(bars, fitted[0], SEED, settings.universe)
    reference.save(folder)
    origin = provenance.of(bars, fitted[0].fingerprint, SEED, commit=commit(), reference=reference.id)
    paths = model_registry.save(folder, *fitted, origin)
    for curve, path in zip(curves[1:], paths, strict=True):  # the first is the features'
        curve.save(path)


def replay_rest(settings: Settings) -> None:
    """Replay the rest after the training part: most of it at full speed, the last days paced."""
    if not settings.sample:  # with images, this is started nevertheless
        log.info("no sample: FORETICK_SAMPLE is false")
        return
    log.info("%s", replay(FILES, settings, ReadRequest(start=TRAIN_UNTIL, end=PACED_FROM)))
    request_first_run(settings)
    log.info("%s", replay(FILES, settings, ReadRequest(start=PACED_FROM), speed=settings.sample_pace))


def request_first_run(settings: Settings) -> None:
    """Request a run on the sample up to where its pace changes, unless there was a run already, or none is wanted.

    What its study finds is not kept: six trials on the sample say nothing about other data.
    """
    if not settings.sample_run:
        return
    options = Options(files=[str(file) for file in FILES], tune=TRIALS, keep=False, until=PACED_FROM)
    runs = Runs(settings.database_url.get_secret_value())
    try:
        runs.request("the sample was replayed", "sample", PACED_FROM, options, unless_after=None)
    except StorageError as error:
        log.warning("no first run of the pipeline: %s", error)


STEPS = {"train": train, "replay": replay_rest}


if __name__ == "__main__":
    sigterm.end()
    configured = Settings()
    logs.configure({"replay": "sample"}.get(sys.argv[1], sys.argv[1]), configured)
    STEPS[sys.argv[1]](configured)
