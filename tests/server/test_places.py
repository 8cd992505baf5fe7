from engine.admission import Admission, Learnt
from server.control import AdmissionStatus, Owner, Refusal, Welcome
from server.places import Places
from storage.accounts import Limits


def owner(ident: str, most: int | None = None) -> Owner:
    return Owner(ident, "acc_1", Limits(concurrent_sessions=most))


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


def test_a_key_and_an_account_have_no_more_sessions_than_they_may() -> None:
    places = Places(None)
    account = owner("acc_1", 3)
    mine, other = (owner("key_1", 2), account), (owner("key_2"), account)
    assert places.enter(0, 1, mine) == Welcome(1)
    assert places.enter(1, 1, mine) == Welcome(1)
    full = places.enter(0, 2, mine)
    assert isinstance(full, Refusal)
    assert (full.reason, full.message[:32]) == ("session_limit", "key_1 may have 2 sessions at onc")
    assert places.enter(0, 2, other) == Welcome(2)
    full = places.enter(0, 3, other)
    assert isinstance(full, Refusal)
    assert full.message.startswith("acc_1 may have 3")
    assert places.enter(0, 3, (owner("key_3"), owner("acc_2", 1))) == Welcome(3)
    places.leave(1, 1)
    places.leave(1, 1)  # twice is once
    assert places.enter(0, 4, mine) == Welcome(4)
    places.forget(0)
    for number in (5, 6):
        assert places.enter(1, number, mine) == Welcome(number)


def test_who_was_dropped_keeps_its_owner_from_no_other_session() -> None:
    places = Places(None)
    mine = (owner("key_1", 1),)
    assert places.enter(0, 1, mine) == Welcome(1)
    places.mark(0, 1, away=True)
    places.mark(0, 1, away=True)
    assert places.enter(0, 2, mine) == Welcome(2)
    places.mark(0, 1, away=False)  # it may always come back
    places.leave(0, 2)
    assert isinstance(places.enter(0, 3, mine), Refusal)
    places.mark(0, 1, away=True)
    places.leave(0, 1)
    assert places.enter(0, 3, mine) == Welcome(3)


def test_none_at_all_may_be_allowed() -> None:
    assert isinstance(Places(None).enter(0, 1, (owner("key_1", 0),)), Refusal)


def test_it_is_told_whether_there_is_another_place_and_why_not() -> None:
    places = Places(None, Admission(Learnt(3, 4)), clock=lambda: 0.0)
    assert places.status() == AdmissionStatus(0, None, 4, 4)
    for number in range(4):
        assert places.enter(0, number) == Welcome(number)
    told = places.status()
    assert (told.present, told.refusal) == (4, places.enter(0, 4).message)  # type: ignore[union-attr]
    assert "serves 4 well" in str(told.refusal)
    places.mark(0, 1, away=True)
    assert places.status().refusal is None


def test_looking_takes_no_place_and_holds_nobody_up() -> None:
    places = Places(None, Admission(Learnt(4)), clock=lambda: 0.0)
    for number in range(5):  # a fifth comes 3 s after the others, not after looks
        assert places.status().refusal is None or number == 4
        if number < 4:
            places.enter(0, number)
    assert "one by one" in str(places.status().refusal)


def test_without_admission_only_the_settings_count() -> None:
    places = Places(1)
    assert places.status() == AdmissionStatus(0, 1)
    places.enter(0, 1)
    assert "limits.max_sessions" in str(places.status().refusal)
