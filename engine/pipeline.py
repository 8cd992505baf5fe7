"""A pipeline: the actors of one session, in order."""

from collections.abc import Callable, Sequence

from engine.actor import Actor
from engine.frames import Frame
from engine.inference import Priority


class Pipeline:
    """Links actors: what one emits, the next receives. The last one's emissions go nowhere.

    `failed` takes the exception of an actor that waits; one that does not, raises to its caller.
    """

    def __init__(self, actors: Sequence[Actor], failed: Callable[[BaseException], None]) -> None:
        if not actors:
            raise ValueError("a pipeline needs at least one actor")
        self.actors = tuple(actors)
        self._failed = failed
        self.receive: Callable[[Frame], None] = self.actors[0].receive
        for actor, following in zip(self.actors, self.actors[1:], strict=False):
            actor.emit = following.receive
            actor.following = following

    def start(self) -> None:
        """Start the actors, the last first, so that none emits to one that is not ready."""
        for actor in reversed(self.actors):
            actor.start(self._failed)

    def prioritise(self, priority: Priority) -> None:
        """Give the agent's output that is being made another place in the queues."""
        for actor in self.actors:
            actor.prioritise(priority)

    def interrupt(self) -> None:
        """Drop the agent's output everywhere in the pipeline."""
        for actor in self.actors:
            actor.interrupt()

    def close(self) -> None:
        """Stop everything now."""
        for actor in self.actors:
            actor.close()
