"""Whisper on the labelled turns, and on speech in several languages."""

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from actors import piper
from actors.handlers import Share
from actors.manifest import load_manifest
from actors.store import Store
from actors.whisper import (
    Whisper,
    _fits,
    _Piece,
    _take,
    largest_batch,
    most_tokens,
    window_frames,
)
from actors.workers import model_command
from bench.hearsay import words
from bench.turns import Pcm, Turn, by_phone, on_line, turns
from bench.whisper_batches import corrections
from engine.capabilities import Clip, Transcript, Utterance
from engine.inference import Priority
from engine.pool import Pool
from tests.local import LocalReplica

pytestmark = pytest.mark.models

CLIPS = Path(__file__).parent.parent / "data" / "languages" / "clips.toml"
SILENCE_BEHIND_MS = 200

SAID = {
    "en": "The quick brown fox jumps over the lazy dog.",
    "es": "El veloz murciélago hindú comía feliz cardillo y kiwi.",
    "fr": "Portez ce vieux whisky au juge blond qui fume.",
    "hi": "ऊँट के मुँह में जीरा कहावत बहुत पुरानी और मशहूर है।",
    "it": "Quel vituperabile fez sbagliato ci provoca danni.",
    "ja": "こんにちは世界。",
    "pt": "A rápida raposa marrom salta sobre o cachorro preguiçoso.",
    "zh": "你好世界。",
}


@pytest.fixture(scope="session")
def whisper() -> Whisper:
    """The multilingual model; it is no default one, so it may have to be fetched."""
    return Whisper(Store().pull("whisper-base"), threads=2)


@pytest.fixture(scope="session")
def english() -> Whisper:
    return Whisper(Store().pull("whisper-tiny-en"), threads=2)


@pytest.fixture(scope="session")
def spoken() -> dict[str, bytes]:
    """What is `SAID` in each language, PCM at 16 kHz."""
    folder = Store(manifest=load_manifest(CLIPS)).pull("speech-in-eight-languages")
    clips: dict[str, bytes] = {}
    for language in SAID:
        samples, rate_hz = sf.read(folder / f"{language}.wav", dtype="float32")
        assert rate_hz == Whisper.rate_hz
        clips[language] = (samples * 32767).astype(np.int16).tobytes()
    return clips


class Result:
    """What the decoder says, equally unlikely whatever it is."""

    def __init__(self, tokens: list[str], no_speech_prob: float) -> None:
        known = list(dict.fromkeys(tokens))
        self.sequences = [tokens]
        self.sequences_ids = [[known.index(token) for token in tokens]]
        self.scores = [-6.0]
        self.no_speech_prob = no_speech_prob


def cut(turn: Turn, line: Pcm | None = None) -> bytes:
    """A turn as a session cuts it."""
    heard = on_line(turn.pcm()) if line is None else line
    return heard[: int((turn.last_voiced_ms + SILENCE_BEHIND_MS) * 16)].tobytes()


def text(whisper: Whisper, pcm: bytes, language: str = "en") -> str:
    return whisper.transcribe([Clip(pcm, language)])[0].text


def letters(said: str) -> list[str]:
    return [char for char in said.lower() if char.isalnum()]


def word_error_rate(whisper: Whisper, clips: list[tuple[Turn, bytes]]) -> float:
    heard = whisper.transcribe([Clip(pcm) for _, pcm in clips])
    wrong = sum(
        corrections(words(turn.text), words(transcript.text))
        for (turn, _), transcript in zip(clips, heard, strict=True)
    )
    return wrong / sum(len(words(turn.text)) for turn, _ in clips)


def test_turns_are_understood(whisper: Whisper) -> None:
    chosen = turns("question", "hesitation")[::5]
    assert word_error_rate(whisper, [(turn, cut(turn)) for turn in chosen]) <= 0.15
    phone = [(turn, cut(turn, by_phone(on_line(turn.pcm(), dbfs=-50)))) for turn in chosen[::2]]
    assert word_error_rate(whisper, phone) <= 0.3


def test_silence_and_noise_say_nothing(whisper: Whisper) -> None:
    quiet = on_line(np.zeros(0, np.int16), behind_ms=10_000)
    noisy = on_line(np.zeros(0, np.int16), behind_ms=4000, dbfs=-45)
    clips = [Clip(bytes(2 * samples)) for samples in (0, 1, 1599, 16_000, 160_000)]
    clips += [Clip(quiet[:samples].tobytes(), "auto") for samples in (800, 16_000, 160_000)]
    clips += [Clip(noisy[:samples].tobytes()) for samples in (4800, 16_000, 64_000)]
    assert {transcript.text for transcript in whisper.transcribe(clips)} == {""}
    assert whisper.transcribe([Clip(b"")]) == [Transcript("", 1.0, "en")]
    assert whisper.transcribe([Clip(b"", "auto")]) == [Transcript("", 1.0, "")]
    assert whisper.transcribe([]) == []


