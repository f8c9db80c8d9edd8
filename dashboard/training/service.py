"""The training page as the server sees it."""

import operator
from collections.abc import Mapping
from typing import Any

from bokeh.document import Document

from dashboard.polled_reader import PolledReader
from dashboard.service import PageRequest, PageService, PageThread, SiteOptions
from dashboard.training import sources
from dashboard.training.actions import STOP_RUN
from dashboard.training.page import Readers, TrainingDocument

PERIOD_S, REST = 0.25, 2


class TrainingPage(PageService):
    """Trainings, running and past."""

    name, title = "training", "Training"
    actions = (STOP_RUN,)

    def __init__(self, options: SiteOptions) -> None:
        super().__init__(options)
        settings = options.settings
        url, uri = settings.database_url.get_secret_value(), settings.mlflow_uri.get_secret_value()
        self.readers = Readers(
            PolledReader(
                lambda: sources.runs_source(url),
                sources.read_runs,
                period_s=PERIOD_S,
                rest=REST,
                unchanged=operator.eq,
                failures=sources.RUNS_FAIL,
                describe=lambda error: f"The runs cannot be read: {error}.",
            ),
            PolledReader(
                lambda: sources.mlflow_source(uri),
                lambda source, wanted: source.read(wanted),
                period_s=PERIOD_S,
                rest=REST,
                unchanged=operator.eq,
                failures=sources.MLFLOW_FAILS,
                describe=lambda error: f"The curves cannot be read: {error}.",
            ),
            PolledReader(
                lambda: sources.files_source(settings.home),
                lambda source, run_id: source.read(run_id),
                period_s=PERIOD_S,
                rest=REST,
                unchanged=operator.eq,
                failures=(OSError,),
                describe=lambda error: f"The files of {settings.home} cannot be read: {error}.",
            ),
        )

    def open(self, document: Document, request: PageRequest) -> Mapping[str, Any]:
        """Make a viewer's document."""
        return TrainingDocument(document, request, self.readers).variables

    @property
    def threads(self) -> Mapping[str, PageThread]:
        """Return the readers."""
        readers = self.readers
        return {
            "the reader of the runs": readers.runs,
            "the reader of MLflow": readers.mlflow,
            "the reader of the runs' files": readers.files,
        }
