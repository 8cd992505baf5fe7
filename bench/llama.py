"""The embedded LLM, in a process of its own, for the peer to talk to.

`python -m bench.llama FILE` writes `{"base_url": ..., "api_key": ...}` to FILE once it answers.
"""

import os
import sys
import threading
from pathlib import Path

import msgspec

from actors.llama import Llama
from actors.store import Store
from actors.workers import MODELS
from engine.child import become_child

SLOTS = 4  # llama.cpp's own default: the peer has no queue before it


def main() -> None:
    become_child("bench-llama")
    llama = Llama(Store().path(MODELS["llm"]), threads=os.cpu_count() or 1, at_once=SLOTS)
    tell = Path(sys.argv[1])
    part = tell.with_suffix(".part")
    part.write_bytes(msgspec.json.encode({"base_url": llama.base_url, "api_key": llama.api_key}))
    part.rename(tell)  # whole or not at all
    threading.Event().wait()


if __name__ == "__main__":
    main()
