"""Documents as plain text."""

from pathlib import Path

import pytest

from server.knowledge import reading
from server.knowledge.kinds import HTML, MARKDOWN, PDF, TEXT, Unreadable, kind_of
from server.knowledge.reading import MOST_CHARACTERS, sections
from server.knowledge.upload import MOST_BYTES

DATA = Path(__file__).parents[2] / "data" / "knowledge"


def read(content: bytes | str, media_type: str) -> list[tuple[str, str]]:
    given = content.encode() if isinstance(content, str) else content
    return [(section.heading, section.text) for section in sections(given, media_type)]


def test_markdown_is_read_by_its_headings() -> None:
    text = (
        "Welcome.\n\n# Menu\nHello *you*, see [our page](http://x).\n\n## Bread\n"
        "| kind | price |\n|--|--|\n| Rye | 4 |\n\nOther\n=====\n```\n# no heading\n```\n"
        "<b>bold</b>"
    )
    assert read(text, MARKDOWN) == [
        ("", "Welcome."),
        ("Menu", "Hello you, see our page."),
        ("Menu > Bread", "kind | price |\nRye | 4 |"),
        ("Other", "# no heading\nbold"),
    ]


def test_html_is_read_without_what_is_for_machines() -> None:
    page = (
        "<!doctype html><html><head><title>Bakery</title><style>p{}</style></head><body>"
        "<nav>Home</nav><h1>Prices</h1><p>All <b>fr</b>esh &amp; warm.<ul><li>One<li>Two</ul>"
        "<script>alert(1)</script><h3>Rye</h3>four<br>euros<h2>Bakery</h2>six"
        "<footer>Tel. 5</footer>"
    )
    assert read(page, HTML) == [
        ("Bakery > Prices", "All fresh & warm.\nOne\nTwo"),
        ("Bakery > Prices > Rye", "four\neuros"),
        ("Bakery > Prices", "six\nTel. 5"),
    ]


def test_a_pdf_is_read_below_its_bookmarks() -> None:
    assert read((DATA / "bakery.pdf").read_bytes(), PDF) == [
        (
            "Opening hours > page 1",
            "Opening hours We are open from seven in the morning until six in the evening. On "
            "Sundays we close at noon.",
        ),
        ("Prices > page 2", "Prices A loaf of rye bread costs four euros."),
        (
            "Prices > Cakes > page 3",
            "Cakes A birthday cake must be ordered two days before, and costs thirty euros.",
        ),
    ]


def test_a_text_may_be_as_large_as_an_upload() -> None:
    assert MOST_CHARACTERS >= MOST_BYTES


def test_a_text_that_is_made_to_be_larger_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_CHARACTERS", 100)
    with pytest.raises(Unreadable, match="more than 100 characters of text: split it"):
        read(b"bread " * 20, TEXT)


def test_positions_count_the_characters_of_the_whole_text() -> None:
    found = list(sections(b"<h1>A</h1>one two<h1>B</h1>three", HTML))
    whole = "\n".join(section.text for section in found)
    assert [whole[section.position :][: len(section.text)] for section in found] == [
        "one two",
        "three",
    ]


@pytest.mark.parametrize(
    ("content", "media_type", "text"),
    [
        ("Süß – 2 €".encode(), TEXT, "Süß – 2 €"),
        ("Süß – 2 €".encode("cp1252"), TEXT, "Süß – 2 €"),
        ("Süß".encode("utf-16"), TEXT, "Süß"),
        ("Süß".encode("utf-8-sig"), TEXT, "Süß"),
        ("Хлеб".encode("koi8-r"), "text/plain; charset=koi8-r", "Хлеб"),
        (b'<meta charset="iso-8859-5">' + "Хлеб".encode("iso-8859-5"), HTML, "Хлеб"),
        (b"whole " * 1000 + b"\xff", TEXT, "whole " * 1000 + "\ufffd"),
        (b"rye\0 bread" * 3, TEXT, "rye bread" * 3),
    ],
)
def test_bytes_are_read_as_what_they_are(content: bytes, media_type: str, text: str) -> None:
    assert read(content, media_type) == [("", text)]


@pytest.mark.parametrize(
    ("content", "media_type", "why"),
    [
        (b"", TEXT, "no text"),
        (b" \n \t ", MARKDOWN, "no text"),
        (b"<script>x</script>", HTML, "no text"),
        (bytes(range(256)) * 9, TEXT, "no text: it may be another kind"),
        (b"Hello", "text/plain; charset=klingon", "charset 'klingon' is unknown"),
        (b"Hello", "text/plain; charset=idna", "charset 'idna' is unknown"),
        (b"", PDF, "no PDF"),
        (b"%PDF-1.7 and then nothing", PDF, "no PDF, or a damaged one"),
        ((DATA / "encrypted.pdf").read_bytes(), PDF, "encrypted: remove its password"),
        ((DATA / "blank.pdf").read_bytes(), PDF, "OCR"),
    ],
)
def test_what_cannot_be_read_says_why(content: bytes, media_type: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        read(content, media_type)


@pytest.mark.parametrize("deep", ["<div>" * 5_000 + "x", "<b>" * 5_000 + "x", "<ul><li>" * 3_000])
def test_a_tree_may_be_deep(deep: str) -> None:
    assert read(deep + "<p>end", HTML)[-1][1].endswith("end")


@pytest.mark.parametrize(
    ("said", "name", "kind"),
    [
        ("text/plain", "x.pdf", TEXT),
        ("Text/HTML; charset=UTF-8", "x", "text/html; charset=utf-8"),
        ("application/octet-stream", "menu.MD", MARKDOWN),
        ("", "menu.pdf", PDF),
        ("text/x-markdown", "", MARKDOWN),
    ],
)
def test_a_kind_is_known_by_its_type_or_its_name(said: str, name: str, kind: str) -> None:
    assert kind_of(said, name) == kind


@pytest.mark.parametrize(("said", "name"), [("image/png", "x.pdf"), ("", "menu"), ("", "x.docx")])
def test_other_kinds_are_refused_with_those_that_are_read(said: str, name: str) -> None:
    with pytest.raises(Unreadable, match="send one of text/plain"):
        kind_of(said, name)
