"""aiortc's ICE, DTLS, SCTP and SDP, without its media.

To `import aiortc` is to load PyAV, whose wheel carries x264: that is GPL, and shares no process
with us. What carries packets needs nothing of it but one name in a type hint. So these modules
are a copy of our own, loaded beside the package: whoever imports aiortc itself gets all of it, and
another one.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiortc import (
        rtcdatachannel,
        rtcdtlstransport,
        rtcicetransport,
        rtcsctptransport,
        rtp,
        sdp,
    )

__all__ = [
    "rtcdatachannel",
    "rtcdtlstransport",
    "rtcicetransport",
    "rtcsctptransport",
    "rtp",
    "sdp",
]

PACKAGE, MEDIA = "aiortc", "av"


def loaded() -> dict[str, ModuleType]:
    """The modules, by the names in `__all__`. Raises `ImportError`."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError(f"WebRTC needs the package {PACKAGE}, which is not installed")
    bare, media = ModuleType(PACKAGE), ModuleType(MEDIA)
    bare.__path__ = list(spec.submodule_search_locations)
    vars(media)["AudioFrame"] = object
    aside = taken_out()
    sys.modules |= {PACKAGE: bare, MEDIA: media}
    try:
        return {name: import_module(f"{PACKAGE}.{name}") for name in __all__}
    finally:
        taken_out()
        sys.modules |= aside


def taken_out() -> dict[str, ModuleType]:
    """What is loaded of the package, and PyAV: it is in the table of modules no more."""
    names = [n for n in sys.modules if n in (PACKAGE, MEDIA) or n.startswith(f"{PACKAGE}.")]
    return {name: sys.modules.pop(name) for name in names}


if not TYPE_CHECKING:
    globals().update(loaded())
