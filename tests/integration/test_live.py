"""/live over a real Redis: what changes is told, whoever is away."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
import redis
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from tests.integration.test_store import claimed, finalized, preprocessed, uploaded
from tests.servers import free_ports, running
from tests.serving import serving
from tests.sockets import opened
from tests.waiting import until
from vidlab.announce import CHANNEL
from vidlab.api.app import create_app
from vidlab.api.live import Watcher
from vidlab.profiles import Size, stages
from vidlab.settings import Settings
from vidlab.store import Store
from vidlab.store.migrate import migrate

SMALL = Size(256, 144)


@pytest.fixture(autouse=True)
def kafka_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is none here, and an API does not end before its last question to it does."""
    monkeypatch.setattr("vidlab.observe.kafka.ANSWER", 0.2)


@pytest.fixture
def store(queue_settings: Settings) -> Iterator[Store]:
    """A writer as the workers are: it announces."""
    made = Store(queue_settings, announce=True)
    migrate(made.database)
    yield made
    made.close()


@pytest.fixture
def api(queue_settings: Settings, store: Store) -> Iterator[str]:
    with serving(create_app(queue_settings)) as url:
        yield url


def test_a_snapshot_comes_first_and_changes_after_it(api: str, store: Store) -> None:
    early = finalized(store)
    with opened(api) as socket:
        first = socket.next()
        assert first["type"] == "snapshot"
        assert [video["video_hash"] for video in first["videos"]] == [early]
        late = finalized(store)
        assert socket.video(lambda video: video["video_hash"] == late)["status"] == "preprocessing"
        event = socket.until(lambda message: message["type"] == "event" and message["event"]["video_hash"] == late)
        assert event["event"]["source"] == "video"


def test_progress_of_a_worker_is_told(api: str, store: Store) -> None:
    video_hash = finalized(store)
    scanned = claimed(store, video_hash, "preprocessing", "original")
    store.finish_preprocessing(scanned, {"source_etag": "source", "duration": 10.0}, SMALL)
    lease = claimed(store, video_hash, "144p")
    with opened(api, f"/videos/{video_hash}/live") as socket:
        assert socket.next()["video"]["video_hash"] == video_hash
        store.beat(lease, 0.5, 2.0)
        view = socket.video(lambda video: job(video, "144p")["progress"] == 0.5)
    running_job = job(view, "144p")
    assert running_job["attempt"] == 1
    assert running_job["eta"] == pytest.approx(10.0 * 0.5 / 2.0)


def job(video: dict[str, object], name: str) -> dict[str, object]:
    jobs = {one["name"]: one for one in (*video["profiles"], *video["steps"])}  # type: ignore[misc]
    return dict(jobs[name])


def test_who_listens_to_one_video_hears_of_no_other(api: str, store: Store) -> None:
    mine, other = finalized(store), finalized(store)
    with opened(api, f"/videos/{mine}/live") as socket:
        socket.next()
        store.delete(other)
        store.delete(mine)
        assert socket.of("gone")["video_hash"] == mine
        assert {message.get("video", {}).get("video_hash", mine) for message in socket.told} == {mine}


def test_places_in_a_queue_are_told(api: str, store: Store) -> None:
    first, second = preprocessed(store, SMALL), preprocessed(store, SMALL)
    for video_hash in (first, second):
        etag = store.video(video_hash).source_etag or ""
        assert store.enqueue(video_hash, "144p", etag)
    seen = {name: httpx.get(f"{api}/videos/{name}").json() for name in (first, second)}
    assert [job(seen[name], "144p")["place"] for name in (first, second)] == [1, 2]


def test_who_moves_up_in_a_queue_is_told(api: str, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Watcher, "_sweep", lambda self: asyncio.sleep(600))  # nobody has to wait for it
    first, second = preprocessed(store, SMALL), preprocessed(store, SMALL)
    for video_hash in (first, second):
        assert store.enqueue(video_hash, "144p", store.video(video_hash).source_etag or "")
    with opened(api) as socket:
        videos = {video["video_hash"]: video for video in socket.next()["videos"]}
        assert job(videos[second], "144p")["place"] == 2
        assert store.claim(first, "144p")
        socket.video(lambda video: video["video_hash"] == second and job(video, "144p")["place"] == 1)


def test_the_plain_get_shows_the_same(api: str, store: Store) -> None:
    video_hash = finalized(store)
    with opened(api) as socket:
        told = socket.next()
    shown = httpx.get(f"{api}/live", timeout=20).json()
    assert shown["videos"] == told["videos"]
    assert set(shown) == set(told)
    assert httpx.get(f"{api}/videos/{video_hash}/live").json()["video"] == told["videos"][0]


