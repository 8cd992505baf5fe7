"""How many answers the embedded LLM should make at once: measured as it starts.

A token costs the reading of all weights and some arithmetic. Where the reading takes longer, a
second answer beside the first is free. Where the arithmetic does, two together make each other
slow, and are heard sooner one after the other. Which it is depends on the machine. Milliseconds
from token to token on two cores (`python -m bench.tokens`): 23 of one answer and 48 of two at once
on an AMD EPYC; 50 and 48 on an Intel Xeon, where eight callers' answers came after 2.5 s instead of
4.4 (median, `bench.callers --callers 8 --sides ours` with `llm.at_once` 2 and 1).
"""

import json
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

WORTH = 1.5
"""Twice as many at once are worth it if a token then takes less than so many times as long: a third
more in all, for a little more patience of each."""

ROUNDS = 3
TOKENS = 6
"""Some two seconds at 50 ms a token. Other models load meanwhile: only the best round counts."""

PATIENCE_S = 60.0

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""It is on loopback, whatever proxy the environment names."""


def best_at_once(step_ms: Callable[[int], float], most: int) -> int:
    """The number of answers to make at once, up to `most`.

    `step_ms(n)` tells how long it takes from token to token while `n` are made.
    """
    best = 1
    alone = step_ms(1)
    while 2 * best <= most:
        together = step_ms(2 * best)
        if together >= WORTH * alone:
            break
        best, alone = 2 * best, together
    return best


def measured(base_url: str, api_key: str, most: int) -> int:
    """`best_at_once` of the llama.cpp at `base_url`, which takes `most` at a time."""
    with ThreadPoolExecutor(most) as threads:

        def step_ms(count: int) -> float:
            rounds = []
            for _ in range(ROUNDS):
                asked = [threads.submit(_step_ms, base_url, api_key) for _ in range(count)]
                rounds.append(max(answer.result() for answer in asked))
            return min(rounds)

        _step_ms(base_url, api_key)  # reads the prompt, for all that follow
        return best_at_once(step_ms, most)


def settle(base_url: str, api_key: str, slots: int) -> None:
    """Use the slots one after the other, so that it is known which has been idle for longest."""
    for slot in range(slots):
        _step_ms(base_url, api_key, slot)


def _step_ms(base_url: str, api_key: str, slot: int = -1) -> float:
    """The time from token to token of one short answer, as llama.cpp tells it."""
    chat = {
        "messages": [{"role": "user", "content": "Hi."}],
        "max_tokens": TOKENS,
        "ignore_eos": True,
        "id_slot": slot,  # -1 leaves the choice to it
    }
    request = urllib.request.Request(
        f"{base_url}/chat/completions",
        json.dumps(chat).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {api_key}"},
    )
    with _direct.open(request, timeout=PATIENCE_S) as answer:
        return float(json.load(answer)["timings"]["predicted_per_token_ms"])
