"""What operators and the manager read: /health, /stats, /metrics, and the commands for a terminal."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import ModuleType

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from pipeline.auth_api import AuthApi
from pipeline.health import AuthWatch
from pipeline.store.auth_gate import AuthHealth
from pipeline.store.pulse import Heartbeat
from pipeline.webhook_times import WebhookTimes
from sandbox.auth import FakeAuth
from sandbox.faults import FaultPlan
from sandbox.twilio import FakeTwilio
from sandbox.valkey import Valkey
from tests.crowd import people, serve, started
from tests.service import ASHA, RAVI, Bot, settings_for

ADMIN = {"Authorization": "Bearer the-admin's-own-token-of-this-test"}
SCRAPER = {"Authorization": "Bearer only-for-scraping"}


@pytest.fixture
def client(web: ModuleType, redis_url: str, fake_twilio: FakeTwilio, fake_auth: FakeAuth) -> FlaskClient:
    return web.create_app(
        settings_for(
            redis_url,
            fake_twilio,
            fake_auth,
            admin_token=ADMIN["Authorization"].removeprefix("Bearer "),
            metrics_token=SCRAPER["Authorization"].removeprefix("Bearer "),
        )
    ).test_client()


@pytest.fixture
def alive(bot: Bot) -> Iterator[Bot]:
    """A bot with a live worker and a live clock."""
    for kind in ("worker", "clock"):
        Heartbeat(bot.runtime.redis, kind).beat()
    yield bot


def registers(bot: Bot, *says: str, address: str = ASHA) -> None:
    for text in says or ("Hi", "Asha Devi", "nonsense", "3", "400001", "9876543210", "YES"):
        bot.hears(text, address=address)
        bot.attends_patiently(address)


def metrics_of(client: FlaskClient) -> dict[tuple[str, ...], float]:
    text = client.get("/metrics", headers=SCRAPER).get_data(as_text=True)
    families = text_string_to_metric_families(text)
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def health_of(client: FlaskClient) -> tuple[int, str, dict[str, str]]:
    answer = client.get("/health")
    return answer.status_code, answer.json["status"], answer.json["services"]


def test_a_service_that_is_well_says_so(alive: Bot, client: FlaskClient) -> None:
    answer = client.get("/health")
    assert answer.status_code == 200 and answer.json["status"] == "healthy"
    assert set(answer.json["services"].items()) == {
        (name, "healthy") for name in ("redis", "auth_service", "twilio", "workers", "clock")
    }
    assert answer.json["queue"] == {"depth": 0, "oldest_seconds": 0}
    assert datetime.fromisoformat(answer.json["timestamp"]).tzinfo and answer.json["uptime_seconds"] >= 0


def test_without_workers_and_clock_it_is_degraded_and_says_of_what(bot: Bot, client: FlaskClient) -> None:
    status, overall, services = health_of(client)
    assert (status, overall) == (200, "degraded")
    assert "no worker" in services["workers"] and "no clock" in services["clock"]


def test_a_worker_that_is_silent_is_no_worker(alive: Bot, client: FlaskClient) -> None:
    for kind in ("worker", "clock"):
        (name,) = alive.redis.zrange(f"msme:alive:{kind}", 0, -1)
        alive.redis.zincrby(f"msme:alive:{kind}", -16_000, name)
    assert "no worker" in health_of(client)[2]["workers"] and "no clock" in health_of(client)[2]["clock"]


def test_a_clock_that_ended_is_not_waited_for(bot: Bot, client: FlaskClient) -> None:
    clock = Heartbeat(bot.runtime.redis, "clock")
    clock.beat()
    clock.end()
    assert "no clock" in health_of(client)[2]["clock"]


def test_whoever_waits_for_long_is_told_of_until_they_are_answered(alive: Bot, client: FlaskClient) -> None:
    alive.hears("Hi")
    assert client.get("/health").json["queue"]["depth"] >= 1
    alive.redis.zincrby("msme:waiting", -61_000, alive.key())
    told = client.get("/health").json
    assert told["status"] == "degraded" and "waited 61 s" in told["services"]["workers"]
    assert told["queue"]["oldest_seconds"] == pytest.approx(61, abs=5)
    alive.attends()
    assert client.get("/health").json["status"] == "healthy"


def test_an_auth_api_that_is_down_only_degrades(alive: Bot, client: FlaskClient, fake_auth: FakeAuth) -> None:
    fake_auth.server.stop()
    status, overall, services = health_of(client)
    fake_auth.server.start()
    assert (status, overall) == (200, "degraded") and services["auth_service"].startswith("unhealthy")


def test_the_auth_api_is_asked_once_for_all_callers(alive: Bot, client: FlaskClient, fake_auth: FakeAuth) -> None:
    assert health_of(client)[1] == "healthy"
    fake_auth.server.stop()
    assert health_of(client)[1] == "healthy", "it was asked a moment ago"
    fake_auth.server.start()


def test_another_process_hears_what_was_answered_and_does_not_ask(bot: Bot, fake_auth: FakeAuth) -> None:
    first, second = (AuthWatch(AuthApi(fake_auth.url), AuthHealth(bot.runtime.redis)) for _ in range(2))
    assert first.is_healthy()
    fake_auth.server.stop()
    assert second.is_healthy(), "it would know better, had it asked"
    bot.redis.delete("msme:auth_asked", "msme:auth_health")
    assert not AuthWatch(AuthApi(fake_auth.url), AuthHealth(bot.runtime.redis)).is_healthy()
    fake_auth.server.start()


def test_while_sending_is_stopped_it_is_degraded(alive: Bot, client: FlaskClient) -> None:
    alive.twilio.faults["send"] = FaultPlan(refusals={ASHA: 20003})
    alive.hears("Hi")
    alive.attends()
    _, overall, services = health_of(client)
    assert overall == "degraded" and "20003" in services["twilio"]


def test_without_redis_it_is_unhealthy(
    web: ModuleType, tmp_path: object, fake_twilio: FakeTwilio, fake_auth: FakeAuth
) -> None:
    with Valkey(tmp_path) as valkey:  # type: ignore[arg-type]
        url = valkey.url
    client = web.create_app(settings_for(url, fake_twilio, fake_auth)).test_client()
    status, overall, services = health_of(client)
    assert (status, overall) == (503, "unhealthy") and services["redis"].startswith("unhealthy")
    assert client.get("/health/live").status_code == 200


def test_stats_tell_the_way_of_everybody(alive: Bot, client: FlaskClient) -> None:
    registers(alive)
    registers(alive, "Hi", "Ravi", address=RAVI)
    told = client.get("/stats", headers=ADMIN).json
    assert told["total_sessions"] == 2
    assert told["step_distribution"] == {
        "name": 0, "sector": 1, "pincode": 0, "phone": 0, "confirmation": 0, "completed": 1
    }  # fmt: skip
    assert told["completion_rate"] == 0.5
    funnel = {step["step"]: step for step in told["funnel"]}
    assert (funnel["name"]["reached"], funnel["name"]["answered"]) == (2, 2)
    assert (funnel["sector"]["reached"], funnel["sector"]["answered"]) == (2, 1)
    assert funnel["sector"]["invalid_rate"] == 0.5 and funnel["pincode"]["invalid_rate"] == 0
    assert funnel["confirmation"]["answered"] == 1 and funnel["completed"]["reached"] == 1
    assert funnel["name"]["median_seconds"] is not None and funnel["completed"]["median_seconds"] is None
    assert told["messages"]["in"] == 9 and told["messages"]["out"] == 9
    assert (told["today"]["started"], told["today"]["completed"]) == (2, 1)
    assert len(told["last_7_days"]) == 7 and told["last_7_days"][-1] == told["today"]
    assert 0 < told["error_rates"]["invalid_answers"] < 1 and told["broadcasts"]["open"] == []


def test_sessions_that_have_expired_are_not_counted(alive: Bot) -> None:
    registers(alive, "Hi")
    now = datetime.now(UTC)
    assert alive.runtime.tallies.live_sessions(now)["name"] == 1
    assert alive.runtime.tallies.live_sessions(now + timedelta(hours=25))["name"] == 0


def test_metrics_count_what_happened(alive: Bot, client: FlaskClient) -> None:
    registers(alive)
    metrics = metrics_of(client)
    assert metrics["msme_messages_in_total",] == metrics["msme_messages_out_total",] == 7
    assert metrics["msme_turns_total", "invalid", "sector"] == 1
    assert metrics["msme_step_changes_total", "name", "sector"] == 1
    assert metrics["msme_invalid_answers_total", "sector"] == 1
    assert metrics["msme_auth_answers_total", "OtpSent"] == 1
    assert metrics["msme_auth_seconds_count",] == 1 and metrics["msme_reply_accepted_seconds_count",] == 7
    assert metrics["msme_workers",] == 1 and metrics["msme_queue_depth",] == 7
    assert metrics["msme_failed_messages",] == 0 and metrics["msme_sending_stopped",] == 0


def test_metrics_count_doubts_that_twilios_list_settled(alive: Bot, client: FlaskClient) -> None:
    alive.twilio.faults["send"] = FaultPlan(script=["dropped_before"])
    alive.hears("Hi")
    alive.attends_patiently()
    assert metrics_of(client)["msme_sends_settled_by_list_total",] == 1


def test_metrics_count_what_came_of_broadcasts(alive: Bot, client: FlaskClient) -> None:
    people(alive, 3)
    started(alive, "News")
    serve(alive)
    metrics = metrics_of(client)
    assert metrics["msme_broadcast_recipients_total", "sent"] == 3 and metrics["msme_broadcasts_open",] == 0


def test_webhooks_are_timed_over_all_processes(bot: Bot, client: FlaskClient) -> None:
    for times in (WebhookTimes(bot.runtime.tallies), WebhookTimes(bot.runtime.tallies)):
        times.add(0.004)
        times.add(7200)
        times.hand_in()
    metrics = metrics_of(client)
    assert metrics["msme_webhook_seconds_bucket", "0.01"] == 2
    assert metrics["msme_webhook_seconds_bucket", "3600.0"] == 2
    assert metrics["msme_webhook_seconds_count",] == 4
    assert metrics["msme_webhook_seconds_sum",] == pytest.approx(14400.008)


def test_what_was_seen_while_redis_was_away_is_kept(bot: Bot, client: FlaskClient, redis_url: str) -> None:
    times = WebhookTimes(bot.runtime.tallies)
    times.add(0.004)
    with Redis.from_url(redis_url) as redis:
        redis.set("msme:totals", "not a hash")
        times.hand_in()
        redis.delete("msme:totals")
    times.hand_in()
    assert metrics_of(client)["msme_webhook_seconds_count",] == 1


def test_nothing_personal_stands_in_the_figures(alive: Bot, client: FlaskClient) -> None:
    registers(alive)
    for path in ("/stats", "/metrics", "/health"):
        told = client.get(path, headers=ADMIN).get_data(as_text=True)
        assert not [mark for mark in ("Asha", "9876543210", "400001", "whatsapp:", alive.key()) if mark in told], path


def test_who_may_read_them(client: FlaskClient) -> None:
    assert [client.get(path).status_code for path in ("/stats", "/metrics", "/health")] == [401, 401, 200]
    assert client.get("/stats", headers=SCRAPER).status_code == 401
    assert (
        client.get("/metrics", headers=ADMIN).status_code == client.get("/metrics", headers=SCRAPER).status_code == 200
    )


def test_what_stats_tell_is_json_for_machines(alive: Bot, client: FlaskClient) -> None:
    assert json.loads(client.get("/stats", headers=ADMIN).data)["step_distribution"]["name"] == 0