def test_a_video_that_nobody_knows_is_refused(api: str) -> None:
    assert httpx.get(f"{api}/videos/{'0' * 32}/live").status_code == 404
    with opened(api, f"/videos/{'0' * 32}/live") as socket, pytest.raises(ConnectionClosedError) as closed:
        socket.next()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4404


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_a_foreign_page_gets_no_socket(api: str, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused, opened(api, origin=origin):
        pass
    assert refused.value.response.status_code == 403


def test_a_page_of_this_machine_does(api: str) -> None:
    with opened(api, origin="http://localhost:8888") as socket:
        assert socket.next()["type"] == "snapshot"


@pytest.mark.parametrize("token", [None, "wrong", "s"])
def test_with_a_token_nobody_else_gets_one(queue_settings: Settings, store: Store, token: str | None) -> None:
    guarded = queue_settings.model_copy(update={"api_token": type(queue_settings.api_token)("secret?>")})
    with serving(create_app(guarded)) as url:
        with pytest.raises(InvalidStatus) as refused, opened(url, token=token):
            pass
        assert refused.value.response.status_code == 401
        with opened(url, token="secret?>") as socket:
            assert socket.next()["type"] == "snapshot"


def test_redis_may_go_and_come_back(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> None:
    ports = free_ports()
    url = f"redis://127.0.0.1:{ports['redis']}/0"
    away = settings.model_copy(update={"redis_url": url})
    store = Store(away, announce=True)
    migrate(store.database)
    with serving(create_app(away)) as api, opened(api) as socket:
        assert socket.next()["queues"] is None
        without = finalized(store)
        socket.video(lambda video: video["video_hash"] == without)
        with running("redis", tmp_path_factory.mktemp("late-redis"), ports):
            socket.until(lambda message: message == {"type": "back", "name": "redis"})
            assert socket.of("queues")["queues"]
            after = finalized(store)
            socket.video(lambda video: video["video_hash"] == after)
        before = len(socket.told)
        socket.until(lambda message: message["type"] == "away" and message["name"] == "redis", since=before)
        last = finalized(store)
        socket.video(lambda video: video["video_hash"] == last)
    store.close()


def test_what_ends_while_redis_is_away_is_told(settings: Settings) -> None:
    """Nobody can announce it, and it is no longer among those that go on."""
    nowhere = settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{free_ports()['redis']}/0"})
    with closing(Store(nowhere, announce=True)) as store:
        migrate(store.database)
        seen, fails, deleted = uploaded(store).video_hash, uploaded(store).video_hash, finalized(store)
        with serving(create_app(nowhere)) as api, opened(api) as socket:
            assert {video["ended_at"] for video in socket.next()["videos"]} == {None}
            store.fail_upload(fails, "too short")
            store.delete(deleted)
            both = uploaded(store).video_hash  # it begins and ends between two looks
            store.fail_upload(both, "too short")
            for failed in (fails, both):
                assert socket.video(is_ended(failed))["status"] == "failed"
            assert socket.of("gone")["video_hash"] == deleted
            assert store.video(seen).ended_at is None


def is_ended(video_hash: str) -> Callable[[dict[str, Any]], bool]:
    return lambda video: video["video_hash"] == video_hash and bool(video["ended_at"])


def test_the_plain_get_says_who_is_away_though_nobody_listens(settings: Settings) -> None:
    nowhere = settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{free_ports()['redis']}/0"})
    with closing(Store(nowhere)) as store:
        migrate(store.database)
    with serving(create_app(nowhere)) as api:
        shown = httpx.get(f"{api}/live", timeout=20).json()
    assert shown["queues"] is None
    assert "refused" in shown["away"]["redis"]
    assert set(shown["away"]) == {"redis", "kafka", "supervisor"}


def test_a_lab_at_rest_says_that_it_is_there(api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidlab.api.live.sockets.BEAT", 0.2)
    with opened(api) as socket:
        assert socket.next()["type"] == "snapshot"
        assert socket.of("beat") == {"type": "beat"}


def test_who_comes_later_is_told_what_is_away(settings: Settings) -> None:
    nowhere = settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{free_ports()['redis']}/0"})
    with closing(Store(nowhere)) as store:
        migrate(store.database)
    with serving(create_app(nowhere)) as api, opened(api) as first:
        told = first.until(lambda message: message["type"] == "away" and message["name"] == "redis")
        with opened(api) as second:
            assert second.next()["away"]["redis"] == told["why"]


def test_while_nobody_listens_nothing_is_asked(api: str, store: Store, broker: redis.Redis) -> None:
    with opened(api) as socket:
        socket.next()
        until(lambda: subscribers(broker) == 1, "the API listens")
    until(lambda: subscribers(broker) == 0, "the API listens no more")


def test_what_was_known_to_who_listened_is_not_told_later(api: str, broker: redis.Redis) -> None:
    """A page that can have no socket asks by GET: it must not be told how the lab stood when the last one left."""
    queue = stages()[0].queue
    with opened(api) as socket:
        told = socket.next()["queues"] or socket.of("queues")["queues"]
    assert waiting(told, queue) == 0
    until(lambda: subscribers(broker) == 0, "the API listens no more")
    broker.lpush(queue, "{}")
    assert waiting(httpx.get(f"{api}/live", timeout=20).json()["queues"], queue) == 1


def waiting(queues: list[dict[str, Any]], name: str) -> int:
    return next(int(row["waiting"]) for row in queues if row["queue"] == name)


def subscribers(broker: redis.Redis) -> int:
    told: list[tuple[bytes, int]] = broker.pubsub_numsub(CHANNEL)  # type: ignore[assignment]
    return int(told[0][1])


def test_a_fork_has_a_voice_of_its_own(store: Store, broker: redis.Redis) -> None:
    """Celery forks its workers from a process that may have announced something already."""
    with broker.pubsub() as news:  # type: ignore[no-untyped-call]
        news.subscribe(CHANNEL)
        news.get_message(timeout=5)
        mine = finalized(store)
        until(lambda: heard(news) == mine, "the parent is heard")
        child = os.fork()
        if child == 0:
            os._exit(_told_by_a_fork(store))
        until(lambda: heard(news) == "f" * 32, "the fork is heard")
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _told_by_a_fork(store: Store) -> int:
    assert store.database.on_change
    store.database.on_change({"f" * 32})
    signal.pause()
    return 0


def heard(news: redis.client.PubSub) -> str:
    message = news.get_message(ignore_subscribe_messages=True, timeout=0.1)
    return message["data"].decode() if message else ""
