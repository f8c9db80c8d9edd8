"""The worker: every agent of the pipeline, on one page. `python -m stream.worker` runs it."""

import os
from collections.abc import Sequence
from typing import Any

import faust

from features.cross_section import Universe
from settings import Settings
from stream.admin import CHANGELOG
from stream.app import add_losses, make_app, or_end, run, topic_of
from stream.bars import Bars
from stream.deployments import Decisions, Follower, read_logs
from stream.guard import Guard
from stream.lineup import Lineup
from stream.outbox import Outbox
from stream.recovery import App
from stream.shell import Shell
from stream.signature import key_of
from stream.stage import Stage
from stream.stages import Indicators, Outcomes, Predictions
from stream.universe import IN_ORDER, Gather, Market
from topics.catalog import BARS, MARKET_BARS, READ_BY_WORKER, READ_FOR_UNIVERSE, WORKER_GROUP


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


def make_worker(settings: Settings, pipeline: Sequence[Stage[Any, Any]], lineup: Lineup | None = None) -> App:
    """Return the Faust app with one agent a stage, each with a table of its states; a universe has one that gathers.

    With a lineup, a task keeps the stage of the predictions in step with what is deployed.
    """
    app = make_app(WORKER_GROUP, settings, IN_ORDER if settings.universe else frozenset())
    add_losses(app, settings, (*READ_BY_WORKER, *(READ_FOR_UNIVERSE if settings.universe else ())))
    outbox = Outbox(settings.broker)
    if settings.universe:
        _add_gather(app, Gather(settings.universe, outbox, Guard.of(settings, "worker", "gather")))
    for stage in pipeline:
        _add_agent(app, stage, outbox, Guard.of(settings, "worker", stage.name))
        if lineup is not None and isinstance(stage, Predictions):
            _add_follower(app, Follower(settings.broker, lineup, stage, outbox, decisions_of(settings)))

    @app.on_before_shutdown.connect  # type: ignore[untyped-decorator, unused-ignore]
    async def close(*_: object, **__: object) -> None:
        await outbox.stop()

    return app


def decisions_of(settings: Settings) -> Decisions:
    """Return what reads the decisions about models, with this home's key."""
    return Decisions(key_of(settings.home), Guard.of(settings, "worker", "deployments").skips)


def _add_follower(app: faust.App, follower: Follower) -> None:
    @app.task  # type: ignore[untyped-decorator, unused-ignore]
    async def deployments() -> None:
        await or_end("deployments", follower.run())


def _add_gather(app: faust.App, gather: Gather) -> None:
    @app.agent(topic_of(app, gather.source), name=gather.name)  # type: ignore[untyped-decorator, unused-ignore]
    async def agent(stream: Any) -> None:
        await or_end(gather.name, gather.run(stream))


def _add_agent(app: faust.App, stage: Stage[Any, Any], outbox: Outbox, guard: Guard) -> None:
    table = app.Table(
        f"{stage.name}-state",
        partitions=stage.source.partitions,
        key_type=bytes,
        value_type=bytes,
        extra_topic_configs=CHANGELOG,
    )
    shell = Shell(stage, table, outbox, guard)

    @app.agent(topic_of(app, stage.source), name=stage.name)  # type: ignore[untyped-decorator, unused-ignore]
    async def agent(stream: Any) -> None:
        await or_end(stage.name, shell.run(stream))


if __name__ == "__main__":
    # A version is rehearsed in a thread beside the stream: torch, whose number of threads is one for all, keeps to one.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    configured = Settings()
    served = Lineup(configured.home / "models", configured.interval, configured.model_expiry_days)
    served.start(read_logs(configured.broker, decisions_of(configured)))
    run(make_worker(configured, stages(configured, served), served))
