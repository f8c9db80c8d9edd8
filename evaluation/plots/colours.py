"""The colour of each model in the report's charts, as CSS variables."""

import re
from collections.abc import Iterable

from models.colours import colours

NAME = re.compile(r"[^A-Za-z0-9_]")


def style(model: str) -> str:
    """Return what gives a mark its model's colour, for `var(--c)` in the style sheet."""
    return f"--c:var({_variable(model)})"


def css(models: Iterable[str]) -> str:
    """Return the variables of the models, for light and dark pages."""
    values = {_variable(model): colour for model, colour in colours(models).items()}
    light, dark = ("".join(f"{name}:{colour[theme]};" for name, colour in values.items()) for theme in (0, 1))
    return f":root {{{light}}}@media (prefers-color-scheme: dark) {{:root {{{dark}}}}}"


def _variable(model: str) -> str:
    return f"--model-{NAME.sub('-', model)}"
