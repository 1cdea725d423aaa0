"""Settings are read once and refused whole; what is secret is never shown."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.errors import SettingsError
from pipeline.settings import Settings, load
from sandbox.auth import FakeAuth
from sandbox.twilio import FakeTwilio
from tests.service import settings_for

EXAMPLE = Path(__file__).parent.parent / ".env.example"
KEY = base64.urlsafe_b64encode(b"k" * 32).decode()
SECRETS = {
    "TWILIO_AUTH_TOKEN": "token-that-is-secret,next-that-is-secret",
    "TWILIO_API_KEY_SID": "SK1",
    "TWILIO_API_KEY_SECRET": "key-that-is-secret",
    "ADMIN_TOKEN": "admin-that-is-secret-and-long-enough-for-anything",
    "CONTACT_SECRET": "contact-that-is-secret-and-32-characters-long",
    "SEAL_KEYS": KEY,
    "REDIS_URL": "rediss://:redis-that-is-secret@localhost:6379",
}
REST = {
    "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
    "TWILIO_WHATSAPP_NUMBER": "whatsapp:+14155238886",
    "AUTH_API_URL": "http://localhost:8001/",
    "WEB_APP_URL": "http://localhost:3000",
    "PUBLIC_URL": "https://bot.example.com",
}


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """An environment with nothing of ours in it, in a folder without a `.env` file."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    load.cache_clear()
    yield monkeypatch
    load.cache_clear()


def put(environ: pytest.MonkeyPatch, **changes: str) -> None:
    for name, value in {**SECRETS, **REST, **changes}.items():
        environ.setenv(name, value)


def problems(environ: pytest.MonkeyPatch, **changes: str) -> list[str]:
    put(environ, **changes)
    with pytest.raises(SettingsError) as refused:
        load()
    return refused.value.problems


def test_a_whole_environment_is_accepted(environ: pytest.MonkeyPatch) -> None:
    put(environ)
    settings = load()
    assert settings.auth_tokens == ("token-that-is-secret", "next-that-is-secret")
    assert settings.rest_credentials == ("SK1", "key-that-is-secret")
    assert (settings.session_hours, settings.auth_api_url) == (24, "http://localhost:8001")
    assert load() is settings


def test_everything_that_is_wrong_is_told_at_once(environ: pytest.MonkeyPatch) -> None:
    environ.setenv("TWILIO_ACCOUNT_SID", "AC1")
    environ.setenv("SESSION_HOURS", "a day")
    environ.setenv("PUBLIC_URL", "bot.example.com")
    with pytest.raises(SettingsError) as refused:
        load()
    told = str(refused.value)
    required = {name.upper() for name, field in Settings.model_fields.items() if field.is_required()}
    for name in {*required, "SESSION_HOURS"}:
        assert name in told, name
    assert "AUTH_API_URL is missing" in refused.value.problems


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TWILIO_ACCOUNT_SID", "AC123"),
        ("TWILIO_AUTH_TOKEN", " , "),
        ("TWILIO_API_KEY_SID", ""),
        ("TWILIO_API_KEY_SECRET", ""),
        ("TWILIO_WHATSAPP_NUMBER", "+14155238886"),
        ("AUTH_API_URL", "localhost:8001"),
        ("AUTH_RETRY_SECONDS", "60,0"),
        ("PUBLIC_URL", "https://my_bot.example.com"),
        ("PUBLIC_URL", "https://bot.example.com/?x=1"),
        ("REDIS_URL", "localhost:6379"),
        ("SEAL_KEYS", "short"),
        ("SEAL_KEYS", "ключ"),
        ("SEAL_KEYS", f"{KEY},short"),
        ("CONTACT_SECRET", "short-secret"),
        ("TRUSTED_PROXIES", "-1"),
        ("LOG_LEVEL", "LOUD"),
        ("FLASK_DEBUG", "perhaps"),
        ("WORKER_THREADS", "0"),
        ("PORT", "99999"),
    ],
)
def test_each_bad_value_is_told_by_its_name_and_not_shown(environ: pytest.MonkeyPatch, name: str, value: str) -> None:
    (told,) = problems(environ, **{name: value})
    assert told.startswith("TWILIO_API_KEY_SECRET" if name == "TWILIO_API_KEY_SID" else name)
    assert not re.search(r"that-is-secret|short-secret|ключ", told) and KEY not in told


def test_no_secret_is_shown_by_the_settings_themselves(environ: pytest.MonkeyPatch) -> None:
    put(environ)
    shown = f"{load()!r} {load()}"
    assert "that-is-secret" not in shown and KEY not in shown


def test_settings_cannot_be_changed(environ: pytest.MonkeyPatch) -> None:
    put(environ)
    with pytest.raises(ValidationError):
        load().session_hours = 1  # type: ignore[misc]


def test_a_blank_value_means_the_default(environ: pytest.MonkeyPatch) -> None:
    optional = {name.upper(): "" for name, field in Settings.model_fields.items() if not field.is_required()}
    put(environ, **optional)
    settings = load()
    for name, field in Settings.model_fields.items():
        if not field.is_required():
            assert getattr(settings, name) == field.get_default(), name


def test_a_dot_env_file_is_read_and_the_environment_goes_over_it(environ: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SESSION_HOURS=12\nCONTACT_DAYS=90\nUNKNOWN_TO_US=1\n")
    put(environ, SESSION_HOURS="6")
    assert (load().session_hours, load().contact_days) == (6, 90)


def test_the_example_names_every_setting_and_nothing_else() -> None:
    named = re.findall(r"^#?\s?([A-Z][A-Z_]+)=", EXAMPLE.read_text(), re.MULTILINE)
    assert sorted(named) == sorted(name.upper() for name in Settings.model_fields)


def test_the_example_shows_the_defaults() -> None:
    shown = dict(re.findall(r"^([A-Z][A-Z_]+)=(.+)$", EXAMPLE.read_text(), re.MULTILINE))
    with FakeTwilio() as twilio, FakeAuth() as auth:
        fields = {name.lower(): value for name, value in shown.items() if name != "REDIS_URL"}
        settings = settings_for("redis://localhost:6379", twilio, auth, **fields)
    for name, field in Settings.model_fields.items():
        if not field.is_required() and name.upper() in shown:
            assert getattr(settings, name) == field.get_default(), name
