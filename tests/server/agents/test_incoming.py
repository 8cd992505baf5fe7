"""A webhook says who answers; where it does not, the agent answers as it is."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from server.access.caller import Caller
from server.agents.incoming import Arrival, Unanswered
from tests.server.agents.test_answering import House, database, embedded, house, url
from tests.server.local_server import LocalServer

__all__ = ["database", "embedded", "house", "url"]

NAMED = {"instructions": "Sell bread."}


class Desk:
    """Answers with `says`, and is told what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.says: Any = {}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        text = self.says if isinstance(self.says, str) else json.dumps(self.says)
        return web.Response(text=text, content_type="application/json")


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    with LocalServer(desk.handle) as server:
        desk.url = server.url
        yield desk


async def asking(house: House, desk: Desk, caller: Caller | None = None, **more: Any) -> Any:
    """The id of who is asked, and who answers."""
    incoming = {"url": desk.url, **more}
    ident = await house.agent(house.bakery, session=NAMED, incoming=incoming)
    caller = caller or Caller(house.bakery)
    arrival = Arrival(ident, caller.account_id, None, "websocket", "127.0.0.1", {})
    return ident, await house.agents.arriving(caller, arrival)


async def test_another_agent_answers_with_variables_and_a_session(house: House, desk: Desk) -> None:
    other = await house.agent(house.bakery, session={"instructions": "Greet {{name}}."})
    own = {"variables": None, "record": False}
    session = {"temperature": 0.7, "voiceforge": own}
    desk.says = {"agent": other, "variables": {"name": "Ada"}, "session": session}
    _, found = await asking(house, desk)
    assert found.agent.id == other
    [_, preset] = found.presets
    assert preset["voiceforge"] == {"variables": {"name": "Ada"}, "record": False}
    desk.says = {}
    ident, found = await asking(house, desk)
    assert (found.agent.id, found.given) == (ident, ())


DEEP = '{"session": ' + '{"a": ' * 3000 + "1" + "}" * 3001


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ({"agent": "agent_gone"}, "no agent with the id"),
        ({"agent": "agent_\0"}, "no agent with the id"),
        ({"session": {"voice": 7}}, "session.voice"),
        ({"session": {"type": "transcription"}}, "of the type realtime"),
        ({"session": {"voiceforge": {"variables": "Ada"}}, "variables": {"a": "b"}}, "variables"),
        ({"variables": {"a": 1}}, "not as it should be"),
        (DEEP, "not as it should be"),
        ('{"session": ' + '{"a": ' * 700 + "1" + "}" * 701, "session"),
    ],
)
async def test_what_cannot_be_is_not_followed(
    house: House, desk: Desk, says: Any, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    desk.says = says
    ident, found = await asking(house, desk)
    assert (found.agent.id, found.given) == (ident, ())
    [record] = [one for one in caplog.records if one.name == "server.agents.answering"]
    assert told in vars(record)["error"]
    with pytest.raises(Unanswered, match=told):
        await asking(house, desk, required=True)


async def test_an_administrator_reaches_no_other_account_s_agent_through_it(
    house: House, desk: Desk
) -> None:
    desk.says = {"agent": await house.agent(house.mill)}
    admin = Caller(house.mill, scopes=("admin",))
    ident, found = await asking(house, desk, admin)
    assert found.agent.id == ident
