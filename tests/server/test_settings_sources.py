"""Where settings come from, and what is said when they are wrong."""

from pathlib import Path

import pytest

from server.settings import Secret
from server.settings_sources import Given, Loaded, SettingsError, described, load


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No voiceforge.toml of the developer's plays a part."""
    monkeypatch.chdir(tmp_path)


def read(
    toml: str = "",
    environ: dict[str, str] | None = None,
    options: dict[str, Given] | None = None,
    tmp_path: Path | None = None,
) -> Loaded:
    path = Path("some.toml")
    path.write_text(toml)
    return load(options, config=path, environ=environ or {})


def refusal(toml: str = "", environ: dict[str, str] | None = None) -> str:
    with pytest.raises(SettingsError) as raised:
        read(toml, environ)
    return str(raised.value)


def test_without_any_source_the_defaults_stand() -> None:
    settings = load(environ={}).settings
    assert (settings.host, settings.port, settings.offline) == ("127.0.0.1", 8000, False)
    assert settings.limits.reconnect_grace_s == 60
    assert settings.limits.max_sessions is None
    assert settings.llm.base_url is None


def test_each_later_source_wins() -> None:
    toml = "port = 1\nhost = 'a'\n[log]\nlevel = 'debug'"
    environ = {"VOICEFORGE_PORT": "2", "VOICEFORGE_LOG__LEVEL": "error"}
    loaded = read(toml, environ, {"port": Given(3, "--port")})
    assert (loaded.settings.host, loaded.settings.port) == ("a", 3)
    assert loaded.settings.log.level == "error"
    assert loaded.sources == {
        "host": "some.toml",
        "port": "--port",
        "log.level": "VOICEFORGE_LOG__LEVEL",
    }


def test_the_file_in_the_working_folder_is_read_unless_another_is_named() -> None:
    Path("voiceforge.toml").write_text("port = 7")
    Path("other.toml").write_text("port = 8")
    assert load(environ={}).settings.port == 7
    assert load(environ={"VOICEFORGE_CONFIG": "other.toml"}).settings.port == 8
    assert load(config=Path("voiceforge.toml"), environ={"VOICEFORGE_CONFIG": "x"}).settings.port


@pytest.mark.parametrize(
    ("toml", "environ", "says"),
    [
        ("prot = 1", {}, ["some.toml", "'prot'", "allowed: host, port, models"]),
        ("[limits]\nmax = 1", {}, ["some.toml", "'limits.max'", "max_sessions"]),
        ("port = 'x'", {}, ["some.toml", 'port = "x"', "0-65535"]),
        ("port = 70000", {}, ["some.toml", "port = 70000", "0-65535"]),
        ("port = true", {}, ["port = true", "0-65535"]),
        ("offline = 'yes'", {}, ['offline = "yes"', "true or false"]),
        ("limits = 3", {}, ["limits = 3", "a table [limits]"]),
        ("port = ", {}, ["some.toml", "not valid TOML"]),
        ("[log]\nlevel = 'loud'", {}, ['log.level = "loud"', "debug, info, warning or error"]),
        ("", {"VOICEFORGE_PORT": "x"}, ["VOICEFORGE_PORT", 'port = "x"', "0-65535"]),
        ("", {"VOICEFORGE_PROT": "1"}, ["VOICEFORGE_PROT", "VOICEFORGE_PORT"]),
        ("", {"VOICEFORGE_LIMITS__MAX_SESSIONS": "0"}, ["limits.max_sessions", "1 or more"]),
        ("", {"VOICEFORGE_LLM__BASE_URL": "localhost"}, ["llm.base_url", "http://"]),
        ("[llm]\nbase_url = 'http://x/v1'", {}, ["without a model", "VOICEFORGE_LLM__MODEL"]),
    ],
)
def test_a_mistake_is_named_with_its_place_its_value_and_what_is_allowed(
    toml: str, environ: dict[str, str], says: list[str]
) -> None:
    told = refusal(toml, environ)
    assert [part for part in says if part not in told] == []


def test_a_named_file_that_is_not_there_is_an_error() -> None:
    with pytest.raises(SettingsError, match=r"none\.toml: cannot be read"):
        load(config=Path("none.toml"), environ={})


def test_an_empty_variable_counts_as_not_set() -> None:
    assert read("port = 5", {"VOICEFORGE_PORT": ""}).settings.port == 5


def test_a_variable_may_hold_a_number_and_a_truth() -> None:
    environ = {"VOICEFORGE_OFFLINE": "true", "VOICEFORGE_LIMITS__DRAIN_S": "2.5"}
    settings = read("", environ).settings
    assert settings.offline is True
    assert settings.limits.drain_s == 2.5


def test_a_secret_is_used_but_never_shown() -> None:
    loaded = read("[llm]\napi_key = 'sk-verysecret'", {"VOICEFORGE_PORT": "9"})
    key = loaded.settings.llm.api_key
    assert key is not None
    assert key.reveal() == "sk-verysecret"
    assert "verysecret" not in described(loaded) + repr(loaded) + str(key)
    assert 'api_key = "(hidden)"  # some.toml' in described(loaded)
    assert "port = 9  # VOICEFORGE_PORT" in described(loaded)


@pytest.mark.parametrize("toml", ["api_key = 12345678", "base_url = 'http://me:12345678@x/v1'"])
def test_a_secret_that_is_refused_is_not_shown_either(toml: str) -> None:
    assert "12345678" not in refusal(f"[llm]\n{toml}")


def test_secrets_compare_by_what_they_hide() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a")}) == 1


def test_every_setting_takes_its_default_or_a_value_of_its_own() -> None:
    toml = """
        models = "/m"
        hub = "https://hub.example"
        threads = 4
        [llm]
        base_url = "http://x/v1"
        model = "m"
        [limits]
        max_sessions = 3
    """
    settings = read(toml).settings
    assert (settings.models, settings.hub, settings.threads) == ("/m", "https://hub.example", 4)
    assert (settings.llm.base_url, settings.llm.model) == ("http://x/v1", "m")
    assert settings.limits.max_sessions == 3


def test_networks_that_may_be_called_are_checked_at_once() -> None:
    assert read("outbound.allow = '127.0.0.1,10.0.0.0/8'").settings.outbound.allow
    told = refusal(environ={"VOICEFORGE_OUTBOUND__ALLOW": "10.0.0.1/8"})
    assert told == "VOICEFORGE_OUTBOUND__ALLOW: outbound.allow: 10.0.0.1/8 has host bits set"
