"""Reads accounts' secrets, for what this server does with them."""

from collections.abc import Collection

from server.outbound.sealing import Sealing
from storage import secrets
from storage.database import Connection, Database
from storage.errors import Missing


class Vault:
    """The secrets in the database, and the key that opens them."""

    def __init__(self, database: Database, sealing: Sealing) -> None:
        self._database = database
        self._sealing = sealing

    async def names(self, account_id: str) -> set[str]:
        """Which there are. Raises `StorageError`."""
        listed = await self._database.run(lambda c: secrets.listed(c, account_id))
        return {secret.name for secret in listed}

    async def opened(self, account_id: str, names: Collection[str]) -> dict[str, str]:
        """Those of these names that there are. Raises `StorageError`."""
        if not names:
            return {}

        async def read(connection: Connection) -> dict[str, bytes]:
            found: dict[str, bytes] = {}
            for name in names:
                try:
                    found[name] = await secrets.get(connection, account_id, name)
                except Missing:  # it was deleted since: what needs it says so
                    continue
            return found

        sealed = await self._database.run(read)
        return {name: self._sealing.open(box, account_id, name) for name, box in sealed.items()}
