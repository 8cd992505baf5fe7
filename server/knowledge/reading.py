"""Documents as plain text, with the headings that each part stands below.

This runs in a process of its own (`server.knowledge.reader`): what it is given may be anything.
"""

import codecs
import re
from collections.abc import Callable, Iterator, Mapping

import msgspec
import pypdfium2
from markdown_it import MarkdownIt
from pypdfium2 import raw as pdfium
from selectolax.lexbor import LexborHTMLParser, LexborNode

from server.knowledge.kinds import HTML, MARKDOWN, PDF, TEXT, Unreadable, parsed

MOST_CHARACTERS = 30_000_000
"""Of plain text: as much as the largest upload holds and half more. What has more is made to."""

RARELY = 0.001
"""Of a text's characters: so many broken ones are damage; more are another encoding."""

NOT_TEXT = 0.1
"""Of a text's characters: with so many control characters it is something else."""


class Section(msgspec.Struct, frozen=True):
    """What stands below a heading ("Prices > Bread"; empty before the first one), a paragraph a
    line. `position` is where it begins in the whole plain text, in characters.
    """

    heading: str
    position: int
    text: str


Part = tuple[str, str]
"""A heading, and what stands below it."""


def sections(content: bytes, media_type: str) -> Iterator[Section]:
    """The document's sections, in order. `media_type` may name a charset. Raises `Unreadable`."""
    kind, charset = parsed(media_type)
    position = 0
    for heading, text in READERS[kind](content, charset):
        plain = tidy(text)
        if plain:
            yield Section(tidy(heading), position, plain)
            position += len(plain) + 1
        if position > MOST_CHARACTERS:
            raise Unreadable(
                f"the document has more than {MOST_CHARACTERS} characters of text: split it"
            )
    if not position:
        raise Unreadable(EMPTY[kind])


def tidy(text: str) -> str:
    """Without what no database keeps, spaces that say nothing, and empty lines."""
    lines = (" ".join(line.split()) for line in text.replace("\0", "").splitlines())
    return "\n".join(line for line in lines if line)


def decoded(content: bytes, charset: str | None) -> str:
    """As the charset says, if there is one, else as it looks. Raises `Unreadable`."""
    if charset is not None:
        try:
            return content.decode(charset, errors="replace")
        except (LookupError, UnicodeError):  # or one that is for no texts, such as idna
            raise Unreadable(f"the charset {charset[:40]!r} is unknown: use utf-8") from None
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return content.decode(name, errors="replace")
    text = content.decode("utf-8", errors="replace")
    if text.count("\ufffd") > RARELY * len(text):
        text = content.decode("cp1252", errors="replace")  # as browsers do (WHATWG Encoding)
    strange = sum(map(text.count, _CONTROLS))
    if strange > NOT_TEXT * len(text):
        raise Unreadable("this is no text: it may be another kind of file than its type says")
    return text


_CONTROLS = [chr(code) for code in (*range(9), *range(14, 32), 0xFFFD)]


def plain(content: bytes, charset: str | None) -> Iterator[Part]:
    """A text without marks."""
    yield "", decoded(content, charset)


def markdown(content: bytes, charset: str | None) -> Iterator[Part]:
    """Markdown (CommonMark with tables), by way of HTML, which it may hold."""
    text = decoded(content, charset)
    return _html_parts(MarkdownIt("commonmark").enable("table").render(text))


CHARSET = re.compile(rb"<meta[^>]{0,200}charset=[\"' ]*([A-Za-z0-9_-]{1,40})", re.IGNORECASE)
CHARSET_WITHIN = 1024
"""Bytes from the beginning (WHATWG HTML, 4.2.5.4)."""


def html(content: bytes, charset: str | None) -> Iterator[Part]:
    """HTML; without what is only for machines or leads elsewhere."""
    if charset is None and (named := CHARSET.search(content[:CHARSET_WITHIN])):
        charset = named[1].decode("ascii")
    return _html_parts(decoded(content, charset))


LEVELS = {f"h{level}": level for level in range(1, 7)}

SKIPPED = frozenset(("script", "style", "noscript", "template", "nav", "svg", "select", "head"))

