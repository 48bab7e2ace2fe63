"""The process spec follows from the tables."""

import pytest

from vidlab.errors import UnknownProcess
from vidlab.lab.ready import CONDITIONS
from vidlab.lab.spec import kind_name, kind_named, make_spec, matching, normal
from vidlab.profiles import PROFILES, Profile
from vidlab.programs import PROGRAMS
from vidlab.settings import Settings

KINDS = {kind.name: kind for kind in make_spec()}
STAGES = ["preprocessing", *(profile.name for profile in PROFILES)]


def test_a_lab_has_servers_init_api_keeper_and_a_consumer_and_a_worker_per_stage() -> None:
    singletons = ["kafka", "redis", "azurite", "clamd", "init", "api", "keeper"]
    numbered = [f"{word}-{stage}" for word in ("consumer", "worker") for stage in STAGES]
    assert list(KINDS) == [*singletons, *numbered]
    assert all(kind.count == 1 for kind in KINDS.values())


def test_another_profile_is_another_consumer_and_worker() -> None:
    more = make_spec((Profile(name="240p", height=240, max_kbps=400, audio_kbps=64), *PROFILES))
    added = {kind.name: kind for kind in more if kind.name not in KINDS}
    assert set(added) == {"consumer-240p", "worker-240p"}
    assert added["worker-240p"].command is not None
    assert added["worker-240p"].command[-2:] == ("services.worker", "240p")


def test_only_consumers_and_workers_are_numbered() -> None:
    assert {name for name, kind in KINDS.items() if kind.scalable} == {
        f"{word}-{stage}" for word in ("consumer", "worker") for stage in STAGES
    }
    assert KINDS["worker-360p"].process_name(2) == "worker-360p.2"
    assert KINDS["kafka"].process_name(1) == "kafka"


def test_every_row_can_be_resolved() -> None:
    fields = Settings.model_fields
    for kind in KINDS.values():
        assert kind.ready in CONDITIONS
        assert set(kind.after) <= set(KINDS)
        assert kind.outside is None or kind.outside in fields
        assert kind.server == (kind.command is None)
        assert set(kind.programs) <= set(PROGRAMS)


def test_workers_may_take_their_time_and_consumers_may_not() -> None:
    assert KINDS["worker-1080p"].patient
    assert not KINDS["consumer-1080p"].patient


def test_workers_are_not_started_without_ffmpeg() -> None:
    assert all({"ffmpeg", "ffprobe"} <= set(KINDS[f"worker-{stage}"].programs) for stage in STAGES)


@pytest.mark.parametrize("typed", ["worker-360p", "worker_360p", " Worker-360P"])
def test_a_kind_is_found_however_it_is_typed(typed: str) -> None:
    assert kind_named(typed, KINDS).name == "worker-360p"


def test_a_name_without_a_number_means_all_of_its_kind() -> None:
    processes = ["worker-360p.1", "worker-360p.2", "worker-480p.1", "kafka"]
    assert matching("worker_360p", processes) == ["worker-360p.1", "worker-360p.2"]
    assert matching("worker_360p.2", processes) == ["worker-360p.2"]
    assert matching("kafka", processes) == ["kafka"]
    with pytest.raises(UnknownProcess, match=r"no process worker\."):
        matching("worker", processes)


def test_a_kind_is_the_name_without_the_number() -> None:
    assert kind_name("worker-360p.12") == "worker-360p"
    assert kind_name("kafka") == "kafka"
    assert normal("consumer_144p.1") == "consumer-144p.1"
