"""Addresses and headers of tools."""

import pytest

from server.agents.filling import (
    Unfillable,
    check_url,
    filled_headers,
    filled_url,
    secrets_in,
    with_query,
)

VARIABLES = {"shop": "main street", "tier": "gold"}


def test_arguments_and_variables_stand_where_they_are_named() -> None:
    url = "https://api.example/{{shop}}/orders/{order}?tier={{ tier }}"
    filled, rest = filled_url(url, VARIABLES, {"order": 7, "note": "soon"})
    assert filled == "https://api.example/main%20street/orders/7?tier=gold"
    assert rest == {"note": "soon"}


@pytest.mark.parametrize(
    ("value", "stands"),
    [
        ("a/b", "a%2Fb"),
        ("?x=1#y", "%3Fx%3D1%23y"),
        ("{{tier}}", "%7B%7Btier%7D%7D"),
        ("é", "%C3%A9"),
        (["a", 1], "%5B%22a%22%2C1%5D"),
        ("a\nb", "a%0Ab"),
    ],
)
def test_nothing_that_an_llm_writes_leads_elsewhere(value: object, stands: str) -> None:
    assert filled_url("https://api.example/{x}", VARIABLES, {"x": value})[0] == (
        f"https://api.example/{stands}"
    )


def test_what_is_missing_or_leads_upwards_is_refused() -> None:
    for url, given, why in (
        ("https://a.example/{x}", {}, "x is missing"),
        ("https://a.example/{{y}}", {}, "y is missing"),
        ("https://a.example/{x}", {"x": ".."}, "x cannot be '..'"),
    ):
        with pytest.raises(Unfillable, match=why):
            filled_url(url, {}, given)


def test_the_rest_of_a_get_is_its_query() -> None:
    given = {"q": "a b", "tags": ["x", "y"], "exact": True}
    assert with_query("https://a.example/s", given) == (
        "https://a.example/s?q=a+b&tags=x&tags=y&exact=true"
    )
    assert with_query("https://a.example/s?k=1", {"q": 2}) == "https://a.example/s?k=1&q=2"
    assert with_query("https://a.example/s", {}) == "https://a.example/s"


def test_headers_hold_secrets_and_variables() -> None:
    headers = {"authorization": "Bearer {{ secret.shop-key.1 }}", "x-tier": "{{tier}}"}
    assert secrets_in(headers) == {"shop-key.1"}
    assert filled_headers(headers, VARIABLES, {"shop-key.1": "s3cret"}) == {
        "authorization": "Bearer s3cret",
        "x-tier": "gold",
    }


def test_a_header_that_cannot_be_is_refused_without_its_value() -> None:
    with pytest.raises(Unfillable) as missing:
        filled_headers({"a": "{{secret.NONE}}"}, {}, {})
    assert str(missing.value) == "there is no secret NONE"
    with pytest.raises(Unfillable) as broken:
        filled_headers({"a": "{{x}}"}, {"x": "one\r\nevil: two"}, {})
    assert "evil" not in str(broken.value)


def test_a_variable_is_no_secret() -> None:
    """Who sets variables cannot name one that reads a secret."""
    with pytest.raises(Unfillable):
        filled_headers({"a": "{{x}}{{secret.K}}"}, {"x": "{{secret.K}}"}, {})
    filled = filled_headers({"a": "{{x}}"}, {"x": "{{secret.K}}", "secret.K": "forged"}, {"K": "s"})
    assert filled == {"a": "{{secret.K}}"}


@pytest.mark.parametrize(
    "url", ["https://{host}/x", "https://{{host}}/x", "https:///x", "https://me:pw@a.example/"]
)
def test_the_host_is_the_agent_s(url: str) -> None:
    with pytest.raises(ValueError, match=r"host|password"):
        check_url(url)
