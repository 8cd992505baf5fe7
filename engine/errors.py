"""What a client can get wrong."""


class RequestError(Exception):
    """A client asked for something that cannot be done now; `code` and `param` as in `Failure`."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param
