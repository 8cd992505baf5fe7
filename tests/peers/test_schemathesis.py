"""Every route of the OpenAPI document, asked by schemathesis what it does and does not expect."""

import contextlib
from collections.abc import Iterable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    ignored_auth,
    negative_data_rejection,
    positive_data_acceptance,
)

from tests.server.program import Server

pytestmark = [pytest.mark.models, pytest.mark.peers]

EXAMPLES, EXAMPLES_LONG = 25, 250  # of each kind, for each route

LONGEST_S = 60  # other tests run beside it

CHAT = "/v1/chat/completions"
SIGN_IN = "/v1/web/session"

LEFT_OUT = [
    positive_data_acceptance,  # no schema says what a network, an origin or another's id is
    negative_data_rejection,  # it would leave the key out, which is sent nevertheless
    ignored_auth,  # it guesses keys until it is slowed down: tests/server/access looks at that
]


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_answer_is_one_that_is_described(server: Server, mode: GenerationMode) -> None:
    """No answer but those of the document, in their shape, and never that the server failed.
    The same questions each time: new ones are for those who look for faults, below.
    """
    ask_all(server, mode, EXAMPLES, derandomize=True)


@pytest.mark.long
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_whatever_is_asked_is_answered_as_described(server: Server, mode: GenerationMode) -> None:
    ask_all(server, mode, EXAMPLES_LONG, derandomize=False)


def ask_all(server: Server, mode: GenerationMode, examples: int, *, derandomize: bool) -> None:
    """Every route, so many times."""
    api = schemathesis.openapi.from_url(f"{server.url}/schema/openapi.json")
    routes: Iterable[Any] = api.get_all_operations()
    asked = 0
    for route in routes:

        @settings(
            max_examples=examples,
            derandomize=derandomize,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=route.ok().as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            nonlocal asked
            if case.path == CHAT and isinstance(case.body, dict) and "max_tokens" not in case.body:
                case.body["max_tokens"] = 4  # a small LLM likes to go on
            if case.path == SIGN_IN and isinstance(case.body, dict) and case.body.get("key"):
                case.body["key"] = server.key  # or it would guess until it is slowed down
            case.call_and_validate(
                headers=server.headers, timeout=LONGEST_S, excluded_checks=LEFT_OUT
            )
            asked += 1

        with contextlib.suppress(Unsatisfiable):  # nothing can be wrong where nothing is asked for
            ask()
    assert asked > examples
