"""An LLM behind any OpenAI-compatible endpoint: ours, vLLM, or a vendor's."""

import asyncio
import logging
from collections.abc import AsyncIterator

import aiohttp

from actors.answer import Answer
from actors.gate import Gate, Ticket
from actors.llm_http import ChatHttp, Post
from actors.llm_plan import Endpoint, Patience
from actors.openai_chat import BadStream, Event, EventStream, Progress, counted, last_delta
from actors.slots import Place, Slots, continues
from actors.written_calls import WrittenCalls, answerable
from engine.capabilities import Chat, ChatDelta
from engine.inference import InferenceError, Priority
from engine.load import Load, Meter

log = logging.getLogger(__name__)

SOON_READ_TOKENS = 64
"""So much of a prompt is read to its end, once it was begun: one batch of the embedded model."""


class ChatRequest:
    """As `engine.inference.Request`. Dropping it cancels it, unless it warms the prompt cache."""

    def __init__(self, client: "OpenAIChat", answer: Answer) -> None:
        self._client = client
        self._answer = answer

    @property
    def compute_ms(self) -> float:
        """llama.cpp's own figure; elsewhere the time that the request held its place."""
        return self._answer.compute_ms

    @property
    def settled(self) -> bool:
        """Whether the endpoint is asked no more: `compute_ms` is final."""
        return self._answer.task is not None and self._answer.task.done()

    def __aiter__(self) -> AsyncIterator[ChatDelta]:
        return self

    async def __anext__(self) -> ChatDelta:
        return await self._answer.results.next()

    def promote(self, priority: Priority, deadline_ms: int) -> None:
        self._client._promote(self._answer, priority, deadline_ms)

    def cancel(self) -> None:
        self._client._cancel(self._answer)

    async def stopped(self) -> None:
        """Wait until it is."""
        if self._answer.task is not None:
            await asyncio.wait([self._answer.task])

    def __del__(self) -> None:
        if not self._answer.results.ended and not self._answer.warms:
            self._client._cancel_from_anywhere(self._answer)


