"""Responses that differ from their session, through the whole session with scripted models."""

from tests.server.exchange import Client, services
from tests.server.test_sessions import registry, virtual


@virtual
async def test_a_response_with_a_voice_and_limit_of_its_own_shows_them() -> None:
    sessions = registry(services())
    async with Client(sessions) as caller:
        await caller.until("session.created")
        own = {"audio": {"output": {"voice": "marin"}}, "max_output_tokens": 9}
        for conversation in ("auto", "none"):
            caller.events.clear()
            caller.put("response.create", response={**own, "conversation": conversation})
            for kind in ("response.created", "response.done"):
                shown = (await caller.until(kind))["response"]
                assert shown["audio"]["output"]["voice"] == "marin"
                assert shown["max_output_tokens"] == 9
        caller.events.clear()
        caller.put("response.create")
        shown = (await caller.until("response.created"))["response"]
        assert shown["audio"]["output"]["voice"] != "marin"
        assert shown["max_output_tokens"] == "inf"
