"""People in front of pages: their browser, screen, language, and what they would stumble over."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Locator, Page

import api.pages as pages
from tests.browser.service import Service, recipient

IN_A_BROWSER = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]
"""The marks of every test module here."""
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 860}
LOOK = (Path(__file__).parent / "readable.js").read_text()
Newcomer = Callable[[], str]


class Screen(NamedTuple):
    """How somebody looks at a page."""

    size: dict[str, int]
    language: str = "en"
    theme: str = "light"


AT_A_DESK = Screen(DESK)
IN_CHINESE = Screen(DESK, "zh")
SCREENS = pytest.mark.parametrize(
    "screen", [Screen(PHONE, "zh", "dark"), AT_A_DESK], ids=["phone-zh", "desk-en"]
)
"""A phone in the dark, in Chinese; a desk in daylight, in English."""


@dataclass
class Visitor:
    """Somebody in front of a page; what the browser complains about is kept."""

    page: Page
    url: str
    language: str
    complaints: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Go to a page of the service."""
        self.page.goto(self.url + path)
        self.settled()

    def settled(self) -> None:
        """Wait until the view is drawn."""
        self.page.wait_for_selector("#view:not([aria-busy])")

    def go(self, tab: str) -> None:
        """To another view, by the menu where there is one."""
        menu = self.page.locator("#menu")
        if menu.is_visible():
            menu.click()
        self.page.click(f"#tabs [data-tab={tab}]")

    def says(self, key: str, **figures: object) -> str:
        """What the page says in their language."""
        return words(self.language, key, **figures)

    def button(self, key: str, within: str = "") -> Locator:
        """The button with these words."""
        return self.page.locator(f"{within} button:has-text('{self.says(key)}')")

    def send(self, **fields: str) -> None:
        """Type into the open dialog's fields and press its button."""
        for name, value in fields.items():
            self.page.fill(f"dialog [name='{name}']", value)
        self.page.click("dialog button[type=submit]")

    def choose(self, sku: str) -> None:
        """Open the redeem dialog with this item."""
        self.page.click(f".item[data-sku={sku}] button")
        self.page.wait_for_selector("dialog[open] .quote dl")

    def fill_recipient(self, **more: str) -> None:
        """Type a recipient into the redeem dialog."""
        for name, value in {**recipient(), **more}.items():
            self.page.fill(f"dialog [name={name}]", value)

    def tab_to(self, found: str, most: int = 80) -> None:
        """Press Tab until the focus is where it should be."""
        for _ in range(most):
            if self.page.evaluate("one => document.activeElement?.matches(one)", found):
                return
            self.page.keyboard.press("Tab")
        pytest.fail(f"the keyboard does not reach {found}")

    def fits(self) -> None:
        """Nothing is wider than the screen."""
        wide, screen = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide <= screen, f"{self.page.url} scrolls sideways: {wide} > {screen}"

    def content(self) -> None:
        """The browser had nothing to complain about, and the page fits."""
        self.fits()
        assert self.complaints == []

    def readable(self) -> None:
        """A reader of this page stumbles over nothing."""
        found: dict[str, Any] = self.page.evaluate(LOOK)
        assert found == {"headings": 1, "unnamed": [], "pale": []}, self.page.url


def words(language: str, key: str, **figures: object) -> str:
    """What a page says."""
    found = pages.WORDS[language][key]
    text = found if isinstance(found, str) else found["one" if figures.get("n") == 1 else "other"]
    for name, value in figures.items():
        text = text.replace(f"{{{name}}}", str(value))
    return str(text)


@dataclass
class Browsing:
    """Opens browsers for people."""

    chromium: Browser
    service: Service

    @contextmanager
    def as_(
        self, role: str | None, subject: str = "lin", screen: Screen = AT_A_DESK
    ) -> Iterator[Visitor]:
        """A browser of somebody who is logged in, or of nobody."""
        context = self.chromium.new_context(
            viewport=screen.size,  # type: ignore[arg-type]
            locale="zh-CN" if screen.language == "zh" else "en-GB",
            color_scheme=screen.theme,  # type: ignore[arg-type]
            has_touch=screen.size == PHONE,
            reduced_motion="reduce",
            accept_downloads=True,
        )
        context.set_default_timeout(20_000)
        if role is not None:
            token = self.service.token(role, subject)
            session = {"name": "tallypost_session", "value": token, "url": self.service.url}
            context.add_cookies([session])  # type: ignore[list-item]
        page = context.new_page()
        visitor = Visitor(page, self.service.url, screen.language)
        page.on(
            "console",
            lambda said: (
                visitor.complaints.append(said.text) if said.type in ("error", "warning") else None
            ),
        )
        page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        page.on("request", lambda one: visitor.addresses.append(one.url))
        try:
            yield visitor
        finally:
            context.close()
