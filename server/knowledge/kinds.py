"""The kinds of documents that can be read."""

from email.message import Message
from pathlib import PurePath

TEXT, MARKDOWN, HTML, PDF = "text/plain", "text/markdown", "text/html", "application/pdf"

KINDS = (TEXT, MARKDOWN, HTML, PDF)

SAID_OTHERWISE = {
    "text/x-markdown": MARKDOWN,
    "application/xhtml+xml": HTML,
    "application/x-pdf": PDF,
}

UNKNOWN = ("", "application/octet-stream", "binary/octet-stream")
"""What clients say that do not know: the name tells then."""

BY_NAME = {
    ".txt": TEXT,
    ".text": TEXT,
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".html": HTML,
    ".htm": HTML,
    ".xhtml": HTML,
    ".pdf": PDF,
}


class Unreadable(Exception):
    """The document cannot be read. The text says why and what to do, and quotes nothing of it."""


def parsed(media_type: str) -> tuple[str, str | None]:
    """The type without its parameters, in lower case, and the charset that they name, if any."""
    header = Message()
    header["content-type"] = media_type
    return header.get_content_type(), header.get_content_charset()


def kind_of(media_type: str, name: str) -> str:
    """One of `KINDS`, with a charset if one is said, by what is said of a document and by its name.

    Raises `Unreadable`.
    """
    said = media_type.partition(";")[0].strip().lower()
    if said in UNKNOWN:
        kind = BY_NAME.get(PurePath(name).suffix.lower(), "")
    else:
        kind = SAID_OTHERWISE.get(said, said)
    if kind not in KINDS:
        what = f"the media type {said[:80]!r}" if said else f"what kind {name[-80:]!r} is"
        raise Unreadable(f"{what} is not known here: send one of {', '.join(KINDS)}")
    charset = parsed(media_type)[1] if said not in UNKNOWN else None
    return kind if charset is None else f"{kind}; charset={charset[:40]}"
