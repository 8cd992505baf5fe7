"""Where workers are started, and what leaves this machine for it. No Ray is needed."""

import subprocess
import sys
from pathlib import Path

import pytest

from actors.llm_plan import LlmPlan
from actors.worker_plans import ModelPlan, RayPlan, decoded
from actors.workers import Role
from engine.inference import InferenceError
from engine.process import package_root
from server.commands import Commands
from server.settings import Settings
from server.settings_sources import SettingsError, load
from tests.local import LocalReplica
from tests.server.program import voiceforge

STORE = Path("/store")


def settings(**environ: str) -> Settings:
    return load(environ={f"VOICEFORGE_{key}": value for key, value in environ.items()}).settings


def plan_on_ray(settings: Settings, role: Role = "tts", place: int = 2) -> RayPlan:
    plan = decoded(Commands(settings, STORE).of_role(role, role, place).plan)
    assert isinstance(plan, RayPlan)
    return plan


def test_workers_are_local_unless_that_is_asked_for() -> None:
    command = Commands(settings(), STORE).of_role("tts", "tts", 2)
    plan = decoded(command.plan)
    assert isinstance(plan, ModelPlan)
    assert (plan.model, plan.store) == ("piper-joe", str(STORE))
    assert command.most_bytes is not None


def test_other_languages_are_heard_by_the_whisper_that_is_set() -> None:
    for named, chosen in (({}, "whisper-base"), ({"WORKERS__WHISPER": "./turbo"}, "./turbo")):
        plan = decoded(Commands(settings(**named), STORE).on_demand("whisper", 0).plan)
        assert isinstance(plan, ModelPlan)
        assert plan.model == chosen


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ("piper-joe", "workers.whisper is 'piper-joe', which is no Whisper"),
        ("whisper-huge", "no model 'whisper-huge': the store knows"),
        ("./nothing-there", "nothing-there holds no model.bin"),
    ],
)
def test_a_server_that_is_to_hear_with_what_is_no_whisper_says_so_and_does_not_start(
    named: str, why: str
) -> None:
    ended = voiceforge("serve", "--port", "0", VOICEFORGE_WORKERS__WHISPER=named)
    assert ended.status == 1
    assert why in ended.err


def test_on_a_cluster_each_node_has_its_own_store_unless_the_settings_name_one() -> None:
    plan = plan_on_ray(settings(WORKERS__PLACEMENT="ray"))
    assert (plan.address, plan.place) == ("auto", 2)
    assert plan.env["OMP_NUM_THREADS"] == "1"
    inner = decoded(plan.plan)
    assert isinstance(inner, ModelPlan)
    assert inner.store == ""
    named = plan_on_ray(settings(WORKERS__PLACEMENT="ray", MODELS=str(STORE)))
    inner = decoded(named.plan)
    assert isinstance(inner, ModelPlan)
    assert inner.store == str(STORE)


def test_the_embedded_llm_takes_all_cores_of_its_node() -> None:
    plan = plan_on_ray(settings(WORKERS__PLACEMENT="ray", WORKERS__RAY_ADDRESS="h:1"), "llm", 3)
    inner = decoded(plan.plan)
    assert plan.address == "h:1"
    assert isinstance(inner, LlmPlan)
    assert inner.embedded is not None
    assert inner.embedded.threads == 0
    assert "OMP_NUM_THREADS" not in plan.env


@pytest.mark.parametrize("which", ["LLM", "LLM__FALLBACK"])
def test_who_asks_an_endpoint_stays_here_with_its_key(which: str) -> None:
    endpoint = {f"{which}__BASE_URL": "http://x/v1", f"{which}__MODEL": "m"}
    given = settings(WORKERS__PLACEMENT="ray", **endpoint, **{f"{which}__API_KEY": "secret"})
    assert isinstance(decoded(Commands(given, STORE).of_role("llm", "llm", 3).plan), LlmPlan)


@pytest.mark.parametrize("address", ["ray://h:1", "h", "h:port", "me@h:1"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="host:port"):
        settings(WORKERS__RAY_ADDRESS=address)


def test_nothing_but_a_ray_worker_imports_ray() -> None:
    code = "import sys, server.cli, server.gateway, server.supervisor, actors.workers; "
    subprocess.run(
        [sys.executable, "-c", code + "sys.exit('ray' in sys.modules)"],
        env={"PYTHONPATH": package_root()},
        check=True,
    )


async def refusal(settings: Settings) -> InferenceError:
    """What a worker says that cannot start."""
    replica = LocalReplica("tts", Commands(settings, STORE).of_role("tts", "tts", 0))
    await replica.start()
    try:
        with pytest.raises(InferenceError) as refused:
            await replica.ready()
    finally:
        await replica.close()
    return refused.value


async def test_without_ray_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ray.py").write_text("raise ModuleNotFoundError('not there', name='ray')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    refused = await refusal(settings(WORKERS__PLACEMENT="ray"))
    assert refused.code == "ray_missing"
    assert "pip install 'voiceforge[ray]'" in str(refused)


async def test_a_cluster_that_is_not_there_is_said() -> None:
    away = {"WORKERS__PLACEMENT": "ray", "WORKERS__RAY_ADDRESS": "127.0.0.1:9"}
    refused = await refusal(settings(**away))
    assert refused.code == "ray_unreachable"
    assert "no Ray cluster answers at 127.0.0.1:9" in str(refused)