class OpenAIChat:
    """Satisfies `Inference[Chat, ChatDelta]` over one endpoint, `at_once` requests at a time.

    `post` sends for it, where it is not to have connections of its own. Iteration raises
    `InferenceError`: `llm_unreachable`, `llm_timeout`, `llm_cut` (the answer ended in the middle),
    `llm_refused` (with what the endpoint says), `llm_overloaded`, `llm_failed`.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        at_once: int = 4,
        patience: Patience = Patience(),  # noqa: B008 - frozen
        post: Post | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._http = ChatHttp(endpoint, patience, post)
        self._gate = Gate(at_once)
        self._loop = asyncio.get_running_loop()
        self._open: set[Answer] = set()
        self._slots = Slots(max(endpoint.slots, at_once))
        self._lanes = at_once
        self._meter = Meter()

    payload_type = Chat

    def load(self) -> Load:
        """How busy the endpoint is with what was asked here; `worked_ms` is an estimate.

        An answer's share of the endpoint is taken to be that of one of its places.
        """
        now = self._loop.time()
        waiting = [ticket.waits_since or now for ticket in self._gate.waiting]
        return Load(
            queued=len(waiting),
            oldest_ms=(now - min(waiting, default=now)) * 1000,
            running=self._gate.inside,
            lanes=self._lanes,
            worked_ms=self._meter.worked_ms,
            served=self._meter.served,
            batches=self._meter.batches,
        )

    async def close(self) -> None:
        """Cancel everything and close the connections."""
        tasks = [answer.task for answer in self._open if answer.task is not None]
        for answer in list(self._open):
            self._cancel(answer)
            if answer.attempt is not None:
                answer.attempt.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self._http.close()

    def request(self, payload: Chat, *, priority: Priority, deadline_ms: int) -> ChatRequest:
        """Ask for an answer; see `Inference.request`.

        With `max_tokens` 0 the prompt is only read, so that the next answer begins sooner; foreign
        endpoints would bill for it and are not asked.
        """
        deadline = self._loop.time() + deadline_ms / 1000
        ticket = Ticket(
            priority,
            deadline,
            lambda: self._preempt(answer),
            lambda: answer.speech.lead_s(self._loop.time()),
        )
        answer = Answer(payload, ticket)
        if priority is Priority.SPECULATIVE:
            answer.speech.hold(self._loop.time())
        self._open.add(answer)
        answer.task = self._loop.create_task(self._answer(answer))
        answer.task.add_done_callback(lambda _: self._open.discard(answer))
        return ChatRequest(self, answer)

    # ---- one answer --------------------------------------------------------------------------

    async def _answer(self, answer: Answer) -> None:
        try:
            while not self._needless(answer) and not await self._attempt(answer):
                pass
            answer.results.end()
        except InferenceError as failed:
            answer.results.end(failed)
        except Exception as wrong:  # noqa: BLE001 - who waits must be told; its text may be private
            failure = f"reading the LLM's answer failed with {type(wrong).__name__}"
            log.error(failure)
            answer.results.end(InferenceError("llm_failed", failure))
        finally:
            answer.results.end()

    def _needless(self, answer: Answer) -> bool:
        """Whether nobody gains: foreign endpoints bill, and who wants words is not held up."""
        return answer.warms and (not self._endpoint.embedded or self._gate.full)

    async def _attempt(self, answer: Answer) -> bool:
        """Wait for a place and answer. False if it was preempted: it must be asked for again."""
        ticket = answer.ticket
        await self._until_known(answer)
        try:
            await self._gate.enter(ticket)
            started = self._loop.time()
            if ticket.leaving:
                return False
            if answer.attempt is None:
                waited_ms = (started - (ticket.waits_since or started)) * 1000
                self._meter.began(ticket.priority, waited_ms)
            at_once = self._gate.inside
            answer.timed_ms = None
            place = self._slots.take(answer.chat)
            answer.attempt = self._loop.create_task(self._stream(answer, place))
            answer.attempt.add_done_callback(_take_note)
            try:
                await asyncio.wait([answer.attempt])
            except asyncio.CancelledError:
                if self._endpoint.embedded and answer.reading:
                    await asyncio.wait([answer.attempt])
                raise
            finally:
                answer.attempt.cancel()
                self._slots.give_back(place)
                held_ms = (self._loop.time() - started) * 1000
                took_ms = held_ms if answer.timed_ms is None else answer.timed_ms
                answer.compute_ms += took_ms
                self._meter.ran(at_once, held_ms)
                self._meter.ended(ticket.priority, took_ms)
        finally:
            self._gate.leave(ticket)
        return not answer.attempt.cancelled() and answer.attempt.result()

    async def _until_known(self, answer: Answer) -> None:
        """Wait for what reads the same conversation ahead, or is about to stop: beside it, all of
        that would be read once more.
        """
        if not self._endpoint.embedded:
            return
        before = [
            other.attempt
            for other in self._open
            if other is not answer
            and other.attempt is not None
            and not other.attempt.done()
            and (other.warms or other.results.ended)
            and continues(other.chat, answer.chat)
        ]
        if before:
            await asyncio.wait(before)

    async def _stream(self, answer: Answer, place: Place) -> bool:
        """Whether the answer came to its end; else it was told to rest."""
        chat = answerable(answer.chat) if self._endpoint.embedded else answer.chat
        answer.reading = True
        slot = place.slot if place.named and self._endpoint.embedded else None
        response = await self._http.post(answer.speech.continued(chat), slot)
        try:
            return await self._read(response, answer, place)
        finally:
            response.close()  # not released: the server notices and stops

    async def _read(self, response: aiohttp.ClientResponse, answer: Answer, place: Place) -> bool:
        """Hand the answer on, piece by piece; its end comes last, with the token counts.

        False if the answer must rest, which it does before the next word begins: what was said up
        to there has the same tokens again.
        """
        events = EventStream()
        before = said = answer.speech.tokens
        wanted = self._endpoint.embedded and not answer.warms and not before
        calls = WrittenCalls(answerable(answer.chat).tools if wanted else ())
        finish, usage, model = "", None, self._endpoint.model
        while not events.done and not calls.found:
            data = await self._http.read(
                response, begun=answer.results.begun, finished=bool(finish)
            )
            if data:
                self._slots.began(place, self._loop.time())
            if answer.results.ended:
                return True  # nobody wants it any more
            if not data:
                break
            for event in _checked(events, data):
                if event.slot is not None and self._endpoint.embedded:
                    self._slots.ended(place, event.slot, self._loop.time())
                if event.prompt_progress is not None:
                    if self._gives_way(answer.ticket, event.prompt_progress):
                        return False
                    continue
                answer.reading = False
                if event.delta is not None and not answer.warms:
                    if not answer.ticket.begun:
                        self._gate.review()  # who was well ahead before the prompt was read
                    if answer.must_rest(event.delta.text):
                        return False
                    if event.timings is not None:
                        said = before + event.timings.predicted_n
                    for delta in calls.feed(event.delta):
                        told = counted(delta, event.timings, model, before)
                        self._hand_on(answer, told, said)
                finish = finish or event.finish
                usage = event.usage or usage
                if event.timings is not None:
                    answer.timed_ms = event.timings.prompt_ms + event.timings.predicted_ms
        for delta in calls.rest():
            self._hand_on(answer, delta, said)
        if calls.found:
            finish = "tool_calls"
        if not finish and not events.done:
            raise InferenceError("llm_cut", "the endpoint's answer ended in the middle")
        self._hand_on(answer, last_delta(finish or "stop", usage, model, before), said)
        return True

    def _gives_way(self, ticket: Ticket, read: Progress) -> bool:
        """Whether it leaves in the middle of its prompt: what was read stays read. Where little is
        left, only an answer that may never be heard does.
        """
        if not ticket.begun:
            ticket.resumable = read.left > SOON_READ_TOKENS
            if not ticket.resumable and ticket.priority < Priority.SPECULATIVE:
                ticket.leaving = False
        self._gate.review()
        return ticket.leaving

    def _hand_on(self, answer: Answer, delta: ChatDelta, tokens: int) -> None:
        """From here on no other request displaces this one, but it may be told to rest. `tokens`:
        of the answer so far.
        """
        ticket = answer.ticket
        begins = not ticket.begun
        if begins and self._loop.time() > ticket.deadline:
            self._meter.was_late(ticket.priority)
        ticket.begun = True
        answer.results.add(delta)
        answer.calls = answer.calls or bool(delta.tool_calls)
        if delta.text:
            answer.speech.add(delta.text, self._loop.time())
            answer.speech.tokens = tokens
        ticket.resumable = self._endpoint.embedded and answer.resumable
        if begins or ticket.resumable:
            self._gate.review()

    # ---- from outside ------------------------------------------------------------------------

    def _promote(self, answer: Answer, priority: Priority, deadline_ms: int) -> None:
        now = self._loop.time()
        if priority is Priority.SPECULATIVE:
            answer.speech.hold(now)
        else:
            answer.speech.go(now)
        self._gate.promote(answer.ticket, priority, now + deadline_ms / 1000)

    def _preempt(self, answer: Answer) -> bool:
        """What has begun stops by itself, where a word ends. What llama.cpp reads does so when it
        next tells how far it is, or where the answer would begin, and stays read.
        """
        if answer.attempt is None or answer.ticket.begun or self._endpoint.embedded:
            return False
        return answer.attempt.cancel()

    def _cancel(self, answer: Answer) -> None:
        """llama.cpp notices when it next tells how far it has read. That keeps its place until
        then: a request sent meanwhile would wait where none can be preferred.
        """
        asked = not answer.results.ended
        answer.results.drop()
        if asked and answer.task is not None:
            answer.task.cancel()

    def _cancel_from_anywhere(self, answer: Answer) -> None:
        """Garbage is collected in any thread, and after the loop has gone."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._cancel, answer)


def _take_note(attempt: asyncio.Task[bool]) -> None:
    """An attempt whose request was cancelled may fail too: nobody waits to hear of it."""
    if not attempt.cancelled():
        attempt.exception()


def _checked(events: EventStream, data: bytes) -> list[Event]:
    try:
        found = list(events.feed(data))
    except BadStream as wrong:
        raise InferenceError("llm_failed", f"the endpoint's stream is broken: {wrong}") from wrong
    for event in found:
        if event.failure is not None:
            raise InferenceError("llm_failed", f"the endpoint failed: {event.failure}")
    return found
