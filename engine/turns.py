"""Turn-taking: tells the floor machine what happens, and does what it decides."""

import asyncio
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from engine import floor, moves
from engine.actor import Actor
from engine.caller_audio import CallerAudio
from engine.caller_words import CallerWords
from engine.capabilities import ToolSpec
from engine.errors import RequestError
from engine.floor_state import Floor, Rules, State
from engine.frames import (
    CALLER_HZ,
    Failure,
    Frame,
    Hush,
    IdleTimeout,
    InputCommitted,
    ItemAdded,
    ItemWords,
    Onset,
    ResponseEnded,
    Scored,
    SpeechStarted,
    SpeechStopped,
    TurnMeasured,
    Usage,
    Voice,
    Warm,
    Words,
    WordsFailed,
)
from engine.generation import Generation
from engine.history import History
from engine.inference import Priority
from engine.items import Message, Part, new_item_id
from engine.outlet import Outlet
from engine.own_sound import OwnSound
from engine.pipeline import Pipeline
from engine.prompt import chat_of, prompt_of
from engine.recordings import Recordings
from engine.rules import rules_of
from engine.services import Ear
from engine.session_time import SessionTime
from engine.settings import ResponseRequest, SessionSettings, TurnSettings

LONGEST_UTTERANCE_MS = 120_000
"""A caller that never pauses for so long is committed as it is."""

SHORTEST_WAIT_S = 0.02
"""Session time may stand still while audio is held up: the timer then looks again."""

SHORTEST_COMMIT_MS = 100
"""Less cannot hold a word; the realtime protocol refuses it."""


