"""The words of a text in any script, as it is written: what stands between spaces, and in Chinese
and Japanese, which have none, each character.
"""

import re
from typing import Final

from msgspec.structs import replace

from actors.pronounce import Word

_STOPS: Final = {
    **dict.fromkeys(".。۔।॥…።", "."),
    **dict.fromkeys("!！", "!"),
    **dict.fromkeys("?？؟;", "?"),  # U+037E, the Greek question mark, among them
    **dict.fromkeys(",，、،፣၊", ","),
    **dict.fromkeys(";；؛", ";"),
    **dict.fromkeys(":：", ":"),
}
"""Marks of many scripts, and the one that `Word.stop` has for each."""

_ALONE: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f"
_LONGEST: Final = 120  # characters: text may have a word without end
_TOKEN: Final = re.compile(rf"[{_ALONE}]|[^\s{_ALONE}]{{1,{_LONGEST}}}")


def words_of(text: str) -> list[Word]:
    """The words of `text`, in order. If there are any, the first starts at 0 and the last ends with
    the text; marks are part of the word before them.
    """
    words: list[Word] = []
    for found in _TOKEN.finditer(text):
        token, stop = found.group(), _STOPS.get(found.group()[-1], "")
        if any(char.isalnum() for char in token):
            words.append(Word(token, found.start(), found.end(), stop))
        elif words:
            words[-1] = replace(words[-1], end_char=found.end(), stop=stop or words[-1].stop)
    if words:
        words[0] = replace(words[0], start_char=0)
        words[-1] = replace(words[-1], end_char=len(text))
    return words
