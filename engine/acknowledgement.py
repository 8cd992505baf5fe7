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
    line = re.sub(r"[^\w'\- ]+", " ", line)
    if not 0 < len(line.split()) <= LONGEST_WORDS:
        return False
    line = SOUNDS.sub(" yes ", _PHRASES.sub(" yes ", line))
    return all(WORDS.fullmatch(word) for word in line.split())


BRIEF_MS = 900
"""The longest acknowledgements of two words take about 800 ms."""

LONGEST_MS = 1400
"""Sound of which no words come may go on so long before it counts as speech: "uh-huh, uh-huh"."""

SHORTEST_MS = 150
"""Less sound than this holds no word: stressed monosyllables take about 200 ms (Greenberg 1999)."""

DOUBTFUL = 0.65
"""Recognisers do not know "mhm" and "uh huh": they write "Emma!" and "No, ho", with less confidence
than this. Above it are brief words that they heard right (`bench/brief.py`)."""

DISBELIEVED = 0.55
"""The same for words that would claim the floor, were they true, and for those of longer sound."""

HUMMED_MS = 600
"""By then two transcripts of real words agree on one."""

DOUBTED_WORDS = 2
"""A recogniser makes at most so many different words of a brief acknowledgement that it does not
know, but often more, as little sure of them, of the first second of a question."""

CLAIMS = re.compile(
    r"\b(no|nope|nah|never|don't|stop|wait|hold|hang|pause|quiet|enough|cancel|skip|next|back|again"
    r"|repeat|listen|help|shut|slower|louder|sorry|pardon|excuse|hey|hello|hi|actually|but|however"
    r"|please|what|who|which|when|where|why|how)\b"
    r"|^(i|i'm|i'd|i'll|we|you|he|she|they|it|can|could|will|would|do|does|did|is|are|was|let|tell"
    r"|give|make)\b"
)
"""Refusals, commands, repair, address and questions; and how other sentences begin."""

TRAILERS = re.compile(r"so|then|now|sir|madam|ma'am|man|dear")
"""What may follow acknowledgements: "okay then", "yes, sir"."""


def is_passing(text: str, spoken_ms: float, confidence: float) -> bool:
    """Whether the agent may go on after `text` was said over it for so long.

    Besides acknowledgements that is brief sound of which a recogniser made words, but is not sure
    of them (`confidence`, 0-1).
    """
    if is_acknowledgement(text):
        return True
    line = text.lower().replace("’", "'").strip()
    if not line or spoken_ms >= LONGEST_MS:
        return False
    if spoken_ms < SHORTEST_MS:
        return True
    if _is_wordy(line):
        return False
    if spoken_ms >= BRIEF_MS or CLAIMS.search(line):
        return confidence < DISBELIEVED
    *words, last = line.split()
    followed = is_acknowledgement(" ".join(words)) and TRAILERS.fullmatch(last.strip(".,!?"))
    return bool(followed) or confidence < DOUBTFUL


def is_humming(text: str, stable: str, spoken_ms: float, confidence: float) -> bool:
    """Whether the agent may go on already while the caller still sounds.

    So far it only acknowledges, or it has sounded for a while and no words have come of it: those
    in `text` are doubtful, and none of them are `stable`.
    """
    if is_acknowledgement(text):
        return True
    doubted = spoken_ms >= HUMMED_MS and confidence < DISBELIEVED
    return doubted and not stable and not _is_wordy(text)


def _is_wordy(text: str) -> bool:
    """Whether these are more words than are made of a hum."""
    return len(set(re.findall(r"[\w'’]+", text.lower()))) > DOUBTED_WORDS
