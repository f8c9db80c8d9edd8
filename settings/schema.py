"""The settings file's JSON Schema, with which an editor completes and checks it."""

from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from settings import Settings
from settings.config_file import OF_PROCESSES
from settings.units import KEY, unit
from topics.retention import NONE

TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}


def schema() -> dict[str, Any]:
    """Return it: each key with its type, limits, unit and default; no other key is allowed."""
    made = Settings.model_json_schema()["properties"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "foretick.toml",
        "type": "object",
        "properties": {name: _value(name, made[name]) for name in made if name not in OF_PROCESSES},
        "additionalProperties": False,
    }


def _value(name: str, made: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a setting's value in the file, of that of its value in Python."""
    field = Settings.model_fields[name]
    result = {key: value for key, value in made.items() if key not in ("title", "anyOf", "default", "writeOnly")}
    choices = [one for one in made.get("anyOf", ()) if one != {"type": "null"}]  # TOML has no null
    if name == "universe":
        weights = {"type": "object", "additionalProperties": {"type": "number", "exclusiveMinimum": 0}}
        result = {"anyOf": [weights, TEXTS, TEXT], "description": field.description}
    elif name in ("topic_days", "table_days"):
        days = {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"const": NONE}]}
        result = {
            "anyOf": [{"type": "object", "additionalProperties": days}, TEXT],
            KEY: unit(field),
            "description": field.description,
        }
    elif made.get("type") == "array" and made["items"] == TEXT:
        result = {"anyOf": [TEXTS, TEXT], "description": field.description}
    elif choices:
        result |= choices[0]
    if name != "home" and (default := plain(field.default)) is not None:
        result["default"] = default
    return result


def plain(value: Any) -> Any:
    """Return a default as JSON has it. None of them is a secret."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Mapping):
        return {key: NONE if one is None else one for key, one in value.items()}
    return list(value) if isinstance(value, tuple) else value
