"""Environment variables that look like settings but are unknown: most are mistyped."""

import re
from collections.abc import Collection, Mapping

from topics.suggestions import unknown

PREFIX = "FORETICK_"
ELSEWHERE = frozenset(
    {
        *("API", "TOKEN"),  # read by `foretick_client`
        *("DATABASE_PASSWORD", "MLFLOW_PASSWORD", "GRAFANA_PASSWORD"),  # read by docker-compose.yml
        "TORCH_INDEX",  # read by ./foretick
        "SHARED",  # where the tests and the benchmarks find real data
    }
)
FAMILIES = ("TEST_", "CHAOS_")
"""The prefix of the variables of the tests and the chaos suite."""
_OF_KUBERNETES = re.compile(r"(\w+_)?(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)")
_ADDRESS = re.compile(r"(tcp|udp|sctp)://")
"""Kubernetes sets these in a pod for services called foretick or foretick-api."""


def unknown_variable(environment: Mapping[str, str], settings: Collection[str]) -> str | None:
    """Return the message for the first variable that is no setting, None if there is none; `settings` are their names.

    Empty variables are ignored, as empty settings are.
    """
    known = [name.upper() for name in settings]
    for variable, value in sorted(environment.items()):
        name = variable.upper().removeprefix(PREFIX)
        if not variable.upper().startswith(PREFIX) or not value or name in known or name in ELSEWHERE:
            continue
        of_kubernetes = _OF_KUBERNETES.fullmatch(name) or _ADDRESS.match(value)
        if not name.startswith(FAMILIES) and not of_kubernetes:
            return unknown("setting", name, known, "settings/__init__.py", PREFIX)
    return None
