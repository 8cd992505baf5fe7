"""Whether what is said over the agent only says "I am listening": it does not take the turn.

Back-channels and the short agreements that serve as such (Jurafsky et al. 1997, SWBD-DAMSL tags b,
bk, ba and aa; the commonest in Switchboard are uh-huh, yeah, right, oh, okay, mhm and "I see").
"""

import re

LONGEST_WORDS = 6
"""More is a turn of its own, whatever its words."""

SOUNDS = re.compile(r"\b(m*[- ]?h+m+|u[hm]+[- ]?h+[um]+h*|m+|a+-?h+a*|o+h+|huh)(?![\w'-])")
"""Mm, mhm, mm-hmm, hmm, uh-huh, um-hum, ah, aha, oh and huh, however long. Not mm-mm and uh-uh,
which say no."""

WORDS = re.compile(
    r"yeah?|yep|yup|yes|yah?|right|okay|ok|k|sure|good|great|nice|cool|fine|alright|perfect"
    r"|wonderful|lovely|excellent|exactly|absolutely|definitely|indeed|true|totally|wow|really"
    r"|understood|brilliant|fantastic|awesome|interesting|gotcha"
)

PHRASES = (
    "i see",
    "i got it",
    "got it",
    "got you",
    "i understand",
    "that makes sense",
    "makes sense",
    "all right",
    "of course",
    "go on",
    "go ahead",
    "fair enough",
    "sounds good",
    "that's right",
    "that's good",
    "that's great",
    "that's fine",
    "very good",
    "very nice",
    "no problem",
    "is that so",
    "for sure",
)

_PHRASES = re.compile(r"\b(" + "|".join(PHRASES) + r")\b")


def is_acknowledgement(text: str) -> bool:
    """Whether `text`, as a recogniser wrote it, is nothing but acknowledgements.

    "Yes, but", "no", "stop" and "wait" are none; neither is the empty text.
    """
    line = text.lower().replace("’", "'")
    line = re.sub(r"[^a-z'\- ]+", " ", line)
    if not 0 < len(line.split()) <= LONGEST_WORDS:
        return False
    line = SOUNDS.sub(" yes ", _PHRASES.sub(" yes ", line))
    return all(WORDS.fullmatch(word) for word in line.split())


BRIEF_MS = 900
"""The longest acknowledgements of two words take about 800 ms."""

BRIEF_WORDS = 2
"""Besides words that acknowledge."""

CLAIMS = re.compile(
    r"\b(no|nope|nah|never|don't|stop|wait|hold|hang|pause|quiet|enough|cancel|skip|next|back|again"
    r"|repeat|listen|help|shut|slower|louder|sorry|pardon|excuse|hey|hello|hi|actually|but|however"
    r"|please|what|who|which|when|where|why|how)\b"
)
"""Refusals, commands, repair, address and questions."""

BEGINNINGS = re.compile(
    r"(i|i'm|i'd|i'll|we|you|he|she|they|it|can|could|will|would|do|does|did|is|are|was|let|tell"
    r"|give|make)\b"
)
"""How other sentences begin."""


def is_passing(text: str, spoken_ms: float) -> bool:
    """Whether the agent may go on after (or while) `text` is said over it for so long.

    Besides acknowledgements that is any brief sound of which a recogniser made one or two words
    that neither refuse, ask, command nor begin a sentence: it writes "mhm" as "Emma!".
    """
    if is_acknowledgement(text):
        return True
    line = text.lower().replace("’", "'").strip()
    if not line or spoken_ms >= BRIEF_MS or CLAIMS.search(line):
        return False
    rest = re.sub(r"[^a-z'\- ]+", " ", _PHRASES.sub(" ", SOUNDS.sub(" ", line))).split()
    words = [word for word in rest if not WORDS.fullmatch(word)]
    return len(words) <= BRIEF_WORDS and not BEGINNINGS.match(" ".join(words))
