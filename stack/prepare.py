"""The steps between the servers' start and the worker's: tables and topics. `python -m stack.prepare` runs them."""

from broker.admin import create_topics
from observability import logs
from settings import Settings
from stack.settings_check import check
from storage.timescale import migrate


def prepare(settings: Settings) -> None:
    """Migrate the tables, create missing topics, and have Kafka keep the topics as long as is set; all idempotent."""
    migrate(settings.database_url.get_secret_value())
    create_topics(settings.broker, days=settings.topic_days)


if __name__ == "__main__":
    configured = Settings()
    logs.configure("prepare", configured)
    check(configured)  # with images this step runs first
    prepare(configured)
