"""What the images and their containers are: small enough, without a compiler, not root's, and soon forgotten."""

from __future__ import annotations

import json

import pytest

from tests.lab import RunningLab
from vidlab.lab.compose.lab import ComposeLab
from vidlab.lab.compose.project import Project

pytestmark = pytest.mark.compose_only

SIZE = 600_000_000  # bytes
BUILDERS = ("gcc", "cc", "g++", "make", "uv", "npm")


@pytest.fixture
def project(lab: RunningLab) -> Project:
    assert isinstance(lab.local, ComposeLab)
    return lab.local.project


def test_the_image_of_our_services_is_small(project: Project) -> None:
    image = project.config["services"]["api"]["image"]
    assert int(project.docker("image", "inspect", image, "--format", "{{.Size}}")) < SIZE


def test_no_volume_without_a_name_stays_behind(project: Project) -> None:
    seen = json.loads(project.docker("inspect", *(one.id for one in project.containers())))
    volumes = [mount["Name"] for one in seen for mount in one["Mounts"] if mount["Type"] == "volume"]
    assert volumes
    assert [name for name in volumes if not name.startswith(f"{project.name}_")] == []


@pytest.mark.parametrize("service", ["api", "jupyter"])
def test_nothing_in_it_builds_programs_and_nobody_is_root(project: Project, service: str) -> None:
    program = f"import os, shutil; print([one for one in {BUILDERS} if shutil.which(one)], os.geteuid() == 0)"
    assert project.compose("exec", "--no-TTY", service, "python", "-c", program).split() == ["[]", "False"]
