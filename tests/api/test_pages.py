"""The pages without a browser: what they promise browsers, who may open them."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

import api.pages as pages
from api.auth import COOKIE
from application.demo_mall import ITEMS
from tests.api.conftest import Mall

pytestmark = pytest.mark.anyio

HTML = "text/html; charset=utf-8"


def cookie(mall: Mall, role: str, subject: str) -> dict[str, str]:
    """A browser's session, as its header."""
    token = mall.headers(role, subject)["Authorization"].removeprefix("Bearer ")
    return {"Cookie": f"{COOKIE}={token}"}


@pytest.fixture(autouse=True)
async def clean_client(mall: Mall) -> AsyncIterator[None]:
    """No cookie of one test is in the next."""
    mall.client.cookies.clear()
    yield
    mall.client.cookies.clear()


async def page(mall: Mall, path: str, role: str, subject: str = "lin", **more: str) -> Any:
    """A page as somebody's browser gets it."""
    headers = {**cookie(mall, role, subject), **more}
    return await mall.client.get(path, headers=headers, follow_redirects=False)


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("/", "learner"), ("/operations", "operations"), ("/audit", "auditor"),
        ("/support", "support"),
    ],
)  # fmt: skip
async def test_a_page_forbids_everything_foreign_when_it_is_opened(
    mall: Mall, path: str, role: str
) -> None:
    """A10: a strict policy; nothing inline, nothing cached, nothing framed."""
    answer = await page(mall, path, role)
    assert (answer.status_code, answer.headers["content-type"]) == (200, HTML)
    policy = answer.headers["content-security-policy"]
    for rule in (
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:",
        "connect-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
    ):  # fmt: skip
        assert rule in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"<script(?![^>]*\bsrc=)", answer.text)
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style", answer.text)


@pytest.mark.parametrize("path", ["/", "/operations", "/audit", "/support"])
async def test_a_page_leads_to_the_login_when_nobody_is_logged_in(mall: Mall, path: str) -> None:
    """A10: and back to the page afterwards."""
    answer = await mall.client.get(path, follow_redirects=False)
    wanted = "/login" if path == "/" else f"/login?next=%2F{path[1:]}"
    assert (answer.status_code, answer.headers["location"]) == (303, wanted)


async def test_a_page_is_refused_when_it_is_for_another_role(mall: Mall) -> None:
    """A10: a learner opens no page of the staff; staff are led to their own."""
    for path in ("/operations", "/audit", "/support"):
        assert (await page(mall, path, "learner")).status_code == 403
    assert (await page(mall, "/audit", "operations", "ops")).status_code == 403
    for role, home in (
        ("auditor", "/audit"),
        ("support", "/support"),
        ("operations", "/operations"),
    ):
        led = await page(mall, "/", role, "somebody")
        assert (led.status_code, led.headers["location"]) == (303, home)
        assert (await page(mall, "/support", role, "somebody")).status_code == 200


