import evaluation_market
import pytest

from evaluation.labels import Labels
from evaluation.results import Results
from evaluation.scorer import score_models


@pytest.fixture(scope="session")
def labels() -> Labels:
    return evaluation_market.labels()


@pytest.fixture(scope="session")
def results(labels: Labels) -> Results:
    return score_models(labels, evaluation_market.zoo(labels), 7)
