"""The type of what goes through JSON: a model's state and an artifact's definition."""

from typing import Any

JSON = dict[str, Any]
