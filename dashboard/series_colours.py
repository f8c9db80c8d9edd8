"""Colours of series that have none of their own, such as runs and studies that are compared: Okabe and Ito's."""

from dashboard.palette import Palette

LIGHT = ("#0072b2", "#d96b00", "#00815f", "#b0568c", "#7a6a00", "#3c4a57")
DARK = ("#4fa8ec", "#f5923a", "#2fbf95", "#e08fc0", "#d9c64a", "#b4c0cc")
MOST = len(LIGHT)
"""How many series can be told apart in one plot."""


def series_colours(palette: Palette) -> tuple[str, ...]:
    """Return the colours of the theme, in their order."""
    return DARK if palette.dark else LIGHT
