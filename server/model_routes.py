"""`/v1/models`: every name that a request may carry."""

from collections.abc import Callable
from typing import Any

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


class ModelObject(msgspec.Struct, frozen=True):
    """A name that may be asked for."""

    id: str
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
        return Models([ModelObject(name) for name in known(llm()[1])])

    @get("/v1/models/{model:str}", responses=refusals(404), summary="A model", sync_to_thread=False)
    def get_model(model: FromPath[str]) -> ModelObject:
        """404 if there is none of that name."""
        if model not in known(llm()[1]):
            raise Denied(404, "model_not_found", f"there is no model {model[:64]!r}")
        return ModelObject(model)

    return [list_models, get_model]


def known(llm: str) -> tuple[str, ...]:
    """Every model's name: of the LLM, of speech and of conversations."""
    every = (llm, *STOCK, *names.MODELS, *aliases.MODELS, *aliases.TRANSCRIBERS)
    return tuple(dict.fromkeys(every))
