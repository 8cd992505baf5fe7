from server.control import Refusal, Welcome
from server.places import Places


def test_places_are_counted_over_all_gateways() -> None:
    places = Places(2)
    assert places.enter(0, 1) == Welcome(1)
    assert places.enter(1, 1) == Welcome(1)
    full = places.enter(0, 2)
    assert isinstance(full, Refusal)
    assert full.reason == "full"
    places.leave(1, 1)
    places.leave(1, 1)
    assert places.enter(0, 2) == Welcome(2)
    assert (places.of(0), places.of(1), len(places)) == (2, 0, 2)


def test_a_gateway_that_died_gives_all_its_places_back() -> None:
    places = Places(2)
    places.enter(0, 1)
    places.enter(0, 2)
    places.forget(0)
    assert places.enter(1, 1) == Welcome(1)
    assert len(places) == 1
