"""A worker process that stands for a Ray actor, `python a_ray_worker.py SOCKET ADDRESS PLACE`.

The actor has the obedient model of `tests.engine.a_worker`.
"""

import sys
from functools import partial

from actors.ray_worker import engage
from engine.child import become_child
from engine.worker import serve_connections
from tests.engine.a_worker import load

if __name__ == "__main__":
    become_child("voiceforge-test", planned=True)
    _, socket_path, address, place = sys.argv
    serve_connections("test", socket_path, partial(engage, "test", address, int(place), {}, load))
