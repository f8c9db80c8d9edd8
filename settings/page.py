"""Generates the page of the settings: `python -m settings.page > docs/settings.md`."""

import sys
from typing import Any

from settings import Settings
from settings.schema import plain, schema
from settings.shown import toml
from settings.units import unit
from settings.unknown_variables import ELSEWHERE, FAMILIES, PREFIX

SECTIONS = {
    "Places": ("home", "config"),
    "Kafka": (
        *("kafka", "kafka_user", "kafka_password", "kafka_security", "kafka_mechanism", "kafka_ca"),
        *("kafka_open", "kafka_timeout_s"),
    ),
    "Other servers": ("database_url", "redis_url", "mlflow_uri", "mlflow_page", "venue_url"),
    "Dashboard and API": (
        *("dashboard_port", "dashboard_url", "dashboard_rate", "dashboard_burst", "dashboard_pages", "hosts"),
        *("api_port", "api_rate", "api_burst", "api_streams", "api_kept_mb", "api_cors_origins"),
    ),
    "Bars, features and models": (
        *("interval", "bars", "timeframes", "grace_ms", "universe", "features", "models", "model_expiry_days"),
        *("sample", "sample_run", "sample_pace"),
    ),
    "Training and promotion": (
        *("retrain_cron", "retrain_on_drift", "retrain_cooldown_hours", "retrain_days", "trainer_memory_mb"),
        *("promote", "promote_alpha", "promote_margin", "promote_bars", "challenger_days"),
    ),
    "Alerts": ("alerts_allow_private", "alerts_retry_days"),
    "Operation": (
        *("log_format", "metrics_port", "metrics_address", "stuck_seconds", "lag_seconds"),
        *("worker_name", "standby_replicas", "max_symbols", "max_state_kb"),
        *("quarantine_crashes", "quarantine_records", "quarantine_minutes", "topic_days", "table_days"),
    ),
    "Limits of what is read": (
        *("ahead_hours", "max_unpacked_mb", "value_bytes", "value_rows", "value_series"),
        *("frame_rows", "impossible_percent"),
    ),
    "Written by `up`": ("metrics_ports", "kafka_open_port", "restarted_at"),
}
HOME = "the folder `.foretick` of the checkout; installed, the system's folder for a user's data"
HEAD = f"""# The settings

Generated from `settings/__init__.py` by `python -m settings.page > docs/settings.md`; a test compares.

A setting is an environment variable, and a key of the settings file. The first of these that has it counts:

1. the environment variable, if it is not empty;
2. of a secret text, the file that `FORETICK_<NAME>_FILE` names: `FORETICK_KAFKA_PASSWORD_FILE=/run/secrets/kafka`;
3. the settings file;
4. what `./foretick up` chose: ports and passwords of its own servers;
5. the default.

The settings file is the one that `FORETICK_CONFIG` names, which must be there; else it is `foretick.toml` in the home
folder, if there is one. The home is `FORETICK_HOME`, by default {HOME}. No file in the
current folder is read: whoever filled that folder would choose where data and passwords go.

```toml
models = ["ridge", "lightgbm", "har"]
universe = {{ BTCUSDT = 2, ETHUSDT = 1 }}
retrain_cron = "0 3 * * 0"
dashboard_port = 5016
```

A key is the name of the setting in small letters; `universe`, `topic_days` and `table_days` may be tables. A list may
also be one text with commas, as in the environment. Paths begin with `/` or `~`; `home` can be set in a file that
`FORETICK_CONFIG` names. An unknown key, an unknown variable that begins with `FORETICK_`, and a value that a setting
cannot have are errors: every command names the first, with the variable or the line of the file, and ends with exit
code 2.

| | |
|---|---|
| `foretick config show` | each value with its unit and its origin, without passwords; `--json` |
| `foretick config check` | each fault in a line; exit code 1 if there is one; `--json` |
| `foretick config schema` | the JSON Schema of the file, for an editor |

`./foretick up` copies the file to `up.toml` in the home, and its components read that copy: one that is restarted later
agrees with the others, and starts while the file is being edited. A change takes effect with `./foretick down` and
`./foretick up`; until then `foretick config check` says so. With Docker the file is `/data/foretick.toml` on the volume
`foretick`, or one that is mounted and named by `FORETICK_CONFIG`, and each container reads it when it starts. A file
with passwords should be readable by its owner only, as the home is.
"""
NAMED_KINDS = {"object": "table of numbers", "array": "list of texts", "string": "text"}
HEADING = "\n| variable | key | type | default | unit | what it is |\n|---|---|---|---|---|---|\n"
REST = """
## Variables that are no settings

They are read by other programs, from the environment only.

| variable | what it is |
|---|---|
"""


def page() -> str:
    """Return the page: a table for each section. Raises ValueError if a setting is in none, or in two."""
    named = [name for names in SECTIONS.values() for name in names]
    if sorted(named) != sorted(Settings.model_fields):
        raise ValueError(f"SECTIONS: {sorted(set(named) ^ set(Settings.model_fields)) or 'one is named twice'}")
    properties = schema()["properties"]
    parts = [HEAD]
    for title, names in SECTIONS.items():
        parts.append(f"\n## {title}\n{HEADING}")
        parts += [_row(name, properties.get(name, {})) for name in names]
    parts.append(REST)
    parts += [f"| `{PREFIX}{name}` | {text} |\n" for name, text in ELSEWHERE.items()]
    parts += [f"| `{PREFIX}{name}…` | {text} |\n" for name, text in FAMILIES.items()]
    return "".join(parts)


def _row(name: str, value: dict[str, Any]) -> str:
    """Return the row of a setting; `value` is the schema of its key in the file, {} if it has none."""
    field = Settings.model_fields[name]
    made = value or Settings.model_json_schema()["properties"][name]
    key = f"`{name}`" if value else ""
    cells = (
        *(f"`{PREFIX}{name.upper()}`", key, _kind(made), HOME if name == "home" else _default(field.default)),
        *(unit(field), (field.description or "").replace("|", "\\|")),
    )
    return f"| {' | '.join(cells)} |\n"


def _default(value: Any) -> str:
    return "" if value is None else f"`{toml(plain(value))}`"


def _kind(made: dict[str, Any]) -> str:
    """Return the type and limits of a value in words, of its schema."""
    if "enum" in made:
        return ", ".join(f"`{one}`" for one in made["enum"])
    if "anyOf" in made:
        kinds = [one for one in made["anyOf"] if one["type"] != "null"]
        return (
            _kind(kinds[0]) if len(kinds) == 1 else ", ".join(NAMED_KINDS[one["type"]] for one in kinds[:-1] or kinds)
        )
    limits = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
    bounds = [f"{word} {made[key]:,}" for key, word in limits.items() if key in made]
    kind = "secret text" if made.get("format") == "password" else "path" if made.get("format") == "path" else ""
    names = {"boolean": "`true` or `false`", "integer": "whole number", "string": "text", "object": "table"}
    return ", ".join([kind or names.get(made["type"], made["type"]), *bounds])


if __name__ == "__main__":
    sys.stdout.write(page())
