import evaluation_market
import pytest

from evaluation.judge import judge
from evaluation.labels import Labels
from evaluation.results import Results


@pytest.fixture(scope="session")
def labels() -> Labels:
    return evaluation_market.labels()


@pytest.fixture(scope="session")
def results(labels: Labels) -> Results:
    return judge(labels, evaluation_market.zoo(labels), 7)
