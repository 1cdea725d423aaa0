"""The dashboard in a real browser: on a phone and a desk, light and dark, by keyboard, and without JavaScript."""

import importlib
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from sandbox.auth import FakeAuth
from sandbox.children import free_port
from sandbox.environment import environment
from sandbox.twilio import FakeTwilio
from tests.crowd import people, standing, started
from tests.service import OWN, Bot, settings_for

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium"),
    pytest.mark.xdist_group("browser"),
]

SCREENS = {"phone": (390, 844), "desk": (1280, 900)}


@dataclass
class Watched:
    """A page, and whatever the browser complained about."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def sign_in(self, url: str) -> None:
        self.page.goto(f"{url}/admin")
        self.page.get_by_label("Admin token").fill(OWN.ADMIN_TOKEN)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.get_by_role("heading", name="Funnel, 7 days").wait_for()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def url(redis_url: str, fake_twilio: FakeTwilio, fake_auth: FakeAuth, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server of this process."""
    chosen = environment(
        port=9, redis_url=redis_url, twilio_url=fake_twilio.url, auth_url=fake_auth.url, account=fake_twilio.account,
        own=OWN,
    )  # fmt: skip
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    app = importlib.import_module("web").create_app(settings_for(redis_url, fake_twilio, fake_auth))
    server = make_server("127.0.0.1", free_port(), app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def busy(bot: Bot) -> str:
    """Something of everything stands on the page; the id of the broadcast."""
    people(bot, 3)
    id_ = started(bot, name="Monday")
    bot.hears("Hi", "Asha Devi", "SUPPORT")
    bot.attends_patiently()
    record = f'{{"kind": "reply", "contact": "{bot.key()}", "reason": "failed", "code": 63024, "at": 1700000000000}}'
    bot.redis.hset("msme:failed", "ref-1", record)
    bot.redis.zadd("msme:failed_at", {"ref-1": 1700000000000})
    return id_


def watched(browser: Browser, screen: str = "desk", scheme: str = "light", **more: object) -> Watched:
    width, height = SCREENS[screen]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **more)  # type: ignore[arg-type]
    seen = Watched(context.new_page())
    seen.page.on(
        "console", lambda said: seen.complaints.append(said.text) if said.type in ("error", "warning") else None
    )
    seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    seen.page.on("requestfailed", lambda request: seen.complaints.append(request.url))
    return seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_it_is_clean_fits_the_screen_and_is_accessible(
    chromium: Browser, url: str, busy: str, screen: str, scheme: str
) -> None:
    # axe's script is put into the page, which the policy rightly forbids.
    seen = watched(chromium, screen, scheme, bypass_csp=True)
    seen.page.goto(f"{url}/admin")
    assert Axe().run(seen.page).response["violations"] == []
    seen.sign_in(url)
    assert Axe().run(seen.page).response["violations"] == []
    assert seen.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert seen.complaints == []
    seen.page.context.close()


def test_under_its_own_policy_nothing_is_blocked_and_nothing_comes_from_elsewhere(
    chromium: Browser, url: str, busy: str
) -> None:
    seen, asked = watched(chromium), []
    seen.page.on("request", lambda request: asked.append(request.url))
    seen.sign_in(url)
    seen.page.get_by_role("button", name="Pause refreshing").wait_for()
    assert seen.page.evaluate("getComputedStyle(document.querySelector('#services')).borderRadius") == "12px"
    assert seen.complaints == [] and all(one.startswith(f"{url}/admin") for one in asked)
    seen.page.context.close()


def test_it_refreshes_itself_but_not_what_somebody_types_in(chromium: Browser, url: str, busy: str, bot: Bot) -> None:
    seen = watched(chromium)
    seen.page.clock.install()
    seen.sign_in(url)
    answer = seen.page.get_by_label("Your answer")
    answer.fill("Your pincode")
    bot.runtime.failures.drop("ref-1")
    seen.page.clock.run_for(11_000)
    seen.page.get_by_text("Nothing has failed.").wait_for()
    assert answer.input_value() == "Your pincode" and seen.complaints == []
    seen.page.get_by_role("button", name="Pause refreshing").click()
    assert seen.page.get_by_role("button", name="Go on refreshing").is_visible()
    seen.page.context.close()


def test_when_the_visit_has_ended_the_page_becomes_the_sign_in(chromium: Browser, url: str, bot: Bot) -> None:
    seen = watched(chromium)
    seen.page.clock.install()
    seen.sign_in(url)
    bot.redis.delete(*bot.redis.keys("msme:signed_in:*"))
    seen.page.clock.run_for(11_000)
    seen.page.get_by_label("Admin token").wait_for()
    seen.page.context.close()


def test_without_javascript_all_of_it_works(chromium: Browser, url: str, busy: str, bot: Bot) -> None:
    seen = watched(chromium, "phone", java_script_enabled=False)
    seen.sign_in(url)
    seen.page.get_by_role("button", name="Pause the broadcast Monday").click()
    assert seen.page.get_by_role("status").inner_text() == "The broadcast is paused."
    assert standing(bot, busy).state == "paused"
    seen.page.get_by_label("Your answer").fill("Your pincode is corrected.")
    seen.page.get_by_role("button", name="Send answer").click()
    assert seen.page.get_by_role("status").inner_text() == "Your answer is on its way."
    seen.page.get_by_role("button", name="Drop the message ref-1").click()
    assert bot.runtime.failures.count() == 0
    seen.page.get_by_role("link", name="Refresh").click()
    seen.page.get_by_role("button", name="Sign out").click()
    assert seen.page.get_by_label("Admin token").is_visible()
    seen.page.context.close()


def test_by_keyboard_alone(chromium: Browser, url: str, busy: str, bot: Bot) -> None:
    page = watched(chromium).page
    page.goto(f"{url}/admin")
    page.keyboard.press("Tab")
    page.keyboard.type(OWN.ADMIN_TOKEN)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Funnel, 7 days").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the content"
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").startswith("Pause the"):
            break
    page.keyboard.press("Enter")
    page.get_by_role("status").wait_for()
    assert standing(bot, busy).state == "paused"
    page.context.close()
