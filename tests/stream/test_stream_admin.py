"""Every stage that keeps states has its changelog created before Faust starts."""

from pathlib import Path

from settings import Settings
from stream.admin import STATES, changelog
from stream.worker import make_worker, stages


def test_the_changelogs_are_those_of_the_workers_tables(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "models").symlink_to(trained)
    settings = Settings(home=tmp_path)
    pipeline = stages(settings)
    app = make_worker(settings, pipeline)
    assert tuple(stage.name for stage in pipeline) == STATES
    assert {table.changelog_topic.get_topic_name() for table in app.tables.values()} == set(map(changelog, STATES))
