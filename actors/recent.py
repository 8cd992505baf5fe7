"""How much of a long conversation an embedded model sees: its instructions and the latest of it.

Where the beginning changes, all behind it is read again, at 150 tokens a second on two cores. So
the oldest messages go many at a time, and in a spoken conversation so little is left that reading
it takes seconds, in which the caller listens or speaks.
"""

from bisect import bisect_left
from itertools import accumulate

from engine.capabilities import ChatMessage

CONTEXT_CHARS = 9000
"""Of all messages: at three characters a token 3,000 tokens, an answer's context (`actors.llama`)
less the longest one."""

SPOKEN_CHARS = 3000
"""Before the current turn, where it is spoken: about twenty questions and answers."""

STEP_CHARS = {"spoken": 1500, "written": 4500}
"""So much goes at a time, and as much is left, which is read again. With 2,000 of the spoken 3,000
the p95 of four callers was 4.7-6.8 s in three runs, with 1,500 3.1-3.9 s: why is not known yet."""


def recent(messages: tuple[ChatMessage, ...], *, spoken: bool) -> tuple[ChatMessage, ...]:
    """The instructions, if any, and the latest messages that fit.

    The current turn, from the user's last message on, is seen whole if it fits into the context by
    itself; the last message always.
    """
    head = messages[:1] if messages and messages[0].role == "system" else ()
    rest = messages[len(head) :]
    ends = list(accumulate(map(_chars, rest)))
    if not rest:
        return messages
    room = CONTEXT_CHARS - sum(map(_chars, head))
    turn = _current_turn(rest)
    over = ends[-1] - room
    if spoken and turn:
        over = max(over, ends[turn - 1] - SPOKEN_CHARS)
    if over <= 0:
        return messages
    step = STEP_CHARS["spoken" if spoken else "written"]
    dropped = -(-over // step) * step
    start = min(bisect_left(ends, dropped) + 1, turn)
    left = ends[-1] - (ends[start - 1] if start else 0)
    return head + (rest[start:] if left <= room else rest[-1:])


def _current_turn(rest: tuple[ChatMessage, ...]) -> int:
    """Where the turn begins that is to be answered, or that was answered last."""
    asked = (index for index in range(len(rest) - 1, -1, -1) if rest[index].role == "user")
    return next(asked, len(rest) - 1)


def _chars(message: ChatMessage) -> int:
    return len(message.content or "")
