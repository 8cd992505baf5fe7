"""All measurements, one after the other: `python -m bench`."""

import subprocess
import sys

PROGRAMS = (
    ("bench.pipeline",),
    ("bench.callers",),
    ("bench.callers", "--callers", "1,2,4,8"),
    ("bench.callers", "--callers", "4,8,16,24,32,40", "--llm", "scripted"),
    ("bench.callers", "--admission", "--llm", "scripted"),
    ("bench.batching",),
    ("bench.fairness",),
    ("bench.scale",),
    ("bench.api",),
    ("bench.knowledge",),
    ("bench.key_terms",),
    ("bench.transcribe",),
    ("bench.speech",),
    ("bench.formats",),
    ("bench.webrtc",),
)


def main() -> int:
    """Run each program in a process of its own; 1 if one failed, though the others still run."""
    failed = [
        program
        for program in PROGRAMS
        if subprocess.run([sys.executable, "-m", *program], check=False).returncode
    ]
    for program in failed:
        print(f"{' '.join(program)} failed", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
