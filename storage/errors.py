"""What can go wrong with the records."""


class StorageError(Exception):
    """The database cannot be used; the text says why, and what to do."""


class Unavailable(StorageError):
    """It does not answer now, and may soon."""


class Unfit(StorageError):
    """A value cannot be kept, such as a text with a NUL."""


class ExtensionMissing(StorageError):
    """The server lacks what one feature needs. The text says what to install."""


class TooMany(StorageError):
    """There are as many of these records as there may be."""


class Missing(StorageError):
    """There is no such record, or it is another account's."""
