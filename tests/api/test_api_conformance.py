"""Whatever is asked, the OpenAPI document says what comes: schemathesis makes up questions and checks the answers."""

from copy import deepcopy

import httpx
import pytest
import requests
import schemathesis
from api_market import Api
from hypothesis import HealthCheck, assume, given, settings
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
    if not path.startswith("/v1/stream/")
]
STREAMS = [path for path in DOCUMENT["paths"] if path.startswith("/v1/stream/")]


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
    if path not in ("/health", "/v1"):  # which are asked nothing
        not_meant()


@pytest.mark.parametrize("path", STREAMS)
def test_a_stream_that_cannot_be_given_is_refused_as_documented(api: Api, token: str, path: str):
    """What is asked well has no end: the tests of streams look at it."""
    document = deepcopy(DOCUMENT)
    asks = document["paths"][path]["get"]
    del asks["security"]  # else the only mistake of a case may be that it has no token
    lists = {one["name"] for one in asks["parameters"] if one["schema"].get("type") == "array"}
    operation = schemathesis.openapi.from_dict(document)[path]["get"]

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def not_meant(case: schemathesis.Case) -> None:
        # In a query, one value is a list of one, and an empty list is not sent.
        assume(all(isinstance(value, list) for name, value in case.query.items() if name in lists))
        assume(all(value != [] for value in case.query.values()))
        asked = case.as_transport_kwargs(base_url=api.address, headers={"Authorization": f"Bearer {token}"})
        with requests.request(**asked, stream=True, timeout=30) as answer:
            assert answer.status_code != 200, asked
            case.validate_response(answer, checks=CHECKS)

    not_meant()


@pytest.mark.parametrize(
    "path", ["bars", "features", "predictions", "predictions/latest", "outcomes", "skill", "regimes", "alerts", "gaps"]
)
def test_rows_that_are_there_are_as_documented(api: Api, token: str, path: str):
    operation = schemathesis.openapi.from_dict(DOCUMENT)[f"/v1/{path}"]["get"]
    for asked in ({"limit": 10}, {"limit": 1_000, "format": "csv"}, {"format": "arrow"}):
        case = operation.Case(query={"symbol": "BTCUSDT", **asked})
        answer = case.call_and_validate(
            base_url=api.address, headers={"Authorization": f"Bearer {token}"}, checks=CHECKS
        )
        assert len(answer.content) > 1_000


def test_the_document_is_the_one_that_is_served(api: Api):
    assert httpx.get(f"{api.address}/openapi.json").json() == DOCUMENT
