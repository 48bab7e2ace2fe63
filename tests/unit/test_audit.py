"""The audit of the locks, with commands that answer as the real ones do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from services import audit

CLEAN: dict[str, Any] = {"dependencies": [{"name": "a", "version": "1", "vulns": []}]}
HOLED: dict[str, Any] = {"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1"}]}]}
SILENT: dict[str, Any] = {"dependencies": [{"name": "a", "skip_reason": "not found"}]}
NPM_CLEAN: dict[str, Any] = {"vulnerabilities": {}}
NPM_HOLED: dict[str, Any] = {"vulnerabilities": {"b": {"range": "<2", "severity": "high"}}}
NPM_SILENT: dict[str, Any] = {"message": "405 Method Not Allowed - POST somewhere"}


@pytest.mark.parametrize(
    ("python", "npm", "code", "told"),
    [
        (CLEAN, NPM_CLEAN, 0, ["Python packages: no known holes", "npm packages: no known holes"]),
        (HOLED, NPM_CLEAN, 1, ["Python packages: a 1: PYSEC-1", "npm packages: no known holes"]),
        (CLEAN, NPM_HOLED, 1, ["Python packages: no known holes", "npm packages: b <2: high"]),
        (
            SILENT,
            NPM_SILENT,
            0,
            ["Python packages: not audited, the index tells of no", "405 Method Not Allowed"],
        ),
        (None, None, 0, ["Python packages: not audited, the index does not answer", "npm packages: not audited"]),
        (None, NPM_HOLED, 1, ["Python packages: not audited", "npm packages: b <2: high"]),
    ],
)
def test_only_a_hole_that_was_found_fails(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    python: Any,
    npm: Any,
    code: int,
    told: list[str],
) -> None:
    for name, answer in {"pip-audit": python, "npm": npm}.items():
        text = "Traceback: no route to host" if answer is None else json.dumps(answer)
        (tmp_path / name).write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(audit, "BIN", tmp_path)
    assert audit.main() == code
    output = capsys.readouterr().out
    assert all(line in output for line in told), output


def test_without_the_commands_nothing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "BIN", tmp_path)
    assert audit.main() == 0


def test_all_that_the_locks_name_is_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def ask(pinned: list[str]) -> list[dict[str, Any]]:
        asked.append(pinned)
        return []

    monkeypatch.setattr(audit, "_ask_about", ask)
    list(audit.python_holes())
    names = {line.partition("==")[0] for line in asked[1]}
    assert {"fastapi", "uvicorn", "celery", "schemathesis", "uv"} <= names
    assert all("\\" not in line and line.count("==") == 1 for line in asked[1])
