"""The page Operations as the server sees it."""

from collections.abc import Mapping
from typing import Any

from bokeh.document import Document

from dashboard.ops.alert_actions import ALERT_ACTIONS
from dashboard.ops.letter_actions import LETTER_ACTIONS
from dashboard.ops.page import OpsPage
from dashboard.ops.readers import Readers
from dashboard.service import PageRequest, PageService, PageThread, SiteOptions


class OperationsPage(PageService):
    """Whether the system works, and what can be done where it does not."""

    name, title = "ops", "Operations"
    actions = (*LETTER_ACTIONS, *ALERT_ACTIONS)

    def __init__(self, options: SiteOptions) -> None:
        super().__init__(options)
        self.readers = Readers(options.settings)

    def open(self, document: Document, request: PageRequest) -> Mapping[str, Any]:
        """Make a viewer's document."""
        return OpsPage(document, request, self.readers).variables

    @property
    def threads(self) -> Mapping[str, PageThread]:
        """Return the readers."""
        return {f"the reader of the {what}": one for what, one in self.readers.each.items()}
