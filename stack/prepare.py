"""The steps between the servers' start and the worker's: tables and topics. `python -m stack.prepare` runs them."""

from settings import Settings
from storage.timescale import migrate
from stream import logs
from stream.admin import create_topics


def prepare(settings: Settings) -> None:
    """Bring the tables up to date and create the topics that are missing; both may be done again at any time."""
    migrate(settings.database_url.get_secret_value())
    create_topics(settings.broker)


if __name__ == "__main__":
    configured = Settings()
    logs.configure("prepare", configured)
    prepare(configured)
