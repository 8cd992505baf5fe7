"""Which VoiceForge this is."""

import importlib.metadata

try:
    VERSION = importlib.metadata.version("voiceforge")
except importlib.metadata.PackageNotFoundError:  # run from a source tree that is not installed
    VERSION = "0+source"
