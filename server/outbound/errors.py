"""Why another server could not be asked."""

from typing import Literal

Code = Literal[
    "bad_url",
    "bad_header",
    "refused_address",
    "unreachable",
    "timeout",
    "bad_redirect",
    "too_large",
]


class OutboundError(Exception):
    """`code` is stable. The text may be shown to whoever named the URL, and written to a log: it
    names the host, and nothing that may be secret (path, query, headers, body).
    """

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code: Code = code


class TooLarge(OutboundError):
    """The answer is larger than was asked for. `status` is what it began with."""

    def __init__(self, host: str, status: int, most_bytes: int) -> None:
        super().__init__("too_large", f"{host} answers with more than {most_bytes} bytes")
        self.status = status
