"""The embedded LLM: llama.cpp (xllamacpp, MIT) serving chat completions on loopback.

It is asked over HTTP, so that it is reached as any other LLM is.
"""

import secrets
from pathlib import Path

import xllamacpp

from actors.abreast import measured, settle
from actors.answer import LONGEST_ANSWER_TOKENS
from engine.inference import InferenceError

ENVIRONMENT = {"GOMP_SPINCOUNT": "1000"}
"""For the process that runs it. Its OpenMP threads meet at a barrier many times a token. One that
spins there for long, while the other waits for a core that STT or TTS has taken, makes everybody
slow; one that sleeps at once is slow on an idle machine. Median tokens/s on 2 cores, quiet (two
runs of five) and contended (one): without end 35 and 2, 1000 spins 27-34 and 17, none 22-23 and 21.
"""

CONTEXT_TOKENS = 4096
"""Of each answer being made, at 6.5 kB a token: what `actors.recent` leaves of a conversation, and
the longest answer. One alone gets twice that: its instructions may be long."""

FEW_THREADS = 8
FEW_ABREAST, ABREAST = 2, 4
"""The most answers that are made at once, up to `FEW_THREADS` and beyond: how many is measured as
it starts (`actors.abreast`)."""

_CACHE_TYPE = xllamacpp.ggml_type.GGML_TYPE_Q8_0
"""97 MB less than 16-bit floats; 8 answers came at 41-45 tokens a second, with those at 42-46."""

_SAME_PROMPT = 1.0
"""No slot is taken for what it shares with a prompt: with callers of one agent that is often only
the instructions, and what it knew of another conversation would be lost. `actors.slots` chooses."""

PROMPT_CACHE_MIB = 64
"""Of parked prompts: 10,000 tokens, eight spoken conversations (`actors.recent`) with up to 500
tokens of instructions each. What was parked longest goes first; such a conversation is read again,
for seven seconds a thousand tokens on 2 cores."""

_BATCH_TOKENS = 64
"""Between batches llama.cpp looks for cancelled and new requests. At 150 tokens a second, 64 make
that 0.4 s instead of the length of the prompt. What it costs was measured on a busy machine only.
"""


TEMPERATURE = 0.1
"""For requests that name none: at llama.cpp's 0.8 a model of this size makes things up."""


class Llama:
    """A running model. It answers at `base_url` to who knows `api_key`, until the process ends."""

    def __init__(self, folder: Path, threads: int, at_once: int | None = None) -> None:
        """Load the GGUF in `folder`, run it and listen. Takes some seconds, most of them to
        measure unless `at_once` is given.

        `at_once`: how many answers to work on at a time; None for what this machine does best.
        """
        self.api_key = secrets.token_urlsafe(24)
        self.slots = at_once or (FEW_ABREAST if threads <= FEW_THREADS else ABREAST)
        self._server = xllamacpp.Server(
            _parameters(_weights(folder), threads, self.slots, self.api_key)
        )
        self.base_url = f"{self._server.listening_address}/v1"
        self.at_once = at_once or measured(self.base_url, self.api_key, self.slots)
        settle(self.base_url, self.api_key, self.slots)


def _weights(folder: Path) -> Path:
    found = sorted(folder.glob("*.gguf"))
    if not found:
        raise InferenceError(
            "model_missing", f"no .gguf file in {folder}: run `voiceforge models pull`"
        )
    return found[0]


def _parameters(weights: Path, threads: int, slots: int, key: str) -> xllamacpp.CommonParams:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights)
    parameters.n_parallel = slots
    parameters.n_ctx = CONTEXT_TOKENS * max(2, slots)
    parameters.cache_type_k = _CACHE_TYPE
    parameters.cache_type_v = _CACHE_TYPE
    parameters.kv_unified = True
    parameters.cache_idle_slots = slots > 1
    parameters.fit_params = False  # the sizes above fit; probing for better ones costs start-up
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    parameters.n_predict = LONGEST_ANSWER_TOKENS
    parameters.sampling.temp = TEMPERATURE
    parameters.n_batch = _BATCH_TOKENS
    parameters.n_ubatch = _BATCH_TOKENS
    parameters.slot_prompt_similarity = _SAME_PROMPT
    parameters.cache_ram_mib = PROMPT_CACHE_MIB
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.api_keys = [key]
    parameters.n_threads_http = slots + 4  # a stream holds one, also for a while when it is cut
    parameters.ui = False
    parameters.endpoint_slots = False
    parameters.verbosity = -1  # its log would show prompts
    return parameters
