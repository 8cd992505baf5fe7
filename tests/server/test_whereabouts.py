"""How `voiceforge` finds the server of its machine."""

from pathlib import Path

from server.whereabouts import found, told


def test_it_is_said_as_long_as_the_server_runs(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with told(folder, "http://127.0.0.1:9000"):
        assert found(folder) == "http://127.0.0.1:9000"
    assert found(folder) is None


def test_where_nothing_can_be_written_the_server_runs_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "no folder"
    file.touch()
    with told(file, "http://127.0.0.1:9000"):
        assert found(file) is None


def test_who_came_meanwhile_is_still_found(tmp_path: Path) -> None:
    with told(tmp_path, "http://127.0.0.1:9000"), told(tmp_path, "http://127.0.0.1:9001"):
        pass
    with told(tmp_path, "http://127.0.0.1:9000"):
        other = told(tmp_path, "http://127.0.0.1:9001")
        other.__enter__()
    assert found(tmp_path) == "http://127.0.0.1:9001"
