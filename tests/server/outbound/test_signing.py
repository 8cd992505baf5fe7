"""Our signatures, as the standard's own library sees them, and the other way round."""

import base64
import datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from server.outbound.signing import NotSigned, new_secret, signature, signed, verify

NOW = 1_764_374_400.0
BODY = '{"type":"session.ended","text":"Grüße 🥐"}'.encode()


def test_the_example_of_the_standard_comes_out() -> None:
    """https://github.com/standard-webhooks/standard-webhooks, libraries/python/tests."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    ident, stamp, body = "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}'
    expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert signature(ident, stamp, body, secret) == expected


def test_the_standards_library_verifies_what_we_sign_by_either_of_two_secrets() -> None:
    old, new = new_secret(), new_secret()
    headers = signed("msg_1", BODY, [new, old])
    for secret in (old, new):
        assert Webhook(secret).verify(BODY, headers)["type"] == "session.ended"
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, headers)


def test_we_verify_what_the_standards_library_signs() -> None:
    secret = new_secret()
    at = datetime.datetime.fromtimestamp(NOW, datetime.UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(NOW)),
        "webhook-signature": Webhook(secret).sign("msg_1", at, BODY.decode()),
    }
    verify(headers, BODY, [new_secret(), secret], NOW)


def test_anything_else_is_refused() -> None:
    secret = new_secret()
    headers = signed("msg_1", BODY, [secret], NOW)
    verify(headers, BODY, [secret], NOW + 299)
    verify(headers, BODY, [secret], NOW - 299)
    for at in (NOW + 301, NOW - 301):
        with pytest.raises(NotSigned, match="s off"):
            verify(headers, BODY, [secret], at)
    for changed in ({"webhook-id": "msg_2"}, {"webhook-signature": "v1,x v1a,y 🥐"}):
        with pytest.raises(NotSigned, match="none of this body"):
            verify(headers | changed, BODY, [secret], NOW)
    with pytest.raises(NotSigned, match="none of this body"):
        verify(headers, BODY + b" ", [secret], NOW)
    for missing in ({"webhook-id": ""}, {"webhook-timestamp": "9" * 99}, {"webhook-signature": ""}):
        with pytest.raises(NotSigned, match="missing"):
            verify(headers | missing, BODY, [secret], NOW)


def test_a_secret_has_256_bits_and_what_is_none_says_so() -> None:
    secret = new_secret()
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    with pytest.raises(ValueError, match="whsec_ and base64") as raised:
        signed("msg_1", BODY, ["whsec_hush!"])
    assert "hush" not in str(raised.value)
