"""What becomes of a session after its end: a job has the LLM make its digest."""

import logging

import msgspec

from engine.inference import InferenceError
from engine.meter import Meter
from engine.services import Llm
from server.access.caller import Caller
from server.agents.config import AgentConfig
from server.agents.digest import Made, Undigested, digest
from server.agents.llms import Llms, keys_of
from server.jobs.kinds import GiveUp, Kind, Report, Result, TryAgain
from server.metering.collector import Collector
from server.vault import Vault
from server.webhooks import publish
from storage import agents, digests, jobs, sessions, turns
from storage.database import Connection, Database
from storage.errors import Missing
from storage.jobs import Job
from storage.sessions import Session
from storage.turns import Turn

log = logging.getLogger(__name__)

KIND = "digest"
MOST_ATTEMPTS = 8
"""The last of them some ten minutes after the first."""


class Payload(msgspec.Struct, frozen=True):
    """Of which session a digest is to be made."""

    session_id: str


async def order(connection: Connection, ended: Session) -> None:
    """Have its digest made, if its agent wants one."""
    config = await config_of(connection, ended)
    if config is not None and config.afterwards is not None:
        payload = msgspec.structs.asdict(Payload(ended.id))
        await jobs.create(connection, ended.account_id, KIND, payload, most_attempts=MOST_ATTEMPTS)


async def config_of(connection: Connection, session: Session) -> AgentConfig | None:
    """That of the agent that answered in it, as it was then; None if none did, it is gone, or it
    was kept by another version of this server and means nothing to this one.
    """
    if not session.agent_id:
        return None
    try:
        agent = await agents.get(
            connection, session.agent_id, session.account_id, session.agent_version
        )
    except Missing:
        return None
    try:
        return msgspec.convert(agent.config, AgentConfig)
    except msgspec.ValidationError:  # whose text may quote it
        extra = {"agent": agent.id, "version": agent.version}
        log.error("an agent's config cannot be read: it gets no digests", extra=extra)
        return None


class Digests:
    """Makes them. `llm` is the server's, `llms` are the agents'; what is used is the session's."""

    def __init__(
        self, database: Database, vault: Vault, llm: Llm, llms: Llms, collector: Collector
    ) -> None:
        self._database = database
        self._vault = vault
        self._llm = llm
        self._llms = llms
        self._collector = collector

    def kind(self) -> Kind:
        """How such jobs are done."""
        return Kind(self.make)

    async def make(self, job: Job, report: Report) -> Result:
        """Make one."""
        payload = msgspec.convert(job.payload, Payload)
        try:
            session, said, config = await self._database.run(
                lambda c: self._read(c, payload.session_id, job.account_id)
            )
        except Missing as error:
            raise GiveUp("the session was deleted") from error
        if config is None or config.afterwards is None:
            raise GiveUp("the agent was deleted")
        secrets = await self._vault.opened(session.account_id, keys_of(config.llm))
        llm = self._llms.mind(config.llm, secrets)(self._llm)
        made = await self._made(session, said, config.afterwards.extract, llm)

        async def keep(connection: Connection) -> None:
            if not await digests.put(connection, session.id, made.summary, made.extracted):
                raise GiveUp("the session was deleted")
            told = {"session_id": session.id, **msgspec.structs.asdict(made)}
            await publish(connection, session.account_id, "session.summary", told)

        await self._database.once(keep)
        return {"session_id": session.id}

    async def _read(
        self, connection: Connection, session_id: str, account_id: str
    ) -> tuple[Session, list[Turn], AgentConfig | None]:
        session = await sessions.get(connection, session_id, account_id)
        said = await turns.of(connection, session_id)
        return session, said, await config_of(connection, session)

    async def _made(
        self, session: Session, said: list[Turn], extract: dict[str, object] | None, llm: Llm
    ) -> Made:
        meter = Meter()
        whose = Caller(session.account_id, session.key_id)
        self._collector.began(session.id, meter, whose, session.agent_id)
        try:
            return await digest(said, extract, meter.watch(*llm))
        except Undigested as error:
            raise GiveUp(str(error)) from error
        except InferenceError as error:
            raise TryAgain(str(error)) from error
        finally:
            self._collector.ended(meter)
