"""The embedded LLM as our server runs it, in a process of its own, for the peer to talk to.

`python -m bench.llama FILE` writes `{"base_url": ..., "api_key": ...}` to FILE once it answers.
"""

import os
import sys
import threading
from pathlib import Path

import msgspec

from actors.embedded_llm import MODEL
from actors.llama import Llama
from actors.store import Store
from engine.child import become_child


def main() -> None:
    become_child("bench-llama")
    llama = Llama(Store().path(MODEL), threads=os.cpu_count() or 1)
    tell = Path(sys.argv[1])
    part = tell.with_suffix(".part")
    part.write_bytes(msgspec.json.encode(llama.detail))
    part.rename(tell)  # whole or not at all
    threading.Event().wait()


if __name__ == "__main__":
    main()
