"""The model inspector as the server sees it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from bokeh.document import Document
from psycopg import Connection

from dashboard.database import connected
from dashboard.inspector import catalogue, weights_reader
from dashboard.inspector.catalogue import Catalogue, Known
from dashboard.inspector.page import InspectorDocument, Sources
from dashboard.inspector.version_loader import VersionLoader
from dashboard.inspector.weights_reader import Database, WeightsKey
from dashboard.polled_reader import PolledReader
from dashboard.service import PageRequest, PageService, PageThread, SiteOptions

LISTED_EVERY_S = 2.0


class InspectorPage(PageService):
    """What is stored of each model."""

    name, title = "inspector", "Inspector"

    def __init__(self, options: SiteOptions) -> None:
        super().__init__(options)
        folder, url = options.settings.home / "models", options.settings.database_url.get_secret_value()

        @contextmanager
        def models() -> Iterator[Known]:
            yield {}

        versions: PolledReader[Known, None, Catalogue] = PolledReader(
            models,
            lambda known, _: catalogue.read(folder, known),
            period_s=LISTED_EVERY_S,
            failures=(OSError,),
            describe=lambda error: f"{folder} cannot be read: {error}.",
        )
        database: PolledReader[Connection, WeightsKey | None, Database] = PolledReader(
            lambda: connected(url, connect_s=weights_reader.CONNECT_S),
            weights_reader.read,
            period_s=weights_reader.PERIOD_S,
            failures=(psycopg.Error,),
            describe=lambda error: weights_reader.describe(url, error),
        )
        self.sources = Sources(folder, versions, database, VersionLoader(options.settings))

    def open(self, document: Document, request: PageRequest) -> Mapping[str, Any]:
        """Make a viewer's document."""
        return InspectorDocument(document, request, self.sources).variables

    @property
    def threads(self) -> Mapping[str, PageThread]:
        """Return the readers, and what loads."""
        return {
            "the reader of the models' folder": self.sources.catalogue,
            "the inspector's reader of the database": self.sources.database,
            "what loads models": self.sources.loader,
        }
