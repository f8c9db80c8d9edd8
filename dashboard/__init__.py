"""The Bokeh pages, which only display results of other packages.

From Python: ``from dashboard import create_monitoring_dashboard, HyperparameterOptimizationDashboard,
ModelInspectorDashboard``.
"""

from typing import Any

WAYS_IN = (
    "create_monitoring_dashboard",
    "MonitoringDashboard",
    "HyperparameterOptimizationDashboard",
    "ModelInspectorDashboard",
)


def __getattr__(name: str) -> Any:
    """Import the ways in when they are asked for: a page alone must not import the server of all pages."""
    if name in WAYS_IN:
        from dashboard import served_dashboard  # noqa: PLC0415 - see above

        return getattr(served_dashboard, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
