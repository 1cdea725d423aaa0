"""What every person can demand of the running service: silence, their data, and that it is all deleted."""

import json
import re
from collections.abc import Iterator
from itertools import count

import pytest
from redis import Redis

from pipeline.seal import Seal
from pipeline.texts import en
from sandbox.faults import FaultPlan
from sandbox.laptop import Laptop
from sandbox.person import Person
from sandbox.status_callbacks import StatusPlan
from tests.outside import ask, command, in_redis, key_of, laptop_in, until

pytestmark = pytest.mark.xdist_group("owner")

_NUMBERS = count(9866600001)


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with laptop_in(tmp_path_factory.mktemp("owner")) as started:
        yield started


@pytest.fixture
def redis(laptop: Laptop) -> Iterator["Redis[str]"]:
    with Redis.from_url(laptop.valkey.url, decode_responses=True) as client:
        yield client


@pytest.fixture
def asha(laptop: Laptop) -> Person:
    """Somebody new."""
    return laptop.twilio.person(f"whatsapp:+91{next(_NUMBERS)}")


@pytest.fixture
def bela(laptop: Laptop) -> Person:
    return laptop.twilio.person(f"whatsapp:+91{next(_NUMBERS)}")


def talk(person: Person, *texts: str) -> list[str]:
    """Says one thing after the other; the replies to them."""
    before = len(person.replies)
    for number, text in enumerate(texts, 1):
        assert person.say(text).acknowledged
        person.wait_for_replies(before + number)
    return person.replies[before:]


def key(laptop: Laptop, person: Person) -> str:
    return key_of(laptop.services.env, person.address)


def is_opted_out(laptop: Laptop, redis: "Redis[str]", person: Person) -> bool:
    return bool(redis.hexists("msme:optouts", key(laptop, person)))


def broadcast(laptop: Laptop, text: str) -> None:
    """Sends a text to everybody, and waits until it is done."""
    admin = {"Authorization": f"Bearer {laptop.services.env['ADMIN_TOKEN']}"}
    made = json.loads(ask(laptop.url, "/send-broadcast", "POST", admin, json.dumps({"message": text})).text)
    target = f"/broadcasts/{made['broadcast_id']}"
    until(lambda: json.loads(ask(laptop.url, target, headers=admin).text)["status"] == "done")


def places_of(laptop: Laptop, person: Person) -> set[bytes]:
    """The keys of Redis that have to do with this person, by their name or by what stands in them."""
    mark = key(laptop, person).encode()
    everything = in_redis(laptop.valkey.url).items()
    return {name.replace(mark, b"K") for name, values in everything if mark in name or any(mark in v for v in values)}


def test_stop_ends_what_the_business_starts_and_nothing_else(
    laptop: Laptop, redis: "Redis[str]", asha: Person, bela: Person
) -> None:
    talk(bela, "Hi")
    first, again = talk(asha, "Hi", "BAND KARO", "रोकें")[1:]
    assert first == en.stopped(already=False, otp_cancelled=False)
    assert again == en.stopped(already=True, otp_cancelled=False)
    assert is_opted_out(laptop, redis, asha)

    broadcast(laptop, "News for everybody")
    assert bela.wait_for_replies(2)[1] == "News for everybody"
    assert "News for everybody" not in asha.replies

    assert "Asha Devi" in talk(asha, "Asha Devi")[0]
    assert en.OPTED_IN in talk(asha, "JOIN")[0]
    assert not is_opted_out(laptop, redis, asha)
    broadcast(laptop, "More news")
    until(lambda: "More news" in asha.replies)


def test_what_twilio_answers_by_itself_is_honoured_and_not_answered_twice(
    laptop: Laptop, redis: "Redis[str]", asha: Person
) -> None:
    talk(asha, "Hi")
    asha.say("STOP", OptOutType="STOP")
    until(lambda: is_opted_out(laptop, redis, asha))
    asha.say("HELP", OptOutType="HELP")
    asha.say("START", OptOutType="START")
    until(lambda: not is_opted_out(laptop, redis, asha))
    assert "Asha Devi" in talk(asha, "Asha Devi")[0]
    assert len(asha.replies) == 2


def test_whoever_twilio_says_has_blocked_us_is_opted_out(
    laptop: Laptop, redis: "Redis[str]", asha: Person, bela: Person
) -> None:
    laptop.twilio.faults["send"] = FaultPlan(refusals={asha.address: 21610})
    laptop.twilio.callbacks.plan = StatusPlan(failures={bela.address: 63014})
    asha.say("Hi")
    bela.say("Hi")
    until(lambda: is_opted_out(laptop, redis, asha) and is_opted_out(laptop, redis, bela))
    laptop.twilio.faults["send"] = FaultPlan()
    laptop.twilio.callbacks.plan = StatusPlan()


def test_my_data_tells_what_is_kept_and_until_when(asha: Person) -> None:
    told = talk(asha, "Hi", "Asha Devi", "Retail", "MY DATA")[-1]
    assert "Name: Asha Devi" in told and "Sector: Retail" in told
    assert len(re.findall(r"Until \d{1,2} \w+", told)) == 2 and "DELETE MY DATA" in told


