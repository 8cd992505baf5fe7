"""Decoders that talk to themselves: what they repeat again and again was said once."""


def repeated(ids: list[int]) -> int:
    """How many ids at the end only repeat what stands before them: more than anybody says.

    One token six times, or a longer phrase four times; the first time is kept. People do say "no,
    no, no, no" and "five five five", so fewer repetitions may be true.
    """
    for period in range(1, len(ids) // 4 + 1):
        run = 0
        while run + period < len(ids) and ids[-1 - run] == ids[-1 - run - period]:
            run += 1
        if run >= period * (5 if period == 1 else 3):
            return run
    return 0
