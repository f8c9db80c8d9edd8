"""The worker: every agent of the pipeline, on one page. `python -m stream.worker` runs it."""

import time
from collections.abc import Sequence
from typing import Any

import faust

from features.cross_section import Universe
from features.definition import Definition
from features.step import FeatureStep
from models.predictor import Predictor
from models.registry import load_all
from models.rehearsal import rehearse
from settings import Settings
from stream.admin import CHANGELOG
from stream.app import make_app, or_end, run, topic_of
from stream.bars import Bars
from stream.outbox import Outbox
from stream.shell import Shell, Stage
from stream.stages import Indicators, Outcomes, Predictions
from stream.universe import IN_ORDER, Gather, Market
from topics.catalog import BARS, MARKET_BARS, MODEL_EVENTS, WORKER_GROUP
from topics.records import ModelEvent


def stages(settings: Settings) -> list[Stage[Any, Any]]:
    """Return the pipeline's stages in flow order, with the models that `foretick train` left to serve.

    They are rehearsed first: code that is compiled while bars wait would hold up the worker's heartbeats.
    """
    folder = settings.home / "models"
    features = FeatureStep(Definition.load(folder))
    predictor = Predictor.of(load_all(folder, features.fingerprint), features.names)
    rehearse(features, predictor, settings.interval)
    market = [Market(Universe.of(settings.universe))] if settings.universe else []
    return [
        Bars(settings.interval, settings.grace_ms, settings.bars),
        *market,
        Indicators(features, MARKET_BARS if market else BARS),
        Predictions(predictor, features.fingerprint, len(features.names)),
        Outcomes(),
    ]


def make_worker(settings: Settings, pipeline: Sequence[Stage[Any, Any]]) -> faust.App:
    """Return the Faust app with one agent a stage, each with a table of its states; a universe has one that gathers."""
    app = make_app(WORKER_GROUP, settings, IN_ORDER if settings.universe else frozenset())
    outbox = Outbox(settings.kafka)
    if settings.universe:
        _add_gather(app, Gather(settings.universe, outbox))
    for stage in pipeline:
        _add_agent(app, stage, outbox)

    @app.task  # type: ignore[untyped-decorator, unused-ignore]
    async def announce() -> None:
        await outbox.send(
            [(MODEL_EVENTS, event.model, [event]) for event in serving(pipeline, int(time.time() * 1000))]
        )

    @app.on_before_shutdown.connect  # type: ignore[untyped-decorator, unused-ignore]
    async def close(*_: object, **__: object) -> None:
        await outbox.stop()

    return app


def serving(pipeline: Sequence[Stage[Any, Any]], now: int) -> list[ModelEvent]:
    """Return what tells everyone which model versions predict from now (epoch ms) on."""
    return [
        ModelEvent(model.name, model.version, "loaded", model.fingerprint, now, role="champion")
        for stage in pipeline
        if isinstance(stage, Predictions)
        for model in stage.fold.served
    ]


def _add_gather(app: faust.App, gather: Gather) -> None:
    @app.agent(topic_of(app, gather.source), name=gather.name)  # type: ignore[untyped-decorator, unused-ignore]
    async def agent(stream: Any) -> None:
        await or_end(gather.name, gather.run(stream))


def _add_agent(app: faust.App, stage: Stage[Any, Any], outbox: Outbox) -> None:
    table = app.Table(
        f"{stage.name}-state",
        partitions=stage.source.partitions,
        key_type=bytes,
        value_type=bytes,
        extra_topic_configs=CHANGELOG,
    )
    shell = Shell(stage, table, outbox)

    @app.agent(topic_of(app, stage.source), name=stage.name)  # type: ignore[untyped-decorator, unused-ignore]
    async def agent(stream: Any) -> None:
        await or_end(stage.name, shell.run(stream))


if __name__ == "__main__":
    configured = Settings()
    run(make_worker(configured, stages(configured)))
