"""Whether English words so far can be all that a caller wanted to say.

Closed classes decide: articles, prepositions, conjunctions, auxiliaries and subject pronouns lead a
phrase and do not end one (Huddleston and Pullum, The Cambridge Grammar of the English Language,
chapters 5, 7 and 15). Where English does let them stand last (stranded prepositions, ellipsis after
an auxiliary, verb particles) the answer is `MAYBE`.
"""

import enum
import re


class Completeness(enum.Enum):
    """How the words stand."""

    WHOLE = "whole"
    MAYBE = "maybe"
    DICTATING = "dictating"
    OPEN = "open"
    STALLING = "stalling"


def _words(line: str) -> frozenset[str]:
    return frozenset(line.split())


_WORD = re.compile(r"[a-z0-9]+(?:['’.@:-][a-z0-9]+)*")

FILLERS = _words("um uh er erm hmm hm umm uhm uhh eh")
STALLS = re.compile(
    r"\b(let me (think|see|check|look)( about (it|that))?|let's see|hold on|hang on|bear with me"
    r"|(just )?(one|a|give me a|wait a) (moment|second|sec|minute)|how (do|can|should) i (put|say)"
    r" (it|this|that)|what('s| is| was) (it|the word))( please)?$"
)

ARTICLES = _words("a an the my your our their its every whose")
CONJUNCTIONS = _words("and or but nor because although unless whether if than plus")
PREPOSITIONS = _words(
    "of for with from to at into onto by between among during via per towards toward upon without"
    " against regarding concerning including until till despite except"
)
PARTICLES = _words("on in about over after before through under since around behind like near as")
PRONOUNS = _words("i he she we they")
ADVERBS = _words("very mr mrs ms dr doctor dear")
AUXILIARIES = _words(
    "is are was were am be been being has had will would can could should shall may might must does"
)
NEGATED = re.compile(r"(do|did|does|ca|could|wo|would|should|is|are|was|were|have|has|had)n['’]?t$")
CONTRACTED = re.compile(r"(i|you|he|she|we|they|it|that|there|what|who|where)['’](m|d|ll|ve|re|s)$")
QUESTION_WORDS = _words("what which who whom where when why how whose")
BEFORE_MONTH = _words("of in this next last since until by every")
GAPS = QUESTION_WORDS | {"that", "as", "than", "whether", "all", "everything", "thing"}
"""With one of these before, a phrase may lack its end: "what are you looking for"."""

SUBORDINATORS = _words("if whether because when while unless although that before")
ANSWERS = _words("yes yeah yep no nope sure of course so neither")
WANTS = re.compile(
    r"\b(i|we|he|she|they|you)( just| really| also)? (want|need|wanted|needed|prefer|was wondering"
    r"|were wondering|wish|mean|believe|think)$|['’]d( really| also)? (like|love|prefer)$"
)
ASKS = re.compile(
    r"\b((tell|give|show|send|remind|get|help|bring|offer) (me|us)|do you (know|have|think|want)"
    r"|(can|could|would|will|did|should|might) (you|it|there)"
    r"|(want|like|need) to (know|ask|order))$"
)
LEADING = re.compile(
    r"(?:(?:and|but|so|well|okay|ok|now) )*(?:(?:if|although|though|unless|whenever|while)\b"
    r"|(?:when|once|after|before|until|since|as) (?:i|you|he|she|it|we|they|there|the|my|your)\b)"
)
INVERTED = re.compile(
    r"\b(then|please|will|would|can|could|should|do|does|did|is|are|am|how|what|where|who|call|let)\b"
)

NUMBERS = _words(
    "zero oh one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    " fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty"
    " ninety hundred thousand double triple"
)
DICTATED = re.compile(
    r"\b(number|numbers|code|zip|postcode|pin|account|phone|card|reference|address|serial|password"
    r"|passport|extension|digits)\b"
)
MAIL = re.compile(r"\b(e-?mail|mail address|website|web address|user ?name)\b.*\b(is|it's)\b")
DOMAIN = re.compile(r"(\bdot|\.) ?[a-z]{2,}$")
BEFORE_ONE = _words("a an the this that another new old other which no each any")
WHOLE_NUMBERS = frozenset({7, 10, 11, 16})
"""Digits of a local, national and international North American number, and of a payment card."""


