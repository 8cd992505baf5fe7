"""What sessions use is told once, by whose they are."""

from datetime import UTC, datetime

from engine.meter import Amounts as Measured
from engine.meter import Meter, Used
from server.access.caller import OURSELVES, Caller
from server.metering.collector import LATE_S, Collector, hour_of
from storage.usage import Amounts, Subject

HOUR = datetime(2026, 11, 28, 23, tzinfo=UTC)
MINE = Caller("acc_1", "key_1", ("realtime",))


class Scripted(Meter):
    """A meter that gives what it was told to give."""

    def __init__(self) -> None:
        super().__init__()
        self.next: list[Used] = []
        self.over = True

    @property
    def settled(self) -> bool:
        return self.over

    def take(self) -> list[Used]:
        taken, self.next = self.next, []
        return taken


class Counter:
    """A collector at work."""

    def __init__(self) -> None:
        self.now = HOUR.timestamp() + 3599.0
        self.ticks = 0.0
        self.told: list[dict[Subject, Amounts]] = []
        self.collector = Collector(self.told.append, lambda: self.now, lambda: self.ticks)

    def began(self, session_id: str, caller: Caller = MINE) -> Scripted:
        meter = Scripted()
        self.collector.began(session_id, meter, caller)
        return meter

    def collected(self) -> dict[Subject, Amounts]:
        self.told.clear()
        self.collector.collect()
        return self.told[0] if self.told else {}


def test_hours_are_whole_and_of_utc() -> None:
    assert hour_of(HOUR.timestamp()) == hour_of(HOUR.timestamp() + 3599.9) == HOUR


def test_what_is_used_is_told_by_session_key_and_model() -> None:
    counter = Counter()
    one, two = counter.began("s1"), counter.began("s2", Caller("acc_1", "key_2"))
    one.next = [
        Used("piper", False, Measured(characters=3)),
        Used("llm", True, Measured(output_tokens=2)),
    ]
    two.next = [Used("", False, Measured(audio_in_ms=20.0))]
    assert counter.collected() == {
        Subject("acc_1", HOUR, "s1", "key_1", "", "piper"): Amounts(characters=3),
        Subject("acc_1", HOUR, "s1", "key_1", "", "llm", dropped=True): Amounts(output_tokens=2),
        Subject("acc_1", HOUR, "s2", "key_2"): Amounts(audio_in_ms=20.0),
    }
    assert counter.collected() == {}
    counter.now += 1
    one.next = [Used("piper", False, Measured(characters=1))]
    [subject] = counter.collected()
    assert subject.hour == datetime(2026, 11, 29, tzinfo=UTC)


def test_a_session_that_ended_is_kept_until_its_requests_are_over() -> None:
    counter = Counter()
    meter = counter.began("s1")
    meter.over = False
    counter.collector.ended(meter)
    assert counter.collected() == {}
    meter.over, meter.next = True, [Used("llm", True, Measured(compute_ms=9.0))]
    assert list(counter.collected().values()) == [Amounts(compute_ms=9.0)]
    assert len(counter.collector) == 0


def test_and_no_longer_than_a_while() -> None:
    counter = Counter()
    meter = counter.began("s1")
    meter.over = False
    counter.collector.ended(meter)
    counter.ticks = LATE_S
    counter.collected()
    assert len(counter.collector) == 1
    counter.ticks += 1
    counter.collected()
    assert len(counter.collector) == 0


def test_what_this_server_asks_itself_is_nobodys() -> None:
    counter = Counter()
    counter.began("s1", OURSELVES).next = [Used("llm", False, Measured(output_tokens=2))]
    assert counter.collected() == {}
