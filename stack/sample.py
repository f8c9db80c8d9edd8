"""The bundled sample in `up`: train on its first part, then replay the rest. `python -m stack.sample train|replay`."""

import logging
import signal
import sys
from types import FrameType

from features.definition import Definition
from models import provenance, registry, training
from settings import ROOT, Settings
from sources.bars import read_bars
from sources.replay import replay
from stream import logs

log = logging.getLogger("foretick")

FILES = sorted((ROOT / "sample").glob("*.csv.gz"))
TRAIN_UNTIL = 1_748_044_800_000  # 2025-05-24: the models never see what is replayed afterwards
PACED_FROM = 1_748_822_400_000  # 2025-06-02: from here on at FORETICK_SAMPLE_PACE, so that one sees it move
SEED = 0


def train(settings: Settings) -> None:
    """Train every model on the first part of the sample, where no models that fit the features are in service yet."""
    folder = settings.home / "models"
    try:
        definition = Definition.load(folder)
        serving = registry.load_all(folder, definition.fingerprint)
        if (definition.timeframes, definition.columns) != (settings.timeframes, settings.features):
            raise ValueError("the models know other features than FORETICK_TIMEFRAMES and FORETICK_FEATURES now name")
        if settings.models and {model.name for model in serving} != set(registry.classes(settings.models)):
            raise ValueError("other models are in service than FORETICK_MODELS now names")
    except ValueError as error:
        log.info("%s", error)
    else:
        log.info("models in service already: %s", ", ".join(f"{model.name} {model.version}" for model in serving))
        return
    bars = read_bars(FILES, settings.interval, until=TRAIN_UNTIL)
    fitted = training.train(
        bars,
        SEED,
        lambda name: log.info("fitting %s", name),
        settings.universe,
        settings.timeframes,
        settings.features,
        settings.models,
    )
    reference = training.reference(bars, fitted[0], SEED, settings.universe)
    reference.save(folder)
    registry.save(folder, *fitted, provenance.of(bars, fitted[0].fingerprint, SEED, reference=reference.id))


def replay_rest(settings: Settings) -> None:
    """Replay what follows the training part: most of it as fast as it goes, the last days paced."""
    log.info("%s", replay(FILES, settings, start=TRAIN_UNTIL, end=PACED_FROM))
    log.info("%s", replay(FILES, settings, start=PACED_FROM, speed=settings.sample_pace))


STEPS = {"train": train, "replay": replay_rest}


def stop(_signal: int, _frame: FrameType | None) -> None:
    """End as an error would, so that what was begun is cleaned up."""
    sys.exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    configured = Settings()
    logs.configure({"replay": "sample"}.get(sys.argv[1], sys.argv[1]), configured)
    STEPS[sys.argv[1]](configured)