def completeness(text: str) -> Completeness:
    """How the words of one turn so far stand; `text` as a recogniser wrote it. Empty is whole.

    Final punctuation counts for nothing: recognisers put it wherever the sound ends.
    """
    words = _WORD.findall(text.lower().replace("’", "'"))
    if not words:
        return Completeness.WHOLE
    line = " ".join(words)
    if words[-1] in FILLERS or STALLS.search(line):
        return Completeness.STALLING
    if _dictates(line, words):
        return Completeness.DICTATING
    end = _end(line, words)
    if end is Completeness.WHOLE and _awaits_main_clause(text, line):
        return Completeness.OPEN
    return end


def _end(line: str, words: list[str]) -> Completeness:
    """What the last words say."""
    last, before = words[-1], words[:-1]
    if not before:
        led = ARTICLES | CONJUNCTIONS | PREPOSITIONS | PRONOUNS | AUXILIARIES
        return _open_if(last in led or bool(CONTRACTED.match(last)))
    if last in ARTICLES | CONJUNCTIONS | ADVERBS or CONTRACTED.match(last):
        return Completeness.OPEN
    if last in {"you", "it"} and before[-1] in SUBORDINATORS:
        return Completeness.OPEN
    if last in PRONOUNS:
        return _maybe_if(before[0] in ANSWERS or "than" in before)
    if last in PREPOSITIONS:
        ellipsis = last == "to" and before[-1] in {"want", "love", "have", "going", "need"}
        refused = any(NEGATED.match(word) for word in before)
        return _maybe_if(bool(GAPS & set(before)) or (ellipsis and (refused or len(words) <= 3)))
    if last in AUXILIARIES and not (last == "may" and before[-1] in BEFORE_MONTH):
        return _auxiliary(before)
    if last in QUESTION_WORDS:
        return _maybe_if(before[-1] in {"and", "know", "so", "like", "guess", "see", "sure"})
    if WANTS.search(line):
        return _maybe_if(bool(GAPS & set(before)))
    if last == "that" and before[-1] in PREPOSITIONS | PARTICLES | {"do", "did"}:
        return Completeness.WHOLE
    if (
        last in PARTICLES | {"that", "do", "did", "have"}
        or NEGATED.match(last)
        or ASKS.search(line)
    ):
        return Completeness.MAYBE
    return Completeness.WHOLE


def _auxiliary(before: list[str]) -> Completeness:
    """An auxiliary last: "Yes, I am" is whole, "where it is" may be, "my name is" is not."""
    if (before[0] in ANSWERS and len(before) <= 3) or "where" in before:
        return Completeness.WHOLE
    pronoun = before[-1] in PRONOUNS | {"it", "you", "that", "there"}
    return _maybe_if(bool(GAPS & set(before)) or (pronoun and len(before) == 1))


def _awaits_main_clause(text: str, line: str) -> bool:
    """Whether all there is, is a clause like "if I leave at noon"."""
    leading = LEADING.match(line)
    if not leading:
        return False
    rest = line[leading.end() :].split()
    inner_comma = re.search(r",\s*\S+\s+\S+", text)
    return not inner_comma and not INVERTED.search(" ".join(rest[2:]))


def _dictates(line: str, words: list[str]) -> bool:
    """Whether digits, letters or an address are being given piece by piece."""
    if MAIL.search(line):
        return not DOMAIN.search(line)
    spelled = 0
    digits = 0
    for word in reversed(words):
        plain = word.replace("-", "").replace(".", "")
        if not (plain.isdigit() or len(plain) == 1 or set(word.split("-")) <= NUMBERS):
            break
        spelled += 1
        digits += len(plain) if plain.isdigit() else 1
    if digits in WHOLE_NUMBERS or (spelled == 1 and words[-2:-1] and words[-2] in BEFORE_ONE):
        return False
    return spelled >= 3 or (spelled > 0 and bool(DICTATED.search(line)))


def _open_if(condition: bool) -> Completeness:
    return Completeness.OPEN if condition else Completeness.WHOLE


def _maybe_if(condition: bool) -> Completeness:
    return Completeness.MAYBE if condition else Completeness.OPEN
