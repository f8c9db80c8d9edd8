"""The unit of a setting that is an amount, as part of its type: ``Annotated[float, Unit("seconds")]``."""

from dataclasses import dataclass
from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic.fields import FieldInfo

KEY = "x-unit"
"""The unit's key in JSON Schema, which has none of its own."""


@dataclass(frozen=True)
class Unit:
    """A unit, by its name in the plural; it changes nothing of how a value is checked."""

    name: str

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema of the type with the unit in it."""
        return {**handler(schema), KEY: self.name}


def unit(field: FieldInfo) -> str:
    """Return a setting's unit, "" if it has none."""
    return next((one.name for one in field.metadata if isinstance(one, Unit)), "")
