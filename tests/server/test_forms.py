"""Forms with a file, as clients and strangers send them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from litestar import Request, post
from litestar.testing import create_async_test_client

from server import forms
from server.access.denied import Denied
from server.app import denied
from server.forms import Forms

LIMIT = 1 << 20


async def answer(body: bytes, kind: str = "multipart/form-data; boundary=b") -> tuple[int, Any]:
    received = Forms(LIMIT)

    @post("/", status_code=200, request_max_body_size=2 * LIMIT)
    async def route(request: Request[Any, Any, Any]) -> dict[str, Any]:
        async with received.received(request, "acct") as form:
            data = form.sent.read()
            return {
                "fields": form.fields,
                "bytes": form.file_bytes,
                "same": data == bytes(len(data)),
            }

    async with create_async_test_client(route, exception_handlers={Denied: denied}) as client:
        told = await client.post("/", content=body, headers={"content-type": kind})
        return told.status_code, told.json()


def part(name: str, data: bytes, more: str = "") -> bytes:
    head = f'--b\r\ncontent-disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + data + b"\r\n"


FILE = part("file", bytes(600_000), '; filename="a.wav"')
END = b"--b--\r\n"


async def test_a_file_and_fields_are_received() -> None:
    body = part("model", b"whisper-1") + FILE + part("a[]", b"x") + part("a[]", b"y") + END
    fields = {"model": ["whisper-1"], "a[]": ["x", "y"]}
    assert await answer(body) == (200, {"fields": fields, "bytes": 600_000, "same": True})


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (part("model", b"whisper-1") + END, 400, "the form has no file"),
        (part("file", b"", '; filename="a"') + END, 400, "file is empty"),
        (FILE + FILE + END, 400, "two files"),
        (FILE, 400, "the form cannot be read"),
        (b"no form at all", 400, "the form cannot be read"),
        (part("prompt", b"x" * 70_000) + END, 400, "prompt: has more than 65536 bytes"),
        (b"".join(part(f"a{n}", b"") for n in range(70)) + END, 400, "cannot be read"),
        (part("file", b"x", f'; filename="{"a" * 5000}"') + END, 400, "cannot be read"),
        (part("model", b"\xff\xfe") + FILE + END, 400, "cannot be read"),
        (part("file", bytes(LIMIT + 1), '; filename="a"') + END, 413, "more than 1 MB"),
    ],
)
async def test_what_is_wrong_is_told(body: bytes, status: int, told: str) -> None:
    code, said = await answer(body)
    assert code == status
    assert told in said["error"]["message"]


async def test_another_kind_of_body_is_told() -> None:
    for kind in ("application/json", "multipart/form-data"):
        code, said = await answer(b"{}", kind)
        assert code == 400
        assert "send a form" in said["error"]["message"]


async def test_a_client_that_sends_nothing_more_is_taken_for_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forms, "STALLED_S", 0.05)

    class Stalled:
        content_type = "multipart/form-data", {"boundary": "b"}

        async def stream(self) -> AsyncIterator[bytes]:
            import asyncio

            yield FILE[:1000]
            await asyncio.sleep(10)

    received = Forms(LIMIT)
    with pytest.raises(Denied, match="nothing of the file came") as refused:
        async with received.received(Stalled(), None):  # type: ignore[arg-type]
            pass
    assert refused.value.status == 408
    assert len(received._open) == 0


async def test_one_account_leaves_room_for_others() -> None:
    import contextlib

    class Sent:
        content_type = "multipart/form-data", {"boundary": "b"}

        async def stream(self) -> AsyncIterator[bytes]:
            yield FILE + END

    received: Any = Forms(LIMIT)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(forms.MOST_EACH):
            await stack.enter_async_context(received.received(Sent(), "one"))
        with pytest.raises(Denied, match="8 of them yours"):
            await stack.enter_async_context(received.received(Sent(), "one"))
        await stack.enter_async_context(received.received(Sent(), "two"))
    await stack.enter_async_context(received.received(Sent(), "one"))
    await stack.aclose()
