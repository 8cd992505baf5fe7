"""Which model speaks: the one that has the voice."""

from collections.abc import Mapping

from engine.capabilities import Speech, Utterance
from engine.inference import Inference, Priority, Request

KOKORO = ("jm_kumo", "jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro")
"""The voices of kokoro-82m as far as its weights are here, the clearest in English first."""


class RoutedTTS:
    """Satisfies `engine.inference.Inference`: `others` by voice, `usual` for every other voice."""

    def __init__(
        self,
        usual: Inference[Utterance, Speech],
        others: Mapping[str, Inference[Utterance, Speech]],
    ) -> None:
        self._usual = usual
        self._others = others

    def request(
        self, payload: Utterance, *, priority: Priority, deadline_ms: int
    ) -> Request[Speech]:
        """As `Inference.request`."""
        model = self._others.get(payload.voice, self._usual)
        return model.request(payload, priority=priority, deadline_ms=deadline_ms)
