"""The ear of a session: its actors from voice activity to words and the score of a turn."""

from collections.abc import Sequence

from actors.echo import likeness
from actors.judge import Judge
from actors.listen import Listen
from actors.recordings import Recordings
from actors.stt_router import CallerLanguage
from actors.vad import Vad, VadSlots
from engine.actor import Actor
from engine.caller_audio import CallerAudio
from engine.capabilities import Clip, Transcript, TurnClip, TurnScore
from engine.inference import Inference
from engine.settings import SessionSettings, TurnSettings
from engine.voicing import Voicing


class SessionEar:
    """Satisfies `engine.services.Ear`. Without turn settings only recordings are transcribed."""

    def __init__(
        self,
        slots: VadSlots,
        stt: Inference[Clip, Transcript],
        turn: Inference[TurnClip, TurnScore],
        audio: CallerAudio,
        settings: SessionSettings,
    ) -> None:
        self._voicing = Voicing(TurnSettings().threshold)
        self._caller = CallerLanguage(settings.language)
        self._listen = Listen(stt, audio, self._caller, TurnSettings().prefix_ms)
        self._judge = Judge(turn, audio)
        self._recordings = Recordings(stt, self._caller)
        self.actors: Sequence[Actor] = (
            Vad(slots),
            self._voicing,
            self._listen,
            self._judge,
            self._recordings,
        )
        self.configure(settings)

    def drop(self) -> None:
        self._voicing.reset()  # speech that goes on is a new utterance
        self._listen.drop()
        self._judge.drop()

    def guard(self, guarded: bool) -> None:
        self._voicing.guarded = guarded

    def transcribe(self, item_id: str, pcm: bytes) -> None:
        self._recordings.transcribe(item_id, pcm)

    def utterance_start(self) -> int | None:
        return self._listen.utterance_start

    def likeness(self, caller: bytes, agent: bytes, agent_hz: int) -> float:
        return likeness(caller, agent, agent_hz)

    def configure(self, settings: SessionSettings) -> None:
        self._caller.speaks(settings.language)
        self._caller.terms = settings.terms
        self._caller.by = settings.recogniser
        turn = settings.turn
        self._voicing.enabled = turn is not None
        if turn is not None:
            self._voicing.threshold = turn.threshold
            self._listen.prefix_ms = turn.prefix_ms
        self._judge.enabled = turn is not None and turn.kind == "semantic_vad"
