"""Every stage that keeps states has its changelog created before Faust starts."""

from pathlib import Path

import pytest

from broker.admin import STATES, changelog
from settings import Settings
from stream.model_server import ModelServer
from stream.worker import make_worker, stages
from topics.catalog import BARS, MARKET_BARS


@pytest.mark.parametrize("universe", [{}, {"BTCUSDT": 2.0, "ETHUSDT": 1.0}], ids=["no universe", "universe"])
def test_the_changelogs_are_those_of_the_workers_tables(
    universe: dict[str, float], trained: Path, tmp_path: Path
) -> None:
    (tmp_path / "models").symlink_to(trained)
    settings = Settings(home=tmp_path, universe=universe)
    model_server = ModelServer(settings.home / "models", settings.interval, settings.model_expiry_days)
    model_server.start({})
    pipeline = stages(settings, model_server)
    app = make_worker(settings, pipeline, model_server)
    expected = [name for name in STATES if universe or name != "market"]
    assert [stage.name for stage in pipeline] == expected
    assert {table.changelog_topic.get_topic_name() for table in app.tables.values()} == set(map(changelog, expected))
    for stage in pipeline:
        # Faust binds a table's changelog to its source partition by partition.
        assert app.tables[f"{stage.name}-state"].partitions == stage.source.partitions == STATES[stage.name].partitions
    sources = {stage.name: stage.source for stage in pipeline}
    assert sources["features"] is (MARKET_BARS if universe else BARS)
    assert ("gather" in app.agents) == bool(universe)
