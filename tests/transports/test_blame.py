"""Whose fault a failure is, as a client is told it."""

from typing import Any

import pytest

from engine import frames
from tests.transports.test_server_events import transcribing

BLAME = [
    ("bad_payload", "invalid_request_error"),
    ("model_failed", "server_error"),
    ("worker_lost", "server_error"),
]


@pytest.mark.parametrize(("code", "kind"), BLAME)
def test_a_response_that_failed_names_the_cause(client: Any, code: str, kind: str) -> None:
    *_, done, _ = client.told(
        frames.ResponseStarted("resp_1", 1, "audio", True, {}),
        frames.ResponseEnded("resp_1", "failed", code, "speed is 5.0", (), frames.Usage()),
    )
    assert done["type"] == "response.done"
    error = done["response"]["status_details"]["error"]
    assert error == {"type": kind, "code": code, "message": "speed is 5.0"}


@pytest.mark.parametrize(("code", "kind"), BLAME)
def test_a_transcript_that_failed_names_the_cause(new_client: Any, code: str, kind: str) -> None:
    client = transcribing(new_client)
    (event,) = client.told(frames.CallerTranscriptFailed("item_u", code, "language is 'tlh'"))
    assert (event["error"]["type"], event["error"]["code"]) == (kind, code)
    assert event["error"]["message"] == "language is 'tlh'"
