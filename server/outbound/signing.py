"""Signatures of webhooks, as https://www.standardwebhooks.com has them: the symmetric ones, v1."""

import base64
import binascii
import hashlib
import hmac
import re
import secrets as random
import time
from collections.abc import Iterable, Mapping

PREFIX = "whsec_"
SECRET_BYTES = 32
"""The standard asks for 24 to 64."""

TOLERANCE_S = 300.0
"""How old a message may be, or how far the clocks apart: who recorded one cannot send it later."""


class NotSigned(Exception):
    """The message is not from whom it should be, or too old; the text says which."""


def new_secret() -> str:
    """Such as `whsec_…`, 256 random bits."""
    return PREFIX + base64.b64encode(random.token_bytes(SECRET_BYTES)).decode()


def signed(
    ident: str, body: bytes, secrets: Iterable[str], at: float | None = None
) -> dict[str, str]:
    """The headers that go with a message: one signature by each of the secrets, so that a receiver
    may know the old one or the new one while they are changed. `at` is in seconds since 1970.
    """
    stamp = str(int(time.time() if at is None else at))
    return {
        "webhook-id": ident,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(signature(ident, stamp, body, s) for s in secrets),
    }


def verify(
    headers: Mapping[str, str], body: bytes, secrets: Iterable[str], at: float | None = None
) -> None:
    """Raises `NotSigned` unless one of the secrets signed this body within the tolerance. Names of
    headers are in lower case.
    """
    ident, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "").encode().split()
    if not (ident and re.fullmatch("[0-9]{1,15}", stamp) and given):
        raise NotSigned("webhook-id, webhook-timestamp or webhook-signature is missing")
    apart_s = abs((time.time() if at is None else at) - int(stamp))
    if apart_s > TOLERANCE_S:
        raise NotSigned(f"webhook-timestamp is {apart_s:.0f} s off: {TOLERANCE_S:g} are allowed")
    for secret in secrets:
        expected = signature(ident, stamp, body, secret).encode()
        if any(hmac.compare_digest(expected, one) for one in given):
            return
    raise NotSigned("webhook-signature is none of this body by a secret that is known")


def signature(ident: str, stamp: str, body: bytes, secret: str) -> str:
    """As `v1,` and the HMAC-SHA256 of what is sent, in base64. Raises `ValueError` for a secret
    that is none.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError(f"a signing secret is {PREFIX} and base64") from None
    message = b"%s.%s.%s" % (ident.encode(), stamp.encode(), body)
    return "v1," + base64.b64encode(hmac.digest(key, message, hashlib.sha256)).decode()
