"""Whatever is asked, the OpenAPI document says what comes: schemathesis makes up questions and checks the answers."""

import httpx
import pytest
import schemathesis
from api_market import Api
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import make_app
from api.tokens import Tokens
from settings import Settings

pytestmark = [pytest.mark.services, pytest.mark.slow]

EXAMPLES = 40
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]


@pytest.fixture(scope="module")
def token(api: Api) -> str:
    """A token that may do everything."""
    text, _ = Tokens(api.home).create("schemathesis", ("admin",))
    return text


DOCUMENT = make_app(Settings()).openapi()
OPERATIONS = [
    (path, method)
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
    if not path.startswith("/v1/stream/")  # those have no end; the tests of streams look at them
]


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_as_documented(api: Api, token: str, path: str, method: str):
    operation = schemathesis.openapi.from_dict(DOCUMENT)[path][method]

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    def meant(case: schemathesis.Case) -> None:
        case.call_and_validate(base_url=api.address, headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def not_meant(case: schemathesis.Case) -> None:
        case.call_and_validate(base_url=api.address, headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)

    meant()
    if path != "/health":  # which is asked nothing
        not_meant()


@pytest.mark.parametrize("path", ["predictions", "predictions/latest", "outcomes", "skill", "regimes"])
def test_rows_that_are_there_are_as_documented(api: Api, token: str, path: str):
    operation = schemathesis.openapi.from_dict(DOCUMENT)[f"/v1/{path}"]["get"]
    for asked in ({"limit": 10}, {"limit": 10_000, "format": "csv"}, {"format": "arrow"}):
        case = operation.Case(query={"symbol": "BTCUSDT", **asked})
        answer = case.call_and_validate(
            base_url=api.address, headers={"Authorization": f"Bearer {token}"}, checks=CHECKS
        )
        assert len(answer.content) > 1_000


def test_the_document_is_the_one_that_is_served(api: Api):
    assert httpx.get(f"{api.address}/openapi.json").json() == DOCUMENT
