"""The worker: all agents of the pipeline. `python -m stream.worker` runs it."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import faust

from broker.admin import CHANGELOG
from broker.confirmed_send import KafkaWriter
from broker.decision_signature import key_of
from features.cross_section import Universe
from settings import Settings
from stream.app import add_losses, make_app, or_end, run, topic_of
from stream.bars import Bars
from stream.deployments import Decisions, DeploymentConsumer, read_logs
from stream.model_server import ModelServer
from stream.poison_records import Guard
from stream.recovery import App
from stream.shell import Shell
from stream.stage import Stage
from stream.stages import Indicators, Outcomes, Predictions
from stream.universe import IN_ORDER, Gather, Market
from topics.catalog import BARS, FEATURES, MARKET_BARS, READ_BY_WORKER, READ_FOR_UNIVERSE, WORKER_GROUP

FOLDED_AT_ONCE = (BARS, FEATURES)
"""What the worker posts there its next stage folds before it is fetched. Predictions are not: other programs' are among
them, and nothing waits for an outcome.
"""


def stages(settings: Settings, model_server: ModelServer) -> list[Stage[Any, Any]]:
    """Return the pipeline's stages in flow order, with the versions that predict."""
    market = [Market(Universe.of(settings.universe))] if settings.universe else []
    return [
        Bars(settings.interval, settings.grace_ms, settings.bars),
        *market,
        Indicators(model_server.features, MARKET_BARS if market else BARS),
        Predictions(model_server.predictor, model_server.fingerprint, len(model_server.features.names)),
        Outcomes(),
    ]


def make_worker(
    settings: Settings, pipeline: Sequence[Stage[Any, Any]], model_server: ModelServer | None = None
) -> App:
    """Return the Faust app with one agent per stage, each with a table of its states; with a universe there is one that
    gathers.

    With a model server, a task applies deployments to the prediction stage.
    """
    app = make_app(WORKER_GROUP, settings, IN_ORDER if settings.universe else frozenset())
    add_losses(app, (*READ_BY_WORKER, *(READ_FOR_UNIVERSE if settings.universe else ())))
    writer = app.kafka_writer()
    if settings.universe:
        _add_gather(app, Gather(settings.universe, writer, Guard.of(settings, "worker", "gather")))
    readers: dict[str, Shell[Any, Any]] = {}
    for stage in pipeline:
        shell = _add_agent(app, stage, writer, Guard.of(settings, "worker", stage.name), readers)
        if stage.source in FOLDED_AT_ONCE:
            readers[stage.source.name] = shell
        if model_server is not None and isinstance(stage, Predictions):
            _add_follower(app, DeploymentConsumer(settings.broker, model_server, stage, writer, decisions_of(settings)))

    return app


def decisions_of(settings: Settings) -> Decisions:
    """Return the reader of decisions about models, with this home's key."""
    return Decisions(key_of(settings.home), Guard.of(settings, "worker", "deployments").skips)


def _add_follower(app: faust.App, follower: DeploymentConsumer) -> None:
    @app.task  # type: ignore[untyped-decorator, unused-ignore] # Faust's decorators have no types
    async def deployments() -> None:
        await or_end("deployments", follower.run())


def _add_gather(app: faust.App, gather: Gather) -> None:
    @app.agent(topic_of(app, gather.source), name=gather.name)  # type: ignore[untyped-decorator, unused-ignore] # Faust's decorators have no types
    async def agent(stream: Any) -> None:
        await or_end(gather.name, gather.run(stream))


def _add_agent(
    app: faust.App,
    stage: Stage[Any, Any],
    writer: KafkaWriter,
    guard: Guard,
    readers: Mapping[str, Shell[Any, Any]],
) -> Shell[Any, Any]:
    table = app.Table(
        f"{stage.name}-state",
        partitions=stage.source.partitions,
        key_type=bytes,
        value_type=bytes,
        extra_topic_configs=CHANGELOG,
    )
    shell = Shell(stage=stage, table=table, writer=writer, guard=guard, readers=readers)

    @app.agent(topic_of(app, stage.source), name=stage.name)  # type: ignore[untyped-decorator, unused-ignore] # Faust's decorators have no types
    async def agent(stream: Any) -> None:
        await or_end(stage.name, shell.run(stream))

    return shell


if __name__ == "__main__":
    # A version is warmed up in a thread beside the stream: torch's number of threads is per process, so it is set to
    # one.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    configured = Settings()
    served = ModelServer(configured.home / "models", configured.interval, configured.model_expiry_days)
    served.start(read_logs(configured.broker, decisions_of(configured)))
    run(make_worker(configured, stages(configured, served), served))
