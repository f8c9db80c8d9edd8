"""The pages of the site, in the order of the navigation bar: a line each."""

from dashboard.analytics.service import AnalyticsPage
from dashboard.inspector.service import InspectorPage
from dashboard.live_page import LivePage
from dashboard.ops.service import OperationsPage
from dashboard.overview.service import OverviewPage
from dashboard.service import PageService
from dashboard.training.service import TrainingPage
from dashboard.tuning.service import TuningPage

PAGES: tuple[type[PageService], ...] = (
    LivePage,
    TrainingPage,
    TuningPage,
    InspectorPage,
    AnalyticsPage,
    OperationsPage,
)
SUBPAGES: tuple[type[PageService], ...] = (OverviewPage,)
"""The pages that are reached from one of these, and are not in the bar themselves."""
HOME = LivePage
"""The page that is also served at ``/``."""
CLASSIC_PORTS = {"training": 8050, "tuning": 8051, "inspector": 8052}
"""Further ports by the name of the page that each has at ``/``; one that is not in the table above is not served."""
