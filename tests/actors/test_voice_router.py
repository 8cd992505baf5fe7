from collections.abc import AsyncIterator

from actors.voice_router import KOKORO, RoutedTTS
from engine.capabilities import Speech, Utterance
from engine.inference import Priority
from tests.scripted import Scripted


async def silent(utterance: Utterance) -> AsyncIterator[Speech]:
    yield Speech(b"", utterance.rate_hz, ())


async def test_each_voice_is_spoken_by_the_model_that_has_it() -> None:
    piper, kokoro = Scripted(silent), Scripted(silent)
    router = RoutedTTS(piper, dict.fromkeys(KOKORO, kokoro))
    for voice in ("joe", KOKORO[0], "joe", KOKORO[1]):
        request = router.request(
            Utterance("Hello.", voice), priority=Priority.FIRST, deadline_ms=100
        )
        assert [speech.pcm async for speech in request] == [b""]
    assert [utterance.voice for utterance in piper.asked] == ["joe", "joe"]
    assert [utterance.voice for utterance in kokoro.asked] == list(KOKORO[:2])
