"""Which language model answers, as the server tells the worker that asks it."""

import msgspec


class Endpoint(msgspec.Struct, frozen=True):
    """Where an LLM answers: `base_url` ends with the version, as in `https://host/v1`.

    `embedded` is our own llama.cpp, whose prompt cache can be warmed. It has so many `slots`. `key`
    is what the setting of the key is called, for whoever has to mend it.
    """

    base_url: str
    model: str
    api_key: str = ""
    key: str = "llm.api_key"
    embedded: bool = False
    slots: int = 1


class Patience(msgspec.Struct, frozen=True):
    """How long each stage may take, in s."""

    connect_s: float = 5.0
    first_token_s: float = 30.0
    between_tokens_s: float = 15.0


class Embedded(msgspec.Struct, frozen=True):
    """Run this GGUF model of the store that lies at `store`, on so many threads.

    Empty, or 0: the store, or all cores, of the machine that runs it.
    """

    model: str
    store: str
    threads: int


class LlmPlan(msgspec.Struct, frozen=True, tag="llm"):
    """Ask `endpoint`, or without one the `embedded` model; `fallback` when that does not answer.

    `at_once` requests are sent to an endpoint at the same time, the others wait in order. Without
    it an endpoint gets 32, the embedded model as many as its machine works on with profit.
    """

    embedded: Embedded | None = None
    endpoint: Endpoint | None = None
    fallback: Endpoint | None = None
    at_once: int | None = None
    patience: Patience = Patience()