def test_a_clip_reads_the_same_alone_and_among_others(
    whisper: Whisper, spoken: dict[str, bytes]
) -> None:
    clips = [Clip(pcm, language, words=True) for language, pcm in spoken.items()]
    clips += [Clip(pcm, "auto") for pcm in list(spoken.values())[1::2]]
    clips += [Clip(cut(turn)) for turn in turns("question", "acknowledgement")[::20]]
    clips += [Clip(bytes(3200), "de")]
    together = whisper.transcribe(clips)
    for clip, among in zip(clips, together, strict=True):
        (alone,) = whisper.transcribe([clip])
        assert (among.text, among.language) == (alone.text, alone.language)
        assert among.confidence == pytest.approx(alone.confidence, abs=0.02)
        assert [word.text for word in among.words] == [word.text for word in alone.words]


def test_languages_are_understood(whisper: Whisper, spoken: dict[str, bytes]) -> None:
    for language in ("en", "es", "fr", "it", "ja", "pt", "zh"):
        wanted, heard = letters(SAID[language]), letters(text(whisper, spoken[language], language))
        assert corrections(wanted, heard) / len(wanted) < 0.25, language


def test_the_language_is_found(whisper: Whisper, spoken: dict[str, bytes]) -> None:
    clips = [Clip(pcm, "auto") for pcm in spoken.values()]
    assert [transcript.language for transcript in whisper.transcribe(clips)] == list(spoken)


def test_a_brief_sound_does_not_overrule_what_the_caller_spoke(
    whisper: Whisper, spoken: dict[str, bytes]
) -> None:
    brief, long = spoken["zh"], spoken["fr"]
    clips = [Clip(brief, "auto", "ja"), Clip(long, "auto", "ja"), Clip(long, "auto", "xx")]
    found = [transcript.language for transcript in whisper.transcribe(clips)]
    assert found == ["ja", "fr", "fr"]


