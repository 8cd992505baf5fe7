"""What may be called for somebody else, in every form that an address can be written."""

import ipaddress

import pytest

from server.outbound.addresses import Resolver, Rules, is_public
from server.outbound.errors import OutboundError
from server.outbound.networks import networks

PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "64:ff9b::808:808", "2002:808:808::1"]

NOT_PUBLIC = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",  # CGNAT
    "100.100.100.200",  # Alibaba's metadata
    "169.254.169.254",  # everybody else's
    "168.63.129.16",  # Azure's
    "192.0.0.192",  # Oracle's
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2001:0:7f00:1::1",  # Teredo
    "2001:db8::1",
    "fc00::1",
    "fd00:ec2::254",  # AWS' metadata
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
    "4000::1",
]


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_may_be_called(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_all_others_may_not_unless_the_operator_allows_them(text: str) -> None:
    address = ipaddress.ip_address(text)
    assert not is_public(address)
    with pytest.raises(OutboundError) as raised:
        Rules().check_literal(text)
    assert raised.value.code == "refused_address"
    assert "outbound.allow" in str(raised.value)
    Rules(networks(f"192.168.200.0/24,{text.partition('%')[0]}")).check_literal(text)


def test_what_is_allowed_is_allowed_in_every_form_and_nothing_beside_it() -> None:
    rules = Rules(networks("10.0.0.0/8"))
    for text in ("10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::a01:203"):
        rules.check_literal(text)
    with pytest.raises(OutboundError):
        rules.check_literal("127.0.0.1")


@pytest.mark.parametrize("text", ["127.1", "2130706433", "127.0.0.0x1:", "127.0.0.01", "1.2.3.4.5"])
def test_a_number_that_a_system_might_take_for_an_address_is_none(text: str) -> None:
    with pytest.raises(OutboundError) as raised:
        Rules(networks("127.0.0.0/8")).check_literal(text)
    assert raised.value.code == "bad_url"


async def test_a_name_gives_only_the_addresses_that_may_be_called() -> None:
    async def look_up(host: str) -> list[str]:
        return {"mixed": ["10.0.0.1", "8.8.8.8", "::1"], "inside": ["10.0.0.1"]}[host]

    resolver = Resolver(Rules(), look_up)
    assert [found["host"] for found in await resolver.resolve("mixed", 443)] == ["8.8.8.8"]
    with pytest.raises(OutboundError) as raised:
        await resolver.resolve("inside", 443)
    assert raised.value.code == "refused_address"
    await resolver.close()


async def test_what_the_system_knows_is_looked_up_as_the_system_writes_it() -> None:
    resolver = Resolver(Rules())
    for host in ("localhost", "0x7f.1", "0177.0.0.1"):
        with pytest.raises(OutboundError) as raised:
            await resolver.resolve(host, 80)
        assert raised.value.code == "refused_address"
    with pytest.raises(OutboundError) as raised:
        await resolver.resolve("a" * 70 + ".example", 80)
    assert raised.value.code == "bad_url"
    await resolver.close()
