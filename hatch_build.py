"""Puts into the wheel what the code reads beside itself: `settings/places.py` has where it is then.

Not into an editable one, which reads the checkout: pyproject.toml's `force-include` would copy it there too.
"""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

READ = ("sample", "requirements/default.lock", "requirements/sizes")


class Data(BuildHookInterface[Any]):
    """Adds the files to a build of the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Begin a build."""
        if version == "standard":
            build_data["force_include"] |= {name: f"stack/data/{name}" for name in READ}