def test_words_are_timed_where_they_are_asked_for(
    whisper: Whisper, spoken: dict[str, bytes]
) -> None:
    clips = [Clip(pcm, language, words=language != "fr") for language, pcm in spoken.items()]
    for clip, transcript in zip(clips, whisper.transcribe(clips), strict=True):
        timed = transcript.words
        assert bool(timed) == clip.words
        joined = "".join(word.text for word in timed)
        assert joined == (transcript.text.replace(" ", "") if timed else "")
        assert all(0 <= word.start_ms <= word.end_ms <= len(clip.pcm) // 32 + 50 for word in timed)
        assert all(word.end_ms <= after.start_ms for word, after in pairwise(timed))
        assert all(0 <= word.probability <= 1 for word in timed)


def test_times_leave_the_pauses_between_words_alone(whisper: Whisper) -> None:
    chosen = turns("hesitation")[::6]
    clips = [Clip(cut(turn), words=True) for turn in chosen]
    for turn, transcript in zip(chosen, whisper.transcribe(clips), strict=True):
        assert turn.pause_start_ms is not None
        assert turn.pause_end_ms is not None
        timed = transcript.words
        gap = max(pairwise(timed), key=lambda pair: pair[1].start_ms - pair[0].end_ms)
        assert gap[0].end_ms == pytest.approx(turn.pause_start_ms, abs=120)
        assert gap[1].start_ms == pytest.approx(turn.pause_end_ms, abs=120)
        assert timed[0].start_ms == pytest.approx(turn.first_voiced_ms, abs=120)
        assert timed[-1].end_ms == pytest.approx(turn.last_voiced_ms, abs=150)


def test_a_long_clip_is_cut_where_it_is_quiet_and_no_word_is_lost(whisper: Whisper) -> None:
    chosen = turns("question")[:16]
    pcm = np.concatenate([on_line(turn.pcm(), behind_ms=300) for turn in chosen])
    assert len(pcm) > 31 * 16_000
    (transcript,) = whisper.transcribe([Clip(pcm.tobytes(), "auto", words=True)])
    assert transcript.language == "en"
    expected = words(" ".join(turn.text for turn in chosen))
    assert corrections(expected, words(transcript.text)) / len(expected) < 0.08
    assert all(word.end_ms <= after.start_ms for word, after in pairwise(transcript.words))
    assert transcript.words[-1].end_ms == pytest.approx(len(pcm) / 16 - 400, abs=300)


def test_an_english_model_needs_no_language_and_times_words(english: Whisper) -> None:
    turn = turns("question")[0]
    named, found = english.transcribe([Clip(cut(turn), words=True), Clip(cut(turn), "auto")])
    assert words(named.text) == words(found.text) == words(turn.text)
    assert named.language == found.language == "en"
    assert [word.text for word in named.words] == named.text.split()


def test_what_cannot_be_transcribed_is_refused(whisper: Whisper, english: Whisper) -> None:
    with pytest.raises(ValueError, match="clip has 3 bytes"):
        whisper.transcribe([Clip(b"abc")])
    with pytest.raises(ValueError, match=r"language is 'tlh': whisper-base knows af, am, .*'auto'"):
        whisper.check(Clip(b"", "tlh"))
    with pytest.raises(ValueError, match="whisper-tiny-en knows English only"):
        english.check(Clip(b"", "de"))
    whisper.check(Clip(b"", "de-AT"))
    english.check(Clip(b"", "en_GB"))


def test_it_is_sure_of_what_it_hears_right(whisper: Whisper) -> None:
    turn = turns("question")[0]
    right, wrong = whisper.transcribe([Clip(cut(turn)), Clip(cut(turn), "de")])
    assert right.confidence > 0.7
    assert wrong.confidence < right.confidence - 0.2


def test_key_terms_are_heard_where_they_are_given(whisper: Whisper) -> None:
    voice = piper.handler(Store().pull("piper-joe"), Share())
    asked = Utterance("I would like to talk about LiveKit, please.", "joe", 1.0, 16_000)
    pcm = b"".join(speech.pcm for _, speech in voice.run([asked]))
    clips = [Clip(pcm, terms=terms) for terms in (("Zadarma", "LiveKit"), (), ("Zadarma",))]
    told, alone, other = (heard.text for heard in whisper.transcribe(clips))
    assert "LiveKit" in told
    assert "LiveKit" not in alone
    assert "LiveKit" not in other
    assert whisper.transcribe(clips[:1])[0].text == told
    assert whisper.transcribe([Clip(bytes(64_000), terms=("LiveKit",))])[0].text == ""


def test_more_terms_than_there_is_room_for_are_left_out(whisper: Whisper) -> None:
    said = turns("question")[0].pcm().tobytes()
    terms = tuple(f"Extraordinarium {number}" for number in range(100))
    [heard] = whisper.transcribe([Clip(said, terms=terms)])
    assert heard.text
    assert "Extraordinarium" not in heard.text


async def test_lanes_of_a_worker_transcribe_side_by_side(spoken: dict[str, bytes]) -> None:
    store = Store()
    store.pull("whisper-base")
    command = model_command("stt", "whisper-base", store.root, Share(lanes=2))
    pool: Pool[Clip, Transcript] = Pool("stt", Transcript, [LocalReplica("stt", command)])

    async def ask(language: str) -> Transcript:
        clip = Clip(spoken[language], language)
        request = pool.request(clip, priority=Priority.FIRST, deadline_ms=5000)
        (transcript,) = [transcript async for transcript in request]
        return transcript

    await pool.start()
    try:
        await pool.ready()
        english, chinese = await asyncio.gather(ask("en"), ask("zh"))
    finally:
        await pool.close()
    assert (english.text, chinese.language) == (SAID["en"], "zh")


class _Gpu:
    """Takes so many clips at once."""

    n_mels = 80

    def __init__(self, room: int) -> None:
        self._room = room

    def encode(self, features: Any) -> Any:
        if features.shape[0] > self._room:
            raise RuntimeError("CUDA failed with error out of memory" if self._room else "no cuDNN")
        return features

    def generate(self, encoded: Any, prompts: list[list[str]], **_: Any) -> None:
        assert encoded.shape[0] == len(prompts)


@pytest.mark.parametrize(("room", "batch"), [(200, 64), (32, 16), (8, 4), (7, 0)])
def test_a_batch_on_a_gpu_is_as_large_as_there_is_room_for(room: int, batch: int) -> None:
    assert largest_batch(_Gpu(room)) == batch


def test_a_gpu_that_does_not_work_is_not_taken_for_a_full_one() -> None:
    with pytest.raises(RuntimeError, match="no cuDNN"):
        largest_batch(_Gpu(0))


def test_a_cpu_takes_clip_by_clip_and_room_is_found_by_real_work(whisper: Whisper) -> None:
    assert whisper.most_together == 1
    assert _fits(whisper._model, 2)


def test_the_encoder_sees_whole_seconds_and_at_most_thirty() -> None:
    assert window_frames(1600, 5.0) == 600
    assert window_frames(16_001, 5.0) == 700
    assert window_frames(29 * 16_000, 5.0) == window_frames(1600, 30.0) == 3000


def test_a_loop_of_the_decoder_and_its_marks_are_left_out() -> None:
    piece = _Piece(np.zeros(1600, np.float32), 0)
    _take(piece, Result(["<|0.00|>", "ĠGo", *["Ġon"] * 9, "<|2.00|>"], no_speech_prob=0.1))
    assert (piece.tokens, piece.ids) == (["ĠGo", "Ġon"], [1, 2])
    assert (piece.log, piece.count) == (-6.0, 13)


def test_unlikely_words_in_what_sounds_like_no_speech_are_left_out() -> None:
    noise, faint = (_Piece(np.zeros(1600, np.float32), 0) for _ in range(2))
    _take(noise, Result(["ĠThank", "Ġyou", "."], no_speech_prob=0.8))
    _take(faint, Result(["ĠThank", "Ġyou", "."], no_speech_prob=0.2))
    assert (noise.tokens, noise.count) == ([], 0)
    assert (len(faint.tokens), faint.count) == (3, 4)


def test_a_window_holds_so_many_tokens() -> None:
    assert most_tokens(600) == 110
    assert most_tokens(3000) == 224
