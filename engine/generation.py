"""Generations: attempts at a response, each numbered, measured, and heard or not."""

import asyncio
import secrets
from collections.abc import Collection

from engine.frames import ResponseStarted
from engine.items import Modality
from engine.settings import ResponseRequest, SessionSettings


class Generation:
    """One attempt at what `request` asks for. The floor machine numbers it, and alone lets it be
    heard.

    `stamps` says when each stage was reached, in seconds of the loop's clock. Tools with the names
    `ours` are run by the server.
    """

    def __init__(
        self,
        number: int,
        request: ResponseRequest,
        settings: SessionSettings,
        ours: Collection[str] = (),
    ) -> None:
        self.number = number
        self.ours = ours
        self.request = request
        self.modality: Modality = request.modality or settings.modality
        self.response_id = f"resp_{secrets.token_hex(12)}"
        self.stamps: dict[str, float] = {}

    def stamp(self, stage: str) -> None:
        """Note when `stage` was first reached."""
        self.stamps.setdefault(stage, asyncio.get_running_loop().time())

    def stages(self) -> dict[str, float]:
        """When each stage was reached, in order: ms after the caller's pause, else the first."""
        since = self.stamps.get("pause", min(self.stamps.values()))
        stages = {stage: round((at - since) * 1000, 1) for stage, at in self.stamps.items()}
        return dict(sorted(stages.items(), key=lambda stage: stage[1]))

    def started(self) -> ResponseStarted:
        """What tells the client that it went live."""
        return ResponseStarted(
            self.response_id,
            self.number,
            self.modality,
            self.request.in_conversation,
            self.request.metadata,
            self.request.asked,
        )
