"""Free ports: the usual one, else another, and the same again."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from vidlab.errors import LabFailed
from vidlab.lab import ports as module
from vidlab.lab.ports import Ports, is_free, listen_as_before


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> int:
    """A range of ports that nobody uses, in place of the usual ones; the claims are in a cache of their own."""
    monkeypatch.setenv("VIDLAB_CACHE", str(tmp_path / "cache"))
    base = next(port for port in range(21000, 30000, 50) if all(is_free(port + step) for step in range(20)))
    monkeypatch.setattr(module, "USUAL", {"kafka": base, "redis": base + 10})
    return base


def chosen(file: Path, **pinned: int) -> dict[str, int]:
    with Ports(file, pinned) as ports:
        return ports.chosen


def test_the_usual_port_is_taken_when_it_is_free(base: int, tmp_path: Path) -> None:
    assert chosen(tmp_path / "ports") == {"kafka": base, "redis": base + 10}


def test_another_is_found_when_a_program_holds_it(base: int, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", base)):
        assert chosen(tmp_path / "ports")["kafka"] == base + 1


def test_another_lab_gets_other_ports_before_anything_listens(base: int, tmp_path: Path) -> None:
    with Ports(tmp_path / "one"):
        assert chosen(tmp_path / "two") == {"kafka": base + 1, "redis": base + 11}
    assert chosen(tmp_path / "three") == {"kafka": base, "redis": base + 10}


def test_a_lab_keeps_its_ports(base: int, tmp_path: Path) -> None:
    file = tmp_path / "ports"
    file.write_text(json.dumps({"kafka": base + 5, "redis": base + 15}))
    assert chosen(file) == {"kafka": base + 5, "redis": base + 15}


def test_it_is_told_why_a_port_is_not_the_usual_one(base: int, tmp_path: Path) -> None:
    file = tmp_path / "ports"
    with socket.create_server(("127.0.0.1", base)), Ports(file, {"redis": base + 7}) as ports:
        assert ports.reasons == {"kafka": f"{base} is taken", "redis": "as you set it"}
    with Ports(file) as ports:
        assert ports.reasons == {"kafka": "as before", "redis": ""}


def test_a_file_that_was_spoilt_is_ignored(base: int, tmp_path: Path) -> None:
    (tmp_path / "ports").write_text("[")
    assert chosen(tmp_path / "ports")["kafka"] == base


def test_a_pinned_port_is_kept_though_it_is_taken(base: int, tmp_path: Path) -> None:
    pinned = {"kafka": base + 3}
    with socket.create_server(("127.0.0.1", base + 3)), Ports(tmp_path / "ports", pinned) as ports:
        assert ports.chosen["kafka"] == base + 3
        assert ports.taken == {"kafka"}


def test_a_lab_returns_to_its_own_port_when_one_is_no_longer_pinned(base: int, tmp_path: Path) -> None:
    chosen(tmp_path / "ports")
    chosen(tmp_path / "ports", redis=base + 7)
    assert chosen(tmp_path / "ports") == {"kafka": base, "redis": base + 10}


def listening(file: Path) -> int:
    with listen_as_before(file, "control") as listener:
        return int(listener.getsockname()[1])


def test_a_listener_is_where_it_was_before_unless_that_is_taken(base: int, tmp_path: Path) -> None:
    file = tmp_path / "ports"
    servers = chosen(file)
    first = listening(file)
    assert listening(file) == first
    assert chosen(file) == servers, "those of the servers are kept beside it"
    with socket.create_server(("127.0.0.1", first)):
        second = listening(file)
    assert second != first
    assert listening(file) == second


@pytest.mark.parametrize("port", [-1, 99999])
def test_a_kept_port_that_cannot_be_is_replaced(tmp_path: Path, port: int) -> None:
    (tmp_path / "ports").write_text(json.dumps({"control": port}))
    assert listening(tmp_path / "ports") > 0


def test_no_other_server_gets_a_pinned_port(base: int, tmp_path: Path) -> None:
    assert chosen(tmp_path / "ports", redis=base) == {"kafka": base + 1, "redis": base}


def test_labs_with_different_folders_for_scratch_files_meet(
    base: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Ports(tmp_path / "one"):
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        monkeypatch.setattr("tempfile.tempdir", None)
        assert chosen(tmp_path / "two")["kafka"] == base + 1


def test_a_claim_follows_no_link_and_empties_no_file(base: int, tmp_path: Path) -> None:
    claims, precious = tmp_path / "cache" / "ports", tmp_path / "precious"
    claims.mkdir(parents=True)
    precious.write_text("mine")
    (claims / f"port-{base}").symlink_to(precious)
    with pytest.raises(LabFailed, match="cannot be noted"):
        chosen(tmp_path / "ports")
    (claims / f"port-{base}").unlink()
    os.link(precious, claims / f"port-{base}")
    chosen(tmp_path / "ports")
    assert precious.read_text() == "mine"


def test_a_folder_of_claims_is_its_owners(base: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claims = tmp_path / "cache" / "ports"
    claims.mkdir(parents=True, mode=0o777)
    chosen(tmp_path / "ports")
    assert claims.stat().st_mode & 0o077 == 0
    monkeypatch.setattr("os.geteuid", lambda: os.getuid() + 1)
    with pytest.raises(LabFailed, match="belongs to another user"):
        chosen(tmp_path / "ports")


def test_a_link_in_place_of_the_folder_of_claims_will_not_do(base: int, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "ports").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LabFailed, match="cannot be noted"):
        chosen(tmp_path / "ports")
    assert list((tmp_path / "elsewhere").iterdir()) == []
