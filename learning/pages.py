"""Links to our experiment and runs in MLflow's pages."""

from urllib.parse import urlsplit

EXPERIMENT = "foretick"
TRAINING = "workflowType=machine_learning"
"""MLflow's page has separate menus for model training and for language models."""


def without_login(uri: str) -> str:
    """Return a server's address without user and password: in Chromium a page opened with them cannot fetch
    anything."""
    parts = urlsplit(uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def runs(experiment: str) -> str:
    """Return where on the page an experiment's runs are, by its id."""
    return f"/#/experiments/{experiment}/runs?{TRAINING}"


def run(experiment: str, run_id: str) -> str:
    """Return where on the page one run is."""
    return f"/#/experiments/{experiment}/runs/{run_id}?{TRAINING}"
