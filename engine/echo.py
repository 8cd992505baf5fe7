"""The agent's own words, come back through the caller's microphone.

Browsers and phones cancel most of that; what they leave is speech, and clear, so that a voice
activity detector takes it for the caller. A recogniser tells: the words are those just said.
"""

import re
from difflib import SequenceMatcher

from engine.acknowledgement import CLAIMS

SINCE_WORDS = 40
"""So many of the agent's last words are compared: a breath's worth is said again in a second."""

ALIKE = 0.6
"""So much of what is heard is what was said: recognisers get two thirds of faint speech right."""

CERTAIN_WORDS = 2
"""One more word than was said may be a guess at a word that is cut off; two are the caller's."""

LEADING_WORDS = 4
"""Questions begin with less that the agent has said as well: "Is the Atlantic..."."""

WORD = re.compile(r"[\w'’]+")


def without_echo(heard: str, said: str) -> str:
    """`heard` of the caller, but for what the agent `said`; empty if that is all."""
    words = list(WORD.finditer(heard))
    theirs = [one[0].lower() for one in words]
    ours = [word.lower() for word in WORD.findall(said)][-SINCE_WORDS:]
    if not theirs or not ours:
        return heard
    if len(theirs) == 1:
        return "" if theirs[0] in ours and not CLAIMS.search(theirs[0]) else heard
    blocks = SequenceMatcher(None, theirs, ours, autojunk=False).get_matching_blocks()
    ends = max(block.a + block.size for block in blocks[:-1] or blocks)
    if sum(block.size for block in blocks) < ALIKE * ends or not ends:
        return heard
    if len(theirs) - ends < CERTAIN_WORDS:
        return ""
    return heard[words[ends].start() :] if ends >= LEADING_WORDS else heard