def test_everything_about_a_person_goes_when_they_say_so(laptop: Laptop, redis: "Redis[str]", asha: Person) -> None:
    talk(asha, "Hi", "Asha Devi", "SUPPORT", "STOP")
    _leaves_traces(laptop, redis, asha)
    assert {b"msme:session:K", b"msme:contact:K", b"msme:failed", b"msme:audit", b"msme:support"} <= places_of(
        laptop, asha
    )
    sure, receipt = talk(asha, "DELETE MY DATA", "YES")
    assert sure == en.ERASE_QUESTION
    number = re.search(r"DEL-[0-9A-F]{10}", receipt)[0]
    assert receipt == en.erased(number)

    allowed = {b"msme:optouts", b"msme:status:K"}
    until(lambda: places_of(laptop, asha) <= allowed)
    assert b"msme:optouts" in places_of(laptop, asha)
    status = f"msme:status:{key(laptop, asha)}"
    assert redis.hlen(status) == 1 and 0 < redis.ttl(status) <= 48 * 3600

    audit = command(laptop.services.env, "audit", "--json").stdout
    assert number in audit and '"owner"' in audit and '"reveal"' in audit and key(laptop, asha) not in audit


def _leaves_traces(laptop: Laptop, redis: "Redis[str]", asha: Person) -> None:
    """Also where a person is mentioned only now and then: the failed list, the audit list, broadcasts."""
    env = laptop.services.env
    broadcast(laptop, "For those who did not opt out")
    laptop.twilio.callbacks.plan = StatusPlan(failures={asha.address: 63024})
    talk(asha, "STATUS")
    until(lambda: key(laptop, asha) in str(redis.hvals("msme:failed")))
    laptop.twilio.callbacks.plan = StatusPlan()
    assert command(env, "contact", "show", asha.address, "--reveal").returncode == 0


def test_whoever_was_erased_comes_back_as_a_stranger_still_opted_out(
    laptop: Laptop, redis: "Redis[str]", asha: Person
) -> None:
    talk(asha, "Hi", "Asha Devi", "STOP", "DELETE MY DATA", "YES")
    until(lambda: not redis.exists(f"msme:person:{key(laptop, asha)}"))
    welcome = talk(asha, "Hi again")[0]
    assert en.WELCOME in welcome and en.NOTICE in welcome and "Welcome back" not in welcome
    assert is_opted_out(laptop, redis, asha)


def test_a_receipt_that_cannot_be_delivered_leaves_nothing_behind(
    laptop: Laptop, redis: "Redis[str]", asha: Person
) -> None:
    talk(asha, "Hi", "DELETE MY DATA")
    laptop.twilio.faults["send"] = FaultPlan(refusals={asha.address: 63024})
    asha.say("YES")
    until(lambda: places_of(laptop, asha) == set())
    laptop.twilio.faults["send"] = FaultPlan()


def test_anything_but_yes_keeps_everything(laptop: Laptop, redis: "Redis[str]", asha: Person) -> None:
    talk(asha, "Hi", "Asha Devi", "DELETE MY DATA", "hmm")
    assert "Asha Devi" in talk(asha, "STATUS")[0]


def test_consent_is_recorded_with_the_words_and_the_version_of_the_notice(laptop: Laptop, asha: Person) -> None:
    talk(asha, "Hi", "Asha Devi")
    with Redis.from_url(laptop.valkey.url, decode_responses=True) as redis:
        sealed = redis.get(f"msme:contact:{key(laptop, asha)}")
    stored = Seal([laptop.services.env["SEAL_KEYS"]]).open(sealed, key(laptop, asha), "contact")
    consent = json.loads(stored)["consent"]
    assert (consent["words"], consent["notice"]) == ("Asha Devi", en.NOTICE_VERSION) and consent["at"]


def test_everything_about_a_person_has_an_end(laptop: Laptop, redis: "Redis[str]", asha: Person) -> None:
    talk(asha, "Hi", "Asha Devi")
    one = key(laptop, asha)
    until(lambda: redis.exists(f"msme:status:{one}") and not redis.exists(f"msme:lock:{one}"))
    lives = {"session": 24, "contact": 180 * 24, "person": 180 * 24, "alias": 180 * 24, "status": 48, "last": 48}
    for kind, hours in lives.items():
        assert hours * 3600 - 60 < redis.ttl(f"msme:{kind}:{one}") <= hours * 3600, kind
    kept_for_all = {"due", "optouts", "support", "failed", "failed_at", "audit", "broadcasts", "broadcasts_open"}
    endless = {name for name in redis.scan_iter("msme:*") if redis.ttl(name) == -1}
    assert not [name for name in endless if one in name]
    for_broadcasts = {"broadcast", "broadcast_rows", "broadcast_queue", "broadcast_in_hand", "broadcast_pace"}
    of_all = {"people", "live", "canary", "watermark", "watermark_asked", "reply_count", "broadcast_turn"}
    of_all |= {"totals", "alive", "waiting", "alarms", "last_in"}
    assert {name.split(":")[1] for name in endless} <= kept_for_all | for_broadcasts | of_all
