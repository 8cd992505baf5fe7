"""What it costs the embedded LLM to answer several at once: `python -m bench.tokens`.

So many answers are made at the same time, again and again in turn; the table has the time from one
token of an answer to its next, and the tokens of all answers a second. Where the second hardly
grows, answers that are made one after the other are heard sooner, and none later.
"""

import argparse
import asyncio
import os
import statistics
import time
from collections import defaultdict

from actors.llama import Llama
from actors.llm_plan import Endpoint
from actors.openai_llm import OpenAIChat
from actors.store import Store
from actors.workers import MODELS
from engine.capabilities import Chat, ChatMessage
from engine.inference import Priority

MOST = 4
TOKENS = 60


async def _answer(llm: OpenAIChat, subject: str) -> list[float]:
    """When each of its tokens came, in s."""
    asked = ChatMessage("user", f"Tell a long story about {subject}.")
    chat = Chat((asked,), max_tokens=TOKENS, temperature=0.8)
    request = llm.request(chat, priority=Priority.FIRST, deadline_ms=10_000)
    return [time.perf_counter() async for delta in request if delta.text]


def _step_ms(answers: list[list[float]]) -> float:
    """From token to token, while all answer."""
    begin, end = max(times[0] for times in answers), min(times[-1] for times in answers)
    tokens = sum(begin < at <= end for times in answers for at in times)
    return len(answers) * (end - begin) / tokens * 1000


async def _measure(llama: Llama, rounds: int) -> dict[int, list[float]]:
    endpoint = Endpoint(llama.base_url, "embedded", llama.api_key, embedded=True)
    llm = OpenAIChat(endpoint, at_once=MOST)
    steps: dict[int, list[float]] = defaultdict(list)
    for number in range(rounds):
        for count in range(1, MOST + 1):
            subjects = [f"the number {number * MOST + place}" for place in range(count)]
            steps[count].append(
                _step_ms(await asyncio.gather(*(_answer(llm, s) for s in subjects)))
            )
    await llm.close()
    return steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    threads = os.cpu_count() or 1
    parser.add_argument("--threads", type=int, default=threads)
    args = parser.parse_args()
    llama = Llama(Store().path(MODELS["llm"]), args.threads, MOST)
    steps = asyncio.run(_measure(llama, args.rounds))
    print(f"{args.threads} threads, medians of {args.rounds} rounds")
    print("answers at once   ms from token to token   tokens a second of all")
    for count, times in steps.items():
        step = statistics.median(times)
        print(f"{count:15}   {step:22.0f}   {count * 1000 / step:22.0f}")


if __name__ == "__main__":
    main()
