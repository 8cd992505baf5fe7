"""Which requests are ElevenLabs', so that each client hears no in its own words."""

import re
from collections.abc import Mapping
from typing import Any

from server.access.credentials import header

PATHS = re.compile(
    r"/v1/(?:pronunciation-dictionaries|speech-to-text|text-to-speech|user|voices)(?:/.*)?"
    r"|/v2/voices",
    re.DOTALL,
)


def is_theirs(scope: Mapping[str, Any]) -> bool:
    """Whether it is for a route that only they have, or came with a key as only they send it."""
    return PATHS.fullmatch(scope["path"]) is not None or named_their_way(scope)


def named_their_way(scope: Mapping[str, Any]) -> bool:
    """Whether the key came in `xi-api-key`, and in nothing else."""
    return bool(header(scope, b"xi-api-key")) and header(scope, b"authorization") is None