INLINE = frozenset(
    (
        *("a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "font", "i"),
        *("ins", "kbd", "label", "mark", "q", "rp", "rt", "ruby", "s", "samp", "small", "span"),
        *("strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr"),
    )
)
"""Everything else begins and ends a line."""

CELLS = frozenset(("td", "th"))

SPACES = re.compile(r"\s+")


def _html_parts(text: str) -> Iterator[Part]:
    tree = LexborHTMLParser(text)
    title = tree.css_first("title")
    path: dict[int, str] = {0: tidy(title.text())} if title is not None else {}
    words: list[str] = []
    for node, opens in _walked(tree.body) if tree.body is not None else ():
        tag = node.tag or ""
        if tag in LEVELS:
            if opens:
                yield _heading(path), "".join(words)
                words.clear()
            else:
                level = LEVELS[tag]
                path = {above: name for above, name in path.items() if above < level}
                path[level] = " ".join("".join(words).split())
                words.clear()
        elif tag == "-text":
            said = node.text_content or ""
            kept = node.parent is not None and node.parent.tag == "pre"
            words.append(said if kept else SPACES.sub(" ", said))
        elif tag in CELLS:
            words.append("" if opens else " | ")
        elif tag == "br" or tag not in INLINE:
            words.append("\n")
    yield _heading(path), "".join(words)


def _heading(path: Mapping[int, str]) -> str:
    names = [name for _, name in sorted(path.items()) if name]
    return " > ".join(name for at, name in enumerate(names) if name not in names[:at])


def _walked(root: LexborNode) -> Iterator[tuple[LexborNode, bool]]:
    """Each node as it opens and closes; a text opens only. However deep the tree is."""
    node, opens = root, True
    while True:
        if opens:
            yield node, True
            child = None if node.tag in SKIPPED else node.child
            if child is not None:
                node = child
                continue
        if node.tag != "-text":
            yield node, False
        if node.mem_id == root.mem_id:  # `==` writes both out, and compares that
            return
        following = node.next
        opens = following is not None
        above = following if following is not None else node.parent
        assert above is not None
        node = above


PASSWORD = pdfium.FPDF_ERR_PASSWORD


def pdf(content: bytes, _: str | None) -> Iterator[Part]:
    """A PDF's pages, below the bookmarks that lead to them. Paragraphs are not told apart there."""
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if error.err_code == PASSWORD:
            raise Unreadable(
                "the PDF is encrypted: remove its password, and send it again"
            ) from None
        raise Unreadable("this is no PDF, or a damaged one: PDFium cannot open it") from None
    chapters = _chapters(document)
    path: dict[int, str] = {}
    for number in range(len(document)):
        for level, title in chapters.get(number, ()):
            path = {above: name for above, name in path.items() if above < level}
            path[level] = title
        heading = _heading({**path, 1_000: f"page {number + 1}"})
        try:
            page = document[number]
            text = page.get_textpage().get_text_bounded()
        except pypdfium2.PdfiumError:
            continue  # a damaged page hides no other
        yield heading, _joined(text)


def _chapters(document: pypdfium2.PdfDocument) -> dict[int, list[tuple[int, str]]]:
    """The bookmarks, by page: level and title."""
    found: dict[int, list[tuple[int, str]]] = {}
    for mark in document.get_toc():
        target = mark.get_dest()
        page = target.get_index() if target is not None else None
        if page is not None:
            found.setdefault(page, []).append((mark.level, tidy(mark.get_title())))
    return found


HYPHEN = re.compile("[\ufffe\u00ad\x02]\\s*")
"""How PDFium marks a hyphen at which a line was broken."""


def _joined(text: str) -> str:
    """One line: where PDF breaks lines says nothing."""
    return " ".join(HYPHEN.sub("", text).split())


READERS: Mapping[str, Callable[[bytes, str | None], Iterator[Part]]] = {
    TEXT: plain,
    MARKDOWN: markdown,
    HTML: html,
    PDF: pdf,
}

EMPTY = dict.fromkeys(READERS, "there is no text in it") | {
    PDF: "there is no text in the PDF: if its pages are pictures, have their text"
    " recognised first (OCR)"
}
