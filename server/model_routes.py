"""`/v1/models`: every name that a request may carry."""

from collections.abc import Callable
from typing import Any, Literal

import msgspec
from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from engine.services import Llm
from server.access.denied import Denied
from server.chat.wanted import STOCK
from server.eleven.catalogue import ElevenModel, every_model
from server.eleven.dialect import named_their_way
from server.refusals import refusals
from server.speech import names
from transports.realtime import aliases

Task = Literal["chat", "speech", "realtime", "transcription"]


class OwnModel(msgspec.Struct, frozen=True):
    """What only this server tells of a model: the `tasks` that it may be named for, and whether a
    transcription by it comes with the times of words (`verbose_json`, `srt`, `vtt`).
    """

    tasks: tuple[Task, ...]
    word_times: bool


class ModelObject(msgspec.Struct, frozen=True):
    """A name that may be asked for. `voiceforge` is what OpenAI does not tell of one."""

    id: str
    voiceforge: OwnModel
    object: str = "model"
    created: int = 0
    owned_by: str = "voiceforge"


class Models(msgspec.Struct, frozen=True):
    """All of them."""

    data: list[ModelObject]
    object: str = "list"


def routes(llm: Callable[[], Llm]) -> list[HTTPRouteHandler]:
    """The handlers."""

    @get("/v1/models", responses=refusals(), summary="The models", sync_to_thread=False)
    def list_models(request: Request[Any, Any, Any]) -> Models | list[ElevenModel]:
        """Every name that a request may carry, stock ones included; for who sends the key as
        `xi-api-key` those that ElevenLabs' clients may send, as they read them.
        """
        if named_their_way(request.scope):
            return every_model()
        return Models([shown(name, tasks) for name, tasks in known(llm()[1]).items()])

    @get("/v1/models/{model:str}", responses=refusals(404), summary="A model", sync_to_thread=False)
    def get_model(model: FromPath[str]) -> ModelObject:
        """404 if there is none of that name."""
        tasks = known(llm()[1]).get(model)
        if tasks is None:
            raise Denied(404, "model_not_found", f"there is no model {model[:64]!r}")
        return shown(model, tasks)

    return [list_models, get_model]


def known(llm: str) -> dict[str, tuple[Task, ...]]:
    """Every model's name, and what it may be named for."""
    names_of: dict[Task, tuple[str, ...]] = {
        "chat": (llm, *STOCK),
        "speech": names.MODELS,
        "realtime": aliases.MODELS,
        "transcription": aliases.TRANSCRIBERS,
    }
    every = dict.fromkeys(name for some in names_of.values() for name in some)
    return {name: tuple(task for task, some in names_of.items() if name in some) for name in every}


def shown(name: str, tasks: tuple[Task, ...]) -> ModelObject:
    """A model, as programs are told of it."""
    timed = "transcription" in tasks and name != aliases.FAST_TRANSCRIBER
    return ModelObject(name, OwnModel(tasks, timed))
