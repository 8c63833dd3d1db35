"""The service, Chromium, and people who look at the one through the other."""

import hashlib
import itertools
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.service import Service, serving
from tests.browser.visiting import Browsing, Newcomer

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """A browser; the tests are skipped where there is none.

    Gone with this folder: while it is there, Playwright's loop lets no other test have one.
    """
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        pytest.skip(f"no Chromium here (looked for {', '.join(CHROMIUM)})")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def service(chromium: Browser) -> Iterator[Service]:
    """`tallypost serve`, for all of this folder's tests."""
    with serving() as found:
        yield found


@pytest.fixture
def browsing(chromium: Browser, service: Service) -> Browsing:
    """Browsers for people."""
    return Browsing(chromium, service)


@pytest.fixture
def newcomer(service: Service, request: pytest.FixtureRequest) -> Newcomer:
    """A learner of the test's own, with points."""
    made = itertools.count(1)

    def make() -> str:
        digest = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:8]
        name = f"learner-{digest}-{next(made)}"
        service.grant(name)
        return name

    return make
