"""Links an alert to the dashboard's page at its symbol, interval, horizon and model."""

from urllib.parse import urlencode

from alerts.component_health import COMPONENTS
from alerts.rules.observation import EVERYTHING
from settings import Settings
from topics.records import HORIZONS, Alert
from topics.units import is_time

HOST = "127.0.0.1"
NO_SYMBOLS = {EVERYTHING, *(name.upper() for name in COMPONENTS)}
"""Subjects of alerts that are no symbols, for which there is no page."""


def dashboard(settings: Settings) -> str:
    """Return the dashboard's address for users."""
    return (settings.dashboard_url or f"http://{HOST}:{settings.dashboard_port}").rstrip("/")


def link(page: str, alert: Alert) -> str:
    """Return the address of the page of an alert's subject, with all known parameters.

    >>> about = {"alert_id": "a", "rule": "big", "symbol": "BTCUSDT", "time": 0, "severity": "info", "message": ""}
    >>> link("http://127.0.0.1:5006", Alert(**about, interval="1m", horizon=15))
    'http://127.0.0.1:5006/?symbol=BTCUSDT&interval=1m&horizon=15'
    >>> link("http://127.0.0.1:5006", Alert(**about))
    'http://127.0.0.1:5006/?symbol=BTCUSDT'
    """
    shown = alert.interval is not None and is_time(alert.interval)  # the page shows no other bars
    chosen = {
        "symbol": alert.symbol if alert.symbol not in NO_SYMBOLS else None,
        "interval": alert.interval if shown else None,
        "horizon": alert.horizon if alert.horizon in HORIZONS else None,
        "model": alert.model,
    }
    query = urlencode({name: value for name, value in chosen.items() if value is not None})
    return f"{page}/?{query}" if query else f"{page}/"
