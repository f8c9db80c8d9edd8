"""The tuning page as the server sees it."""

import operator
from collections.abc import Mapping
from typing import Any

import psycopg
from bokeh.document import Document

from dashboard.polled_reader import PolledReader
from dashboard.service import PageRequest, PageService, PageThread, SiteOptions
from dashboard.tuning import study_reader
from dashboard.tuning.page import Reader, TuningDocument
from learning.tuning.importances_process import ImportancesProcess


class TuningPage(PageService):
    """Studies of hyperparameters."""

    name, title = "tuning", "Tuning"

    def __init__(self, options: SiteOptions) -> None:
        super().__init__(options)
        url = options.settings.database_url.get_secret_value()
        self.importances = ImportancesProcess(url)
        self.reader: Reader = PolledReader(
            lambda: study_reader.source(url),
            lambda source, names: source.read(names),
            period_s=study_reader.PERIOD_S,
            rest=study_reader.REST,
            unchanged=operator.eq,
            failures=(psycopg.Error,),
            describe=lambda error: study_reader.describe(url, error),
        )

    def open(self, document: Document, request: PageRequest) -> Mapping[str, Any]:
        """Make a viewer's document."""
        return TuningDocument(document, request, self.reader, self.importances).variables

    def stop(self) -> None:
        """End the reader, and what computes."""
        self.importances.stop()
        super().stop()

    @property
    def threads(self) -> Mapping[str, PageThread]:
        """Return the reader."""
        return {"the reader of the studies": self.reader}
