"""The pages of the site, in the order of the navigation bar: a line each."""

from dashboard.inspector.service import InspectorPage
from dashboard.live.service import LivePage
from dashboard.service import PageService

PAGES: tuple[type[PageService], ...] = (LivePage, InspectorPage)
HOME = LivePage
"""The page that is also served at ``/``."""
