"""When models are asked whether they answer, and how often."""

import asyncio

from server import readiness
from server.readiness import Readiness


class Count:
    """A probe that answers `wrong` in turn, then well."""

    def __init__(self, *wrong: Exception) -> None:
        self.asked = 0
        self.wrong = list(wrong)

    async def __call__(self) -> None:
        self.asked += 1
        await asyncio.sleep(0)
        if self.wrong:
            raise self.wrong.pop(0)


async def test_an_answer_is_remembered_for_a_while() -> None:
    probe = Count()
    ready = Readiness(("stt",), fresh_s=60)
    ready.models_started({"stt": probe})
    assert (await ready.state()).ready
    assert (await ready.state()).ready
    assert probe.asked == 1


async def test_those_who_ask_at_once_share_one_answer() -> None:
    probe = Count()
    ready = Readiness(("stt",), fresh_s=60)
    ready.models_started({"stt": probe})
    states = await asyncio.gather(*(ready.state() for _ in range(5)))
    assert all(state.ready for state in states)
    assert probe.asked == 1


async def test_a_model_that_did_not_answer_is_soon_asked_again() -> None:
    probe = Count(TimeoutError())
    ready = Readiness(("stt",), fresh_s=60)
    ready.models_started({"stt": probe})
    first = await ready.state()
    assert first.models == {"stt": f"no answer within {readiness.PATIENCE_S:g} s"}
    await asyncio.sleep(readiness.RETRY_S)
    assert (await ready.state()).ready
