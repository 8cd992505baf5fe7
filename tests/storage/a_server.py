"""An embedded PostgreSQL for as long as standard input is open: its address on standard output."""

import asyncio
import logging
import os
import sys
from pathlib import Path

from storage.embedded import EmbeddedPostgres
from storage.errors import StorageError


async def main(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    try:
        await server.start()
    except StorageError as error:
        print(f"error {error}", flush=True)
        return
    print(f"{server.url} {server.pid}", flush=True)
    ended = asyncio.create_task(server.wait())
    closed = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    await asyncio.wait([ended, closed], return_when=asyncio.FIRST_COMPLETED)
    await server.stop()


if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG, format="%(levelname)s %(message)s %(told)s")
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    if len(sys.argv) > 2:  # become an ordinary user
        os.setgroups([])
        os.setgid(int(sys.argv[2]))
        os.setuid(int(sys.argv[2]))
    asyncio.run(main(Path(sys.argv[1])))
