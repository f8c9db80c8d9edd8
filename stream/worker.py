"""The worker: every agent of the pipeline, on one page. `python -m stream.worker` runs it."""

import os
from collections.abc import Sequence
from typing import Any

import faust

from features.cross_section import Universe
from settings import Settings
from stream.admin import CHANGELOG
from stream.app import make_app, or_end, run, topic_of
from stream.bars import Bars
from stream.deployments import Follower, read_logs
from stream.lineup import Lineup
from stream.outbox import Outbox
from stream.shell import Shell, Stage
from stream.stages import Indicators, Outcomes, Predictions
from stream.universe import IN_ORDER, Gather, Market
from topics.bounds import Bounds
from topics.catalog import BARS, MARKET_BARS, WORKER_GROUP


def stages(settings: Settings, lineup: Lineup) -> list[Stage[Any, Any]]:
    """Return the pipeline's stages in flow order, with the versions that are lined up to predict."""
    market = [Market(Universe.of(settings.universe))] if settings.universe else []
    return [
        Bars(settings.interval, settings.grace_ms, settings.bars),
        *market,
        Indicators(lineup.features, MARKET_BARS if market else BARS),
        Predictions(lineup.predictor, lineup.fingerprint, len(lineup.features.names)),
        Outcomes(),
    ]


def make_worker(settings: Settings, pipeline: Sequence[Stage[Any, Any]], lineup: Lineup | None = None) -> faust.App:
    """Return the Faust app with one agent a stage, each with a table of its states; a universe has one that gathers.

    With a lineup, a task keeps the stage of the predictions in step with what is deployed.
    """
    app = make_app(WORKER_GROUP, settings, IN_ORDER if settings.universe else frozenset())
    outbox = Outbox(settings.kafka)
    if settings.universe:
        _add_gather(app, Gather(settings.universe, outbox, settings.bounds))
    for stage in pipeline:
        _add_agent(app, stage, outbox, settings.bounds)
        if lineup is not None and isinstance(stage, Predictions):
            _add_follower(app, Follower(settings.kafka, lineup, stage, outbox))

    @app.on_before_shutdown.connect  # type: ignore[untyped-decorator, unused-ignore]
    async def close(*_: object, **__: object) -> None:
        await outbox.stop()

    return app


def _add_follower(app: faust.App, follower: Follower) -> None:
    @app.task  # type: ignore[untyped-decorator, unused-ignore]
    async def deployments() -> None:
        await or_end("deployments", follower.run())


def _add_gather(app: faust.App, gather: Gather) -> None:
    @app.agent(topic_of(app, gather.source), name=gather.name)  # type: ignore[untyped-decorator, unused-ignore]
    async def agent(stream: Any) -> None:
        await or_end(gather.name, gather.run(stream))


def _add_agent(app: faust.App, stage: Stage[Any, Any], outbox: Outbox, bounds: Bounds) -> None:
    table = app.Table(
        f"{stage.name}-state",
        partitions=stage.source.partitions,
        key_type=bytes,
        value_type=bytes,
        extra_topic_configs=CHANGELOG,
    )
    shell = Shell(stage, table, outbox, bounds)

    @app.agent(topic_of(app, stage.source), name=stage.name)  # type: ignore[untyped-decorator, unused-ignore]
    async def agent(stream: Any) -> None:
        await or_end(stage.name, shell.run(stream))


if __name__ == "__main__":
    # A version is rehearsed in a thread beside the stream: torch, whose number of threads is one for all, keeps to one.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    configured = Settings()
    served = Lineup(configured.home / "models", configured.interval, configured.model_expiry_days)
    served.start(read_logs(configured.kafka))
    run(make_worker(configured, stages(configured, served), served))
