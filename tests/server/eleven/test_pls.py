"""Lexicons as files, as people and strangers write them."""

import io
import time
import zipfile

import pytest

from actors.dictionary import Rule
from server.eleven import pls
from server.eleven.dictionaries import MOST_RULES
from server.eleven.pls import PlsError

W3C = b"""<?xml version="1.0" encoding="UTF-8"?>
<!-- after the examples of the specification -->
<lexicon version="1.0" xmlns="http://www.w3.org/2005/01/pronunciation-lexicon"
      xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
      xsi:schemaLocation="http://www.w3.org/2005/01/pronunciation-lexicon pls.xsd"
      alphabet="ipa" xml:lang="en-US">
  <meta name="author" content="A. N. Other"/>
  <metadata><x:lexeme xmlns:x="urn:other"><x:grapheme>not this</x:grapheme></x:lexeme></metadata>
  <lexeme>
    <grapheme>La vita \xc3\xa8 bella</grapheme>
    <phoneme>\xcb\x88l\xc9\x91 \xcb\x88vi\xcb\x90\xc9\xbe\xc9\x99</phoneme>
    <example>not that</example>
  </lexeme>
  <lexeme xml:id="a">
    <grapheme>W3C</grapheme>
    <grapheme>
      World  Wide
      Web Consortium
    </grapheme>
    <alias>World Wide Web &amp; so on</alias>
  </lexeme>
  <lexeme role="verb"><grapheme>read</grapheme>
    <phoneme>1</phoneme><phoneme prefer="true">2</phoneme><phoneme prefer="true">3</phoneme>
  </lexeme>
  <lexeme><grapheme>huge</grapheme>
    <alias>4</alias><phoneme prefer="false">5</phoneme>
  </lexeme>
  <lexeme><grapheme>cat</grapheme><phoneme alphabet="cmu-arpabet">K AE1 T</phoneme></lexeme>
</lexicon>
"""


def test_a_lexicon_as_the_w3c_shows_it_is_read() -> None:
    assert pls.read(W3C) == [
        Rule("La vita è bella", ipa="ˈlɑ ˈviːɾə"),
        Rule("W3C", "World Wide Web & so on"),
        Rule("World Wide Web Consortium", "World Wide Web & so on"),
        Rule("read", ipa="2"),
        Rule("huge", "4"),
        Rule("cat", arpabet="K AE1 T"),
    ]


def test_the_alphabet_of_the_lexicon_is_that_of_its_phonemes() -> None:
    lexemes = [
        f"<lexeme><grapheme>a</grapheme><phoneme{own}>B</phoneme></lexeme>"
        for own in ("", ' alphabet="ipa"')
    ]
    file = f'<lexicon alphabet="x-cmu-arpabet">{"".join(lexemes)}'
    assert pls.read(f"{file}</lexicon>".encode()) == [Rule("a", arpabet="B"), Rule("a", ipa="B")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_other_encodings_are_read(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>' + lexicon("é", "ä")
    assert pls.read(text.encode(encoding)) == [Rule("é", "ä")]


def test_what_is_written_is_read_back() -> None:
    rules = [
        Rule("AT&T <1>", "A T and 'T' \"x\""),
        Rule("tomato", ipa="təˈmɑːtoʊ"),
        Rule("cat", arpabet="K AE1 T"),
        Rule("नमस्ते 🚀", "namaste"),
    ]
    assert pls.read(pls.written(rules).encode()) == rules
    assert "<lexeme>" not in pls.written([])


def lexicon(grapheme: str, alias: str) -> str:
    lexeme = f"<lexeme><grapheme>{grapheme}</grapheme><alias>{alias}</alias></lexeme>"
    return f"<lexicon>{lexeme}</lexicon>"


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.pls", W3C)
    return file.getvalue()


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lexicon [<!ENTITY a "ha">'
    + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]>"
    + lexicon("x", "&i;")
)
OUTSIDE = '<!DOCTYPE lexicon [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + lexicon("x", "&a;")


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (b"", "no XML"),
        (b"tomato,potato", "no XML: line 1"),
        (zipped(), "no XML"),
        (W3C[:900], "no XML"),
        (W3C.replace(b"</lexicon>", b"</lexikon>"), "mismatched tag"),
        (b"\xff\xfe\x00", "no XML"),
        (b'<?xml version="1.0" encoding="klingon"?><lexicon/>', "no XML"),
        (b'<?xml version="1.0" encoding="utf-7"?><lexicon/>', "no XML"),
        (LAUGHS.encode(), "DOCTYPE"),
        (OUTSIDE.encode(), "DOCTYPE"),
        (b"<lexicon>&undefined;</lexicon>", "no XML"),
        (b"<html/>", "<html>, no <lexicon>"),
        (b'<lexicon xmlns="urn:other"/>', "no <lexicon>"),
        (b"<lexicon/>", "no <lexeme>"),
        (b"<lexicon>\n<lexeme><alias>a</alias></lexeme></lexicon>", "line 2: a <lexeme> needs"),
        (b"<lexicon><lexeme><grapheme>a</grapheme></lexeme></lexicon>", "needs"),
        (lexicon("", "b").encode(), "string_to_replace is empty"),
        (lexicon("a", " ").encode(), "alias: is blank"),
        (lexicon("a" * 251, "b").encode(), "has 251 characters: 250 at most"),
        (lexicon("a", "\x7f").encode(), r"U\+007F"),
        (W3C.replace(b'"ipa"', b'"x-sampa"'), "'x-sampa' is not known: write ipa or cmu-arpabet"),
        (W3C.replace(b"K AE1 T", b"KAT"), "'KAT' is no sound"),
        (b"<lexicon>" * 100_000, "nested deeper"),
        (b"<lexicon>" + b"<a/>" * (1 << 20) + b"</lexicon>", "more than 100000 elements: split it"),
    ],
)
def test_what_is_no_lexicon_is_told(file: bytes, told: str) -> None:
    began = time.process_time()
    with pytest.raises(PlsError, match=told):
        pls.read(file)
    assert time.process_time() - began < 1


def test_a_file_has_so_many_rules_and_no_more() -> None:
    one = "<lexeme><grapheme>a</grapheme><alias>b</alias></lexeme>"
    assert len(pls.read(f"<lexicon>{one * MOST_RULES}</lexicon>".encode())) == MOST_RULES
    with pytest.raises(PlsError, match="more than 10000 rules"):
        pls.read(f"<lexicon>{one * (MOST_RULES + 1)}</lexicon>".encode())
