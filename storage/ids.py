"""Names of records: what it is, and 100 random bits."""

import secrets

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: nothing looks like something else."""

LETTERS = 20


def new_id(kind: str) -> str:
    """Such as `acc_7h3k…` for the kind `acc`."""
    return f"{kind}_" + "".join(secrets.choice(ALPHABET) for _ in range(LETTERS))
