"""HTML pages that load nothing from anywhere."""

import html
from collections.abc import Iterable

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;color:#222}
h1{font-size:1.7rem}h2{margin-top:2.2rem;border-bottom:1px solid #ccc}h3{margin-top:1.6rem}
code,pre{background:#f2f2f2;border-radius:4px;padding:.1em .3em;font-size:.92em}
pre{padding:.8em;overflow:auto}table{border-collapse:collapse;width:100%;margin:.8rem 0}
td,th{border:1px solid #ccc;padding:.35em .6em;text-align:left;vertical-align:top}
@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}a{color:#8cf}
code,pre{background:#2a2a2a}td,th,h2{border-color:#444}}
"""


def page(title: str, *parts: str) -> str:
    """A whole document around HTML parts."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{text(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body><h1>{text(title)}</h1>{''.join(parts)}</body></html>"
    )


def text(value: str) -> str:
    """Plain text as HTML, with `backticks` as code."""
    pieces = html.escape(value).split("`")
    return "".join(
        f"<code>{piece}</code>" if odd % 2 else piece for odd, piece in enumerate(pieces)
    )


def heading(value: str, level: int = 2, anchor: str = "") -> str:
    """A heading; `#anchor` leads to it."""
    ident = f' id="{html.escape(anchor)}"' if anchor else ""
    return f"<h{level}{ident}>{text(value)}</h{level}>"


def paragraph(value: str) -> str:
    return f"<p>{text(value)}</p>"


def code(value: str) -> str:
    return f"<pre>{html.escape(value)}</pre>"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of plain text cells."""
    return html_table(head, ((text(cell) for cell in row) for row in rows))


def html_table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table whose cells are HTML."""
    top = "".join(f"<th>{text(cell)}</th>" for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
