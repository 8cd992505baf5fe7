"""What our server's history says an agent said, beside what the caller was played of it."""

import msgspec

from bench.caller import Caller
from bench.links import AGENT_HZ, OursLink, Reply
from bench.sound import Sound, loud


class Recalled(msgspec.Struct):
    """One assistant item: its words in the history, all words sent of it, and the sound played.

    `whole` says that it was heard to its end.
    """

    kept: str
    sent: str
    sound: Sound
    whole: bool


async def recall(caller: Caller) -> list[Recalled]:
    """The items that ended since the last call, as our server's history has them; none of a peer's.

    The peer's protocol does not show its history.
    """
    link = caller.link
    if not isinstance(link, OursLink):
        return []
    ended = [r for r in link.replies.values() if r.status != "in_progress" and r.pieces]
    found = []
    for reply in ended:
        item = await link.item(reply.item_id)
        kept = " ".join(part.get("transcript") or "" for part in item["content"])
        found.append(Recalled(kept, reply.transcript, played(link, reply), whole(reply)))
        del link.replies[reply.item_id]
    return found


def played(link: OursLink, reply: Reply) -> Sound:
    """What sounded of a reply, from its first to its last piece."""
    sound = link.playout.heard(reply.pieces[0][0], reply.pieces[-1][1])
    at = loud(sound)
    return sound[: at[-1] + AGENT_HZ // 10] if len(at) else sound[:0]


def whole(reply: Reply) -> bool:
    """Whether it was heard to its end, which may be its limit of tokens."""
    return reply.status in ("completed", "incomplete") and not reply.dropped
