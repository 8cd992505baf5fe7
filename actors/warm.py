"""What models that listen warm up with."""

import numpy as np

A_SECOND = np.random.default_rng(0).normal(0, 1000, 16_000).astype(np.int16).tobytes()
"""Of noise at 16 kHz and -30 dBFS: about silence they are not asked."""
