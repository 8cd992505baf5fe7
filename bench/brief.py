"""What becomes of brief sounds over the agent's speech: `python -m bench.brief`.

Acknowledgements should pass and brief commands take the floor. Each labelled acknowledgement, and
words that Piper speaks, goes through Moonshine as a caller's sound would: 300 ms before it and
130 ms behind, when the hush is noticed.
"""

from collections.abc import Iterator

import numpy as np

from actors.moonshine import Moonshine
from actors.piper import Piper
from actors.store import Store
from bench.turns import Pcm, on_line, turns
from engine.acknowledgement import is_passing
from engine.capabilities import Clip, Utterance
from engine.frames import CALLER_HZ

BEFORE_MS, BEHIND_MS = 300, 130
SPEEDS = (1.0, 1.2)
AUDIBLE = 300
COMMANDS = (
    *("No.", "Stop.", "Wait.", "Hold on.", "What?", "Hey.", "No, no.", "Sorry?", "Cancel."),
    *("Next.", "Pause.", "Agent.", "Billing.", "Tomorrow.", "Tuesday.", "Pizza.", "Seven."),
    *("Who?", "Enough.", "Excuse me.", "Hello?", "Not that.", "The blue one."),
)
LISTENING = ("Uh huh.", "Mhm.", "Mm hmm.", "Right.", "Got it.", "Yes, yes.", "Mm.", "Yep.", "Oh.")


def spoken(piper: Piper, texts: tuple[str, ...]) -> Iterator[tuple[str, Pcm]]:
    for text in texts:
        for speed in SPEEDS:
            utterance = Utterance(text, "joe", speed, CALLER_HZ)
            pcm = b"".join(speech.pcm for speech in piper.speak(utterance))
            yield text, np.frombuffer(pcm, np.int16)


def main() -> None:
    store = Store()
    stt, piper = Moonshine(store.path("moonshine-tiny-en")), Piper(store.path("piper-joe"))
    labelled = [(turn.text, turn.pcm()) for turn in turns("acknowledgement")]
    groups = (
        ("labelled acknowledgements", True, labelled),
        ("acknowledgements by Piper", True, list(spoken(piper, LISTENING))),
        ("commands by Piper", False, list(spoken(piper, COMMANDS))),
    )
    for name, wanted, clips in groups:
        right = 0
        for text, clip in clips:
            loud = np.flatnonzero(np.abs(clip) > AUDIBLE) * 1000 // CALLER_HZ
            first, last = int(loud[0]), int(loud[-1])
            room = np.zeros(BEFORE_MS * CALLER_HZ // 1000, np.int16)
            line = on_line(np.concatenate([room, clip]))
            heard = line[first * CALLER_HZ // 1000 :][
                : (last - first + BEFORE_MS + BEHIND_MS) * CALLER_HZ // 1000
            ]
            transcript = stt.transcribe([Clip(heard.tobytes())])[0]
            passes = is_passing(transcript.text, last - first, transcript.confidence)
            right += passes == wanted
            if passes != wanted:
                became = f"{transcript.text!r}, confidence {transcript.confidence:.2f}"
                print(f"  {text} ({last - first} ms) became {became}")
        print(f"{name}: {right} of {len(clips)} {'pass' if wanted else 'take the floor'}")


if __name__ == "__main__":
    main()
