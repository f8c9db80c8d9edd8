"""The pages of the site, in the order of the navigation bar: a line each."""

from dashboard.live.service import LivePage
from dashboard.ops.service import OperationsPage
from dashboard.service import PageService

PAGES: tuple[type[PageService], ...] = (LivePage, OperationsPage)
HOME = LivePage
"""The page that is also served at ``/``."""
