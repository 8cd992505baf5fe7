"""The embedded LLM as the gateway sees it: a worker kept alive, and where it listens now."""

from actors.openai_llm import Endpoint
from engine.inference import InferenceError
from engine.process import WorkerCommand
from engine.replica import Replica, State

MODEL = "qwen2.5-0.5b"


class EmbeddedLLM:
    """llama.cpp in a process of its own. Give `endpoint` to `OpenAIChat`.

    When it dies requests find out by themselves: the connection breaks, or `endpoint` waits.
    """

    def __init__(self, command: WorkerCommand) -> None:
        self._replica = Replica("llm", command)

    async def start(self) -> None:
        """Begin to start it; `ready` waits for it."""
        self._replica.start()

    async def ready(self) -> None:
        """Wait for the model. Raises `InferenceError` with the reason when it cannot be loaded."""
        await self._replica.ready()

    async def close(self) -> None:
        """Stop it. Idempotent."""
        await self._replica.close()

    @property
    def state(self) -> State:
        return self._replica.state

    @property
    def error(self) -> InferenceError | None:
        """Why it is not ready, if it failed."""
        return self._replica.error

    @property
    def restarts(self) -> int:
        return self._replica.restarts

    @property
    def pid(self) -> int | None:
        """The worker's process id, while there is one."""
        return self._replica.worker.pid if self._replica.worker else None

    async def endpoint(self) -> Endpoint:
        """Where it listens. Waits for a restart; raises if none can help."""
        await self._replica.up()
        worker = self._replica.worker
        if worker is None:
            raise InferenceError("worker_lost", "the embedded LLM died just now: ask again")
        detail = worker.detail
        return Endpoint(detail["base_url"], MODEL, detail["api_key"], embedded=True)
