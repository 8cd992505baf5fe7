"""The whole server with its models on a Ray cluster, of which a node is lost while it speaks."""

import asyncio
import base64
import json
import signal

import pytest

from tests.ray_cluster import RayCluster, actors_of
from tests.server.program import Server
from tests.server.wire import Wire, connected, failure, typed, until

MODELS = 5  # stt, turn, tts, tts:1, llm


@pytest.mark.long
@pytest.mark.models
async def test_a_node_is_lost_in_the_middle_of_an_answer() -> None:
    with RayCluster() as cluster:
        doomed = cluster.add()
        where = {"PLACEMENT": "ray", "RAY_ADDRESS": cluster.address, "TTS": "2"}
        environ = {f"VOICEFORGE_WORKERS__{key}": value for key, value in where.items()}
        with Server(**environ, **cluster.environment()) as server:
            await asyncio.to_thread(server.until_ready)
            on_nodes = [len(actors_of(node)) for node in cluster.nodes]
            assert sorted(on_nodes) == [2, 3]

            async with connected(server, max_output_tokens=60) as wire:
                await wire.send(typed("Tell me a long story about a lighthouse."))
                await wire.send({"type": "response.create"})
                audio_bytes = len(await delta(wire))
                while audio_bytes < 3 * 48_000:  # by then all its words have been written
                    audio_bytes += len(await delta(wire))
                cluster.lose(doomed)
                response = (await wire.until("response.done"))["response"]
                assert response["status"] in ("completed", "incomplete"), response
                assert failure(response) is None

                async def all_are_back() -> bool:
                    _, text = await asyncio.to_thread(server.get, "/v1/system")
                    workers: list[dict[str, str]] = json.loads(text)["workers"]
                    up = [worker for worker in workers if worker["state"] == "ready"]
                    return len(up) == MODELS and all(worker["node"] for worker in up)

                await until(all_are_back, 90)
                assert len(actors_of(cluster.nodes[0])) == MODELS
                assert (await wire.ask("What is the capital of France?"))["output"]
            server.signal(signal.SIGTERM)
            assert await asyncio.to_thread(server.wait, 30) == 0

            async def gone() -> bool:
                return actors_of(cluster.nodes[0]) == []

            await until(gone, 20)


async def delta(wire: Wire) -> bytes:
    """The next of the agent's speech: 24 kHz, 16 bits."""
    return base64.b64decode((await wire.until("response.output_audio.delta"))["delta"])
