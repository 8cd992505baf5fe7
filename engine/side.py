"""Out-of-band responses: beside the conversation, without the floor and without the history."""

from collections.abc import Callable

from engine.frames import Frame
from engine.generation import Generation
from engine.history import History
from engine.inference import Priority
from engine.meter import Meter
from engine.outlet import Outlet
from engine.pipeline import Pipeline
from engine.prompt import prompt_of
from engine.services import Services
from engine.settings import ResponseRequest, SessionSettings
from engine.transport import Transport


class Side:
    """One out-of-band response: a small pipeline of its own, closed when the response has ended."""

    def __init__(
        self,
        number: int,
        request: ResponseRequest,
        settings: SessionSettings,
        history: History,
        services: Services,
        meter: Meter,
        transport: Transport,
        send: Callable[[Frame], None],
        failed: Callable[[BaseException], None],
        ended: Callable[["Side"], None],
    ) -> None:
        self._ended = ended
        self._outlet = Outlet(services.clock, transport, None, self, send, failed)
        answering = services.voice(
            meter.watch_answers(lambda: self._outlet.generation), services.mind, services.tongue
        )
        self._pipeline = Pipeline([*answering, self._outlet], failed)
        self._generation = Generation(number, request, settings)
        self._prompt = prompt_of(
            self._generation,
            settings,
            history,
            None,
            None,
            Priority.AHEAD,
            transport.rate_hz,
        )

    @property
    def response_id(self) -> str:
        """The id of its response."""
        return self._generation.response_id

    def start(self) -> None:
        """Begin."""
        self._pipeline.start()
        self._outlet.open(self._generation)
        self._outlet.release()
        self._pipeline.receive(self._prompt)

    def cancel(self) -> None:
        """End it here."""
        self._outlet.cut("client_cancelled")
        self.close()
        self._ended(self)

    def close(self) -> None:
        """Stop everything now."""
        self._pipeline.close()

    # ---- what the reply tells ----------------------------------------------------------------

    def ready(self, generation: int) -> None:
        """It goes out at once."""

    def audible(self, generation: int) -> None:
        """Nobody waits to know."""

    def finished(self, generation: int) -> None:
        self.close()
        self._ended(self)