async def test_the_session_is_out_of_scripts_reach_when_somebody_logs_in(mall: Mall) -> None:
    """A10: HttpOnly, SameSite=Strict; Secure where the service is reached by https."""
    token = mall.headers("learner", "lin")["Authorization"].removeprefix("Bearer ")
    answer = await mall.client.post("/login", data={"token": f" {token}\n"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    set_cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in set_cookie
    assert "SameSite=strict" in set_cookie
    assert "Secure" not in set_cookie
    secure = await mall.client.post(
        str(mall.client.base_url).replace("http:", "https:") + "/login",
        data={"token": token},
        follow_redirects=False,
    )
    assert "Secure" in secure.headers["set-cookie"]
    out = await mall.client.post("/logout", follow_redirects=False)
    assert "Max-Age=0" in out.headers["set-cookie"]


async def test_a_login_is_refused_when_the_token_or_the_page_is_not_ours(mall: Mall) -> None:
    """A10: no token is echoed, no other page logs anybody in, nobody is led elsewhere."""
    wrong = "<b>not-a-token</b>"
    answer = await mall.client.post("/login", data={"token": wrong})
    assert answer.status_code == 401
    assert "not-a-token" not in answer.text
    token = mall.headers("learner", "lin")["Authorization"].removeprefix("Bearer ")
    foreign = {"Origin": "https://elsewhere.example"}
    for path in ("/login", "/logout"):
        assert (
            await mall.client.post(path, data={"token": token}, headers=foreign)
        ).status_code == 403
    for wanted in (
        "https://elsewhere.example",
        "//elsewhere.example",
        "/v1/orders",
        "/\\e.example",
    ):
        led = await mall.client.post(
            "/login", data={"token": token, "next": wanted}, follow_redirects=False
        )
        assert led.headers["location"] == "/"


async def test_a_change_by_cookie_is_refused_when_it_comes_from_another_page(mall: Mall) -> None:
    """A10: the cookie alone is not enough."""
    body = {"learner": "lin", "lines": [{"sku": "python-course", "quantity": 1}]}
    headers = {**cookie(mall, "learner", "lin"), "Idempotency-Key": "by-cookie"}
    for more in ({}, {"Origin": "https://elsewhere.example"}):
        answer = await mall.client.post("/v1/orders", json=body, headers={**headers, **more})
        assert answer.status_code == 403
    ours = {"Origin": str(mall.client.base_url).rstrip("/")}
    answer = await mall.client.post("/v1/orders", json=body, headers={**headers, **ours})
    assert answer.status_code == 201


async def test_somebody_lost_gets_a_page_and_a_program_a_problem(mall: Mall) -> None:
    """A10, N3: by what is asked for; the page is as strict as the others, logged in or not."""
    for headers in ({}, cookie(mall, "learner", "lin")):
        answer = await mall.client.get(
            "/nowhere?lang=zh", headers={**headers, "Accept": "text/html"}
        )
        assert (answer.status_code, answer.headers["content-type"]) == (404, HTML)
        assert "没有这个页面" in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    answer = await mall.client.get("/nowhere")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_names_are_text_when_they_look_like_markup(mall: Mall) -> None:
    """A10: whatever a subject is called, it is shown and not run."""
    answer = await page(mall, "/", "learner", "<script>alert(1)</script>")
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;" in answer.text


async def test_a_page_speaks_the_language_when_it_is_asked_for(mall: Mall) -> None:
    """N3: by address, else as the browser likes."""
    for path, header, locale in (
        ("/login", "zh-TW, en;q=0.5", "zh-CN"),
        ("/login", "de, en;q=0.5, zh;q=0.2", "en"),
        ("/login?lang=zh", "en", "zh-CN"),
        ("/login?lang=xx", "en", "en"),
        ("/login", "", "en"),
    ):
        mall.client.cookies.clear()  # what was chosen before
        answer = await mall.client.get(path, headers={"Accept-Language": header})
        assert f'<html lang="{locale}"' in answer.text, (path, header)


async def test_static_files_are_kept_for_long_when_their_version_is_named(mall: Mall) -> None:
    """A page never runs a mixture of old and new scripts."""
    versioned = await mall.client.get(f"/static/{pages.VERSION}/base.css")
    assert "immutable" in versioned.headers["cache-control"]
    assert versioned.headers["content-type"].startswith("text/css")
    plain = await mall.client.get("/static/items/notebook.svg")
    assert plain.headers["cache-control"] == "public, max-age=3600"
    again = await mall.client.get(
        "/static/items/notebook.svg", headers={"If-None-Match": plain.headers["etag"]}
    )
    assert again.status_code == 304
    for path in ("/static/../pages.py", "/static/nothing.js", "/static/0000/base.css"):
        assert (await mall.client.get(path)).status_code == 404


async def test_an_item_has_a_picture_when_it_has_none_of_its_own(mall: Mall) -> None:
    """C1: every demo item has one of its own, any other a neutral one."""
    neutral = pages.FILES[pages.NEUTRAL].content
    assert (await mall.client.get("/static/items/unheard-of.svg")).content == neutral
    for sku in ITEMS:
        assert pages.FILES[f"items/{sku}.svg"].content != neutral
