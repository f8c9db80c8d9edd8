"""Environment variables that look like settings but are unknown: most are mistyped."""

import re
from collections.abc import Collection, Iterator, Mapping

from topics.suggestions import unknown

PREFIX = "FORETICK_"
ELSEWHERE = {
    "API": "the API's address for `foretick_client`",
    "TOKEN": "the API's token for `foretick_client`",
    "DATABASE_PASSWORD": "the database's password in `docker-compose.yml`, before the first start; else a random one",
    "REDIS_PASSWORD": "the password of Redis in `docker-compose.yml`; else a random one",
    "MLFLOW_PASSWORD": "MLflow's password in `docker-compose.yml`; else a random one",
    "GRAFANA_PASSWORD": "Grafana's password in `docker-compose.yml`, before the first start; else a random one",
    "TORCH_INDEX": "the package index from which `./foretick install networks` takes torch",
    "SHARED": "the folder with real data for the tests and benchmarks",
}
"""The variables that are no settings, and what each is."""
FAMILIES = {"TEST_": "of the tests", "CHAOS_": "of the chaos suite"}
"""The beginnings of the names of further ones."""
LISTED = "foretick config show"
_OF_KUBERNETES = re.compile(r"(\w+_)?(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)")
_ADDRESS = re.compile(r"(tcp|udp|sctp)://")
"""Kubernetes sets these in a pod for services called foretick or foretick-api."""


def unknown_variables(environment: Mapping[str, str], settings: Collection[str]) -> Iterator[str]:
    """Yield the message for each variable that is no setting, in the order of names; `settings` are the known names.

    Empty variables are ignored, as empty settings are.
    """
    known = [name.upper() for name in settings]
    for variable, value in sorted(environment.items()):
        name = variable.upper().removeprefix(PREFIX)
        if not variable.upper().startswith(PREFIX) or not value or name in known or name in ELSEWHERE:
            continue
        of_kubernetes = _OF_KUBERNETES.fullmatch(name) or _ADDRESS.match(value)
        if not name.startswith(tuple(FAMILIES)) and not of_kubernetes:
            yield unknown("setting", name, [*known, *ELSEWHERE], LISTED, PREFIX)