class Turns(Actor):
    """The host of the floor machine, between the actors that hear and those that answer.

    `send` takes outward frames. `idle` is called each time a response has ended, or nobody speaks
    any more. `ours` are the tools that the server runs.
    """

    pipeline: Pipeline

    def __init__(
        self,
        settings: SessionSettings,
        history: History,
        audio: CallerAudio,
        ear: Ear,
        send: Callable[[Frame], None],
        failed: Callable[[BaseException], None],
        idle: Callable[[], None],
        ours: Sequence[ToolSpec] = (),
    ) -> None:
        super().__init__()
        self.state = State()
        self.outlet: Outlet
        self._history = history
        self._audio = audio
        self._ear = ear
        self._send = send
        self._failed = failed
        self._idle = idle
        self._time = SessionTime()
        self._timer: asyncio.TimerHandle | None = None
        self._onset_samples = 0
        self._hush_samples: int | None = None
        self._hushed_at = 0.0
        self.own_sound = OwnSound(audio, ear)
        self._item_id = new_item_id()
        self._words = CallerWords(send)
        self._recording: bytes | None = None  # of a turn that the client ends before its hush
        self._manual_from: int | None = None
        self.recordings = Recordings(ear, history, self._words)
        self._request = ResponseRequest()
        self._say: str | None = None
        self._waiting: ResponseRequest | None = None  # until what it answers is transcribed
        self._away = False
        self._tools_run = False
        self._follow_up: int | None = None
        self._unasked = False  # has nobody asked for that?
        self._ours = ours
        self.settings: SessionSettings = settings
        self.configure(settings)

    @property
    def responding(self) -> bool:
        """Is a response in the conversation live, or about to be?"""
        return self.state.live is not None or self._waiting is not None

    @property
    def quiet(self) -> bool:
        """Does nobody speak, nor is about to, and is the client there?"""
        state = self.state
        nobody = state.floor is Floor.IDLE and state.prepared is None and not self.responding
        return nobody and not self._away

    @property
    def next_generation(self) -> int:
        """The number of the next generation: its prompt is made of the history as it is then."""
        return self.state.next_generation

    @property
    def response_id(self) -> str | None:
        """The id of the live response in the conversation."""
        generation = self.outlet.generation
        if generation is None or generation.number != self.state.live:
            return None
        return generation.response_id

    # ---- what the session asks for -----------------------------------------------------------

    def configure(self, settings: SessionSettings) -> None:
        """Use these settings from now on."""
        self.settings = settings
        self._rules = self._rules_now()
        self._words.wanted = settings.transcribe
        self._threshold = (settings.turn or TurnSettings()).threshold
        self._ear.configure(settings)
        manual = settings.turn is None
        if manual and self._manual_from is None:
            self._feed(moves.Dropped())
            self._listen_manually()
        elif not manual and self._manual_from is not None:
            self._manual_from = None
            self._audio.keep_from(None)
        self._arm()

    def prepare(self) -> None:
        """Have the LLM read the instructions before anybody speaks, or while it is greeted."""
        if self._rules.responds and (not self.responding or self._say is not None):
            self._warm(None)

    def say(self, text: str, interruptible: bool) -> None:
        """Say `text` verbatim."""
        self._request, self._say = ResponseRequest(), text
        self._feed(moves.Asked(yields=interruptible))

    @property
    def following_up(self) -> bool:
        """Is the live response one that began by itself, after a tool?"""
        return self.state.live is not None and self.state.live == self._follow_up

    def follow_up(self) -> None:
        """Have the agent go on with what stands in the history; it must be `quiet`.

        Whoever has it call a tool each time means the answer to the caller, not this one.
        """
        forced = self.settings.tool_choice not in ("auto", "none")
        self._request, self._say = ResponseRequest(tool_choice="auto" if forced else None), None
        self._follow_up, self._unasked = self.state.next_generation, True
        self._feed(moves.Asked())

    def wait_for_tools(self, waiting: bool) -> None:
        """While a tool runs, the agent's silence is no reason to prompt the caller."""
        self._tools_run = waiting
        self._rules = self._rules_now()
        self._arm()

    def respond(self, request: ResponseRequest) -> None:
        """Begin a response in the conversation. Raises `RequestError` if one is active.

        Clients that ask for the answer to a tool's output, as stock ones do, mean the one that has
        begun by itself.
        """
        if self.following_up and self._unasked:
            self._unasked = False
            if replace(request, event_id=None) == ResponseRequest():
                return
        if self.responding:
            raise RequestError(
                "conversation_already_has_active_response",
                "a response is in progress: wait for response.done, or cancel it first",
            )
        if self.recordings:
            self._waiting = request
            return
        self._request, self._say = request, None
        self._feed(moves.Asked())

    def cancel(self) -> None:
        """Cancel the response in the conversation. Raises `RequestError` if there is none."""
        if self._waiting is not None:
            request, self._waiting = self._waiting, None
            self._tell_unbegun(request)
        elif self.state.live is not None:
            self._feed(moves.Cancelled())
        else:
            raise RequestError("response_cancel_not_active", "no response is in progress")

    def commit(self) -> None:
        """End the caller's turn here. Raises `RequestError` if too little was said."""
        start = self._ear.utterance_start() if self._manual_from is None else self._manual_from
        length_ms = 0 if start is None else (self._audio.end - start) * 1000 // CALLER_HZ
        if start is None or length_ms < SHORTEST_COMMIT_MS:
            raise RequestError(
                "input_audio_buffer_commit_empty",
                f"the audio buffer holds {length_ms} ms: at least {SHORTEST_COMMIT_MS} ms of"
                " audio are needed to commit it",
            )
        self.recordings.check_room()
        self._recording = self._audio.slice(start, self._audio.end)
        if self._manual_from is None:
            self._feed(moves.Committed())
        else:
            self._take_turn("")

    def clear(self) -> None:
        """Throw the caller's uncommitted audio away."""
        if self._manual_from is not None:
            self._listen_manually()
        else:
            self._feed(moves.Dropped())

    def leave(self) -> None:
        """The client is gone: stop speaking and forget what was being said."""
        if self._waiting is not None:
            self._tell_unbegun(self._waiting)
            self._waiting = None
        self._away = True
        self._rules = self._rules_now()
        if self.state.live is not None:
            self._feed(moves.Cancelled())
        self._feed(moves.Dropped())
        self._arm()

    def welcome(self) -> None:
        """The client is there (again)."""
        self._away = False
        self._rules = self._rules_now()
        self._feed(moves.Returned())

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # ---- what the actors before tell ---------------------------------------------------------

    def receive(self, frame: Frame) -> None:
        match frame:
            case Voice(probability, _, at_samples):
                self._time.hear(at_samples)
                if self.state.floor is Floor.PAUSED and probability >= self._threshold:
                    self._feed(moves.Stirred(self._time.at_ms(at_samples)))
                self._bound(at_samples)
                due = floor.wake_at(self.state, self._rules)
                if due is not None and self._time.now_ms() >= due:
                    self._feed(moves.Ticked())
            case Onset(at_samples):
                if self.state.floor in _SILENT:
                    self._onset_samples = at_samples
                    self.own_sound.onset(self.state.audible, self._time.now_ms())
                if not self.own_sound.alone:
                    self._feed(moves.Sounded(self._time.at_ms(at_samples)))
            case Hush() if self.own_sound.alone:
                self.own_sound.alone = False
                self._drop_utterance()
            case Hush(at_samples):
                self._hush_samples = at_samples
                self._hushed_at = self._time.loop_time(at_samples)
                self._feed(moves.Hushed(self._time.at_ms(at_samples)))
            case Words() if self.own_sound.goes_on(self.state.audible, self._time.now_ms()):
                pass
            case Words(stable, text, final, to_samples, confidence):
                if self.own_sound.alone:  # the caller speaks as well by now
                    self.own_sound.alone = False
                    self._feed(moves.Sounded(self._time.at_ms(self._onset_samples)))
                final = final and to_samples == self._hush_samples
                if final:
                    self._words.recognised()
                if frame.final:
                    stable = ""  # if the caller goes on, these words may change
                left_ms, upto = self.outlet.left_ms(), self._time.at_ms(to_samples)
                echo = self.own_sound.returns(self.state.audible, self._time.now_ms())
                if echo:
                    text = stable = ""
                self._feed(moves.Said(text, final, stable, left_ms, confidence, upto, echo))
                if self.state.announced:
                    self._words.tell_stable(self._item_id, stable)
                if self.state.floor is Floor.CALLER and self._rules.responds:
                    self._warm(text)
            case WordsFailed(_, _, to_samples) if to_samples == self._hush_samples:
                self._words.recognised(frame)
                # The last guess stands in, and nobody vouches for it.
                self._feed(moves.Said(self.state.words, True, confidence=0.0))
            case Scored(complete, at_samples) if at_samples == self._hush_samples:
                self._feed(moves.Judged(complete))
            case ItemWords():
                self._take_item_words(frame)

    # ---- what the reply tells ----------------------------------------------------------------

    def ready(self, generation: int) -> None:
        self._feed(moves.Ready(generation))

    def audible(self, generation: int) -> None:
        self._feed(moves.Audible(generation))
        self._measure(generation)

    def finished(self, generation: int) -> None:
        if self.outlet.failed:
            self.pipeline.interrupt()  # what is still being made for it would hold up the next
        self.own_sound.ended(self._time.now_ms())
        self._feed(moves.Finished(generation))
        self._idle()

    # ---- the machine -------------------------------------------------------------------------

    def _feed(self, event: moves.Event) -> None:
        """Let the machine decide, and do what it says.

        An action may itself be an event's cause (an answer that is ready as soon as it is begun);
        that event is then handled inside, on the state that the action already belongs to.
        """
        before = self.state.floor
        self.state, actions = floor.step(self.state, event, self._time.now_ms(), self._rules)
        for action in actions:
            self._do(action)
        if self.state.floor is Floor.IDLE and before is not Floor.IDLE:
            asyncio.get_running_loop().call_soon(self._idle)
        self._ear.guard(self.state.audible)
        self._arm()

    def _do(self, action: moves.Action) -> None:
        match action:
            case moves.Announce():
                self._words.begin()
                self._item_id = new_item_id()
                self._send(SpeechStarted(self._item_id, _ms(self._onset_samples)))
                if self._rules.responds:
                    self._warm(None)
            case moves.EndTurn(_, words):
                end = self._hush_samples if self._recording is None else self._audio.end
                self._send(SpeechStopped(self._item_id, _ms(end or self._audio.end)))
                self._take_turn(words)
            case moves.Forget():
                self._drop_utterance()
            case moves.Prepare(generation, words):
                self._begin(generation, Priority.SPECULATIVE, words)
            case moves.Hurry():
                self._stamp_verdict()
                self.pipeline.prioritise(Priority.FIRST)
            case moves.Promote():
                self._stamp_verdict()
                self.pipeline.prioritise(Priority.FIRST)
                self.outlet.release()
            case moves.Start(generation, reprompt):
                self._start(generation, reprompt)
            case moves.Retire():
                self.outlet.cut("retired")
                self.pipeline.interrupt()
            case moves.Interrupt(_, by_caller):
                self.outlet.cut("turn_detected" if by_caller else "client_cancelled")
                self.own_sound.ended(self._time.now_ms())  # what is on its way sounds on
                self.pipeline.interrupt()
                self._idle()
            case moves.Hold():
                self.outlet.hold()
                self.pipeline.prioritise(Priority.SPECULATIVE)
            case moves.Resume():
                self.outlet.resume()
                self.pipeline.prioritise(Priority.FIRST)

    def _tell_unbegun(self, request: ResponseRequest) -> None:
        """A client that asked for a response is told its end, also of one that never began."""
        told = Generation(0, request, self.settings)
        self._send(told.started())
        ended = (told.response_id, "cancelled", "client_cancelled", None, (), Usage())
        self._send(ResponseEnded(*ended))

    def _stamp_verdict(self) -> None:
        if self.outlet.generation is not None:
            self.outlet.generation.stamp("verdict")

    def _start(self, generation: int, reprompt: bool) -> None:
        settings = self.settings
        if reprompt and settings.reprompt is not None:
            self._request, self._say = ResponseRequest(), settings.reprompt.text
            end = _ms(self._audio.end)
            item_id = new_item_id()
            self._send(IdleTimeout(item_id, max(0, end - settings.reprompt.after_ms), end))
        self._begin(generation, Priority.FIRST, None)
        self.outlet.release()

    def _begin(self, number: int, priority: Priority, words: str | None) -> None:
        """Have generation `number` made: the answer to `words` (None: to the history as it is)."""
        request = self._request if words is None else ResponseRequest()
        say = self._say if words is None else None
        ours = () if request.tools is not None else self._ours
        names = frozenset(spec.name for spec in ours)
        generation = Generation(number, request, self.settings, names)
        if words is not None:
            generation.stamps["pause"] = self._hushed_at
            generation.stamp("transcript")
        self.outlet.open(generation)
        self.emit(
            prompt_of(
                generation,
                self.settings,
                self._history,
                words,
                say,
                priority,
                self.outlet.rate_hz,
                ours,
            )
        )

    def _warm(self, words: str | None) -> None:
        """Have the LLM read what comes before the answer, while there is time."""
        request = ResponseRequest()
        self.emit(Warm(chat_of(request, self.settings, self._history, words, self._ours)))

    def _take_turn(self, words: str) -> None:
        """The caller's turn becomes an item of the history."""
        item_id, recording = self._item_id, self._recording
        self._item_id, self._recording = new_item_id(), None
        known = recording is None
        part = Part("audio", words if known else None)
        item = Message(item_id, "user", (part,))
        previous = self._history.add(item)
        self._send(InputCommitted(item_id, previous))
        self._send(ItemAdded(item, previous, True))
        if recording is not None:
            self._drop_utterance()
            self.recordings.add(item_id, recording)
            return
        start = self._ear.utterance_start() or self._onset_samples
        seconds = ((self._hush_samples or start) - start) / CALLER_HZ
        self._words.tell_turn(item_id, words, seconds)
        self._drop_utterance()

    def _take_item_words(self, frame: ItemWords) -> None:
        self.recordings.take(frame)
        if self._waiting is not None and not self.recordings:
            request, self._waiting = self._waiting, None
            try:
                self.respond(request)
            except RequestError as error:  # the caller's own turn has been answered meanwhile
                self._send(
                    Failure(
                        "invalid_request_error",
                        error.code,
                        str(error),
                        error.param,
                        request.event_id,
                    )
                )

    def _bound(self, now_samples: int) -> None:
        """End an utterance that does not end: music, or a room that the VAD takes for speech."""
        start = self._ear.utterance_start()
        if self._manual_from is not None or start is None:
            return
        if now_samples - start > LONGEST_UTTERANCE_MS * CALLER_HZ // 1000:
            if self.state.words and not self.recordings.full:
                self.commit()
            else:
                self._feed(moves.Dropped())

    def _rules_now(self) -> Rules:
        """Nobody is prompted who is away, waits for a tool, or says when it has finished."""
        rules = rules_of(self.settings)
        if self._away or self._tools_run or self.settings.turn is None:
            rules = replace(rules, reprompt_ms=None)
        return rules

    def _drop_utterance(self) -> None:
        self._ear.drop()
        self._hush_samples = None
        self._words.forget()
        if self._manual_from is not None:
            self._listen_manually()

    def _listen_manually(self) -> None:
        self._manual_from = self._audio.end
        self._audio.keep_from(self._audio.end)

    def _measure(self, number: int) -> None:
        generation = self.outlet.generation
        if generation is None or generation.number != number:
            return
        prepared = "pause" in generation.stamps
        self._send(TurnMeasured(generation.response_id, generation.stages(), prepared))

    def _arm(self) -> None:
        """Set the timer to when the machine wants to be woken."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = floor.wake_at(self.state, self._rules)
        if due is not None:
            wait = max(SHORTEST_WAIT_S, (due - self._time.now_ms()) / 1000)
            self._timer = asyncio.get_running_loop().call_later(wait, self._wake)

    def _wake(self) -> None:
        self._timer = None
        try:
            self._feed(moves.Ticked())
        except Exception as error:  # noqa: BLE001 - nobody above could catch it
            self._failed(error)


_SILENT = (Floor.IDLE, Floor.WAITING, Floor.AGENT)


def _ms(samples: int) -> int:
    return samples * 1000 // CALLER_HZ
