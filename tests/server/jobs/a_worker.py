"""A process that takes jobs, writes their ids to its standard output, and never ends one:
`python -m tests.server.jobs.a_worker URL`.
"""

import asyncio
import sys

from server.jobs.kinds import Kind, Report, Result
from server.jobs.runner import Runner
from storage.database import Database
from storage.jobs import Job


async def hold(job: Job, report: Report) -> Result:
    print(job.id, flush=True)
    await asyncio.Event().wait()
    return None


async def main(url: str) -> None:
    async with Database(url) as database:
        await Runner(database, {"bake": Kind(hold)}).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
