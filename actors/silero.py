"""Silero VAD: how likely is each window of sound to hold speech (Silero Team, MIT).

The network is recurrent, and every stream has its own memory. It lies outside of the model, so that
one call can serve the windows of many streams.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actors.onnx_session import session

FILE = "silero_vad.onnx"


class Silero:
    """One single-threaded ONNX session, for as many streams as there are.

    A window is 32 ms at 16 kHz. The network also wants the 4 ms before it (`CONTEXT_SAMPLES`),
    which are zero for a stream's first window; so is the memory.
    """

    RATE_HZ = 16_000
    WINDOW_SAMPLES = 512
    CONTEXT_SAMPLES = 64
    MEMORY = 128

    def __init__(self, folder: Path) -> None:
        self._session = session(folder / FILE, threads=1)
        self._rate = np.array(self.RATE_HZ, np.int64)

    def probabilities(
        self, windows: NDArray[np.float32], memory: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Probabilities of speech [n], 0-1, and the streams' new memory [2, n, 128].

        `windows` is [n, 64 + 512], each in -1..1 with its context in front; `memory` is what the
        previous call gave for the same streams.
        """
        if windows.shape[1] != self.CONTEXT_SAMPLES + self.WINDOW_SAMPLES:
            raise ValueError(
                f"windows have {windows.shape[1]} samples: Silero takes 64 of context and 512 new"
            )
        feed = {"input": windows, "state": memory, "sr": self._rate}
        probabilities, after = self._session.run(None, feed)
        return probabilities[:, 0], after
