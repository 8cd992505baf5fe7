"""Every route of the OpenAPI document, asked by schemathesis what it does and does not expect."""

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import allow_header_conformance, positive_data_acceptance

from tests.server.program import Server

pytestmark = [pytest.mark.models, pytest.mark.peers]

EXAMPLES = 40

LEFT_OUT = [
    positive_data_acceptance,  # no schema says what a network, an origin or another's id is
    allow_header_conformance,  # Litestar answers OPTIONS for each handler alone
]


@pytest.fixture(scope="module")
def api(server: Server) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"{server.url}/schema/openapi.json")


routes = schemathesis.pytest.from_fixture("api")


@routes.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_one_that_is_described(case: schemathesis.Case, server: Server) -> None:
    """No answer but those of the document, in their shape, and never that the server failed."""
    case.call_and_validate(headers=server.headers, excluded_checks=LEFT_OUT)
