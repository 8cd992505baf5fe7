"""Names that are hard to recognise, with and without key terms: `python -m bench.key_terms`.

Forty names in sentences by three voices, one of them with an accent that makes it hard, clean and
by phone with noise; the thresholds of `actors.key_terms` were chosen on other names. Then the
labelled turns, in which no name is said, and noise, with all forty given: how often one is heard
though. The peer is the same recogniser without terms.
"""

import re
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np

from actors import kokoro, piper
from actors.handlers import Share
from actors.moonshine import Moonshine
from actors.store import Store
from actors.whisper import Whisper
from bench.report import Row, Side, compare, finish, percentile, rate
from bench.turns import Pcm, by_phone, noise, on_line, turns
from engine.capabilities import Clip, Transcript, Utterance

NAMES = (
    "Twilio", "Deepgram", "Cartesia", "Daily Bots", "Hugging Face", "Redis", "Terraform",
    "Elasticsearch", "Salesforce", "Shopify", "Aoife", "Joaquin", "Wojciech", "Hrithik",
    "Ingrid Olsen", "Paracetamol", "Amoxicillin", "Atorvastatin", "Zurich", "Gloucester",
    "Ljubljana", "Aberystwyth", "Quinoa Kitchen", "Bluebird Airlines", "Stonebridge Mutual",
    "Volvo Recharge", "Solvang", "Marisol", "Tidewater", "Achterberg", "Niamh",
    "Bartholomew Finch", "Anjali Mehta", "Caoimhe", "Rabobank", "Carrefour", "Heidelberg",
    "Falafel House", "Lavender Court", "Hawthorne Street",
)  # fmt: skip
FRAMES = (
    "I would like to talk about {} please.",
    "Can you tell me more about {}?",
    "My question is about {}, and it is urgent.",
)
VOICES = ("joe", "jm_kumo", "jf_alpha")
NOISES = 40

Hear = Callable[[Clip], Transcript]


def spoken() -> list[tuple[str, Pcm]]:
    """Each name in a sentence, by each voice, and the same by phone."""
    share = Share()
    joe = piper.handler(Store().pull("piper-joe"), share)
    others = kokoro.handler(Store().pull("kokoro-82m"), share)
    said: list[tuple[str, Pcm]] = []
    for at, name in enumerate(NAMES):
        for number, voice in enumerate(VOICES):
            model = joe if voice == "joe" else others
            text = FRAMES[(at + number) % len(FRAMES)].format(name)
            parts = model.run([Utterance(text, voice, 1.0, 16_000)])
            pcm = np.frombuffer(b"".join(speech.pcm for _, speech in parts), np.int16)
            said += [(name, pcm), (name, by_phone(on_line(pcm, behind_ms=300, dbfs=-50)))]
    return said


def plain(text: str) -> str:
    """Only its letters and digits."""
    return re.sub(r"[\W_]", "", text.lower())


def measured(name: str, hear: Hear, said: Sequence[tuple[str, Pcm]]) -> list[Row]:
    """The rows of one recogniser."""
    right: dict[Side, list[tuple[float, float]]] = {"ours": [], "peer": []}
    took: dict[Side, list[float]] = {"ours": [], "peer": []}
    for term, pcm in said:
        for side in right:
            clip = Clip(pcm.tobytes(), terms=NAMES if side == "ours" else ())
            began = time.perf_counter()
            text = hear(clip).text
            took[side].append((time.perf_counter() - began) * 1000)
            right[side].append((float(plain(term) in plain(text)), 1.0))
    wrong = []
    for clip in others():
        text = plain(hear(clip).text)
        put_in = any(plain(term) in text for term in NAMES)
        wrong.append((float(put_in), 1.0))
    print(f"{name}: a term is put in in {sum(one for one, _ in wrong):.0f} of {len(wrong)}")
    return [
        compare(f"{name}_terms_right", right, rate, ""),
        compare(f"{name}_p50_ms", took, percentile(50), "ms"),
    ]


def others() -> list[Clip]:
    """What holds no name: the labelled turns, and noise."""
    clips = [Clip(turn.pcm().tobytes(), terms=NAMES) for turn in turns()]
    for seed in range(NOISES):
        level = -50.0 + seed / 2
        hiss = noise(3 * 16_000, level, seed).astype(np.int16)
        clips.append(Clip(hiss.tobytes(), terms=NAMES))
    return clips


def main() -> None:
    print("speaking", file=sys.stderr)
    said = spoken()
    moonshine = Moonshine(Store().pull("moonshine-tiny-en"))
    whisper = Whisper(Store().pull("whisper-base"))
    rows = [
        *measured("moonshine", lambda clip: moonshine.transcribe([clip])[0], said),
        *measured("whisper", lambda clip: whisper.transcribe([clip])[0], said),
    ]
    finish("bench.key_terms", rows, [f"{len(said)} sentences, {len(NAMES)} terms"], peer="no terms")


if __name__ == "__main__":
    main()
