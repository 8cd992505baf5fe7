"""What pages of other origins are told."""

from typing import Any

import pytest

from server.access.crossing import Crossing

CALLS = "/v1/realtime/calls"


async def served(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 201, "headers": []})
    await send({"type": "http.response.body", "body": b"answered"})


async def nothing() -> Any:
    raise AssertionError("nobody reads the body")


async def answer(method: str, path: str, origin: str = "") -> tuple[int, dict[str, str]]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"origin", origin.encode())] if origin else []
    scope = {"type": "http", "method": method, "path": path, "headers": headers}
    await Crossing(served)(scope, nothing, send)
    told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], told


async def test_a_browser_that_asks_before_it_calls_is_let_without_a_key() -> None:
    status, told = await answer("OPTIONS", CALLS, "https://shop.example")
    assert status == 204
    assert told["access-control-allow-origin"] == "*"
    assert told["access-control-allow-headers"].split(", ") == [
        "authorization",
        "content-type",
        "*",
    ]
    assert "access-control-allow-credentials" not in told


async def test_the_answer_may_be_read_and_the_call_s_name_with_it() -> None:
    status, told = await answer("POST", CALLS, "https://shop.example")
    assert (status, told["access-control-allow-origin"]) == (201, "*")
    assert told["access-control-expose-headers"] == "location"


@pytest.mark.parametrize(
    ("method", "path", "origin"),
    [
        ("OPTIONS", "/v1/admin/keys", "https://shop.example"),
        ("POST", "/v1/web/session", "https://shop.example"),
        ("POST", CALLS, ""),
        ("OPTIONS", CALLS + "/sess_1/hangup", "https://shop.example"),
    ],
)
async def test_all_else_is_for_our_own_pages(method: str, path: str, origin: str) -> None:
    status, told = await answer(method, path, origin)
    assert status == 201
    assert not any(name.startswith("access-control") for name in told)
