"""faster-whisper's batched pipeline, as its README sets it up: `python -m bench.peers.transcriber`.

Paths of recordings come in on standard input, a line each; for each a line of JSON goes out: the
seconds that it took, decoding included, and the text.
"""

import json
import os
import sys
import time

from faster_whisper import BatchedInferencePipeline, WhisperModel

BATCH = 8
"""faster-whisper's own default, and its README's for a CPU."""


def main(folder: str) -> None:
    threads = os.cpu_count() or 1
    model = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=threads)
    pipeline = BatchedInferencePipeline(model=model)
    print("ready", flush=True)
    for line in sys.stdin:
        began = time.perf_counter()
        segments, _ = pipeline.transcribe(line.strip(), language="en", batch_size=BATCH)
        text = " ".join(segment.text.strip() for segment in segments)
        print(json.dumps({"took_s": time.perf_counter() - began, "text": text}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
