"""沙箱页面 What the played partners were told, on one page, for whoever rehearses (M3)."""

from collections.abc import Iterable, Iterator
from html import escape
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from pydantic_core import from_json

from domain.house_rules import SHANGHAI

SHOWN = 30


def page_routes(partners: Any) -> APIRouter:
    """The page; `partners` has the robot, Agora and the CRM."""
    router = APIRouter()

    @router.get("/", response_class=HTMLResponse, summary="What the partners were told")
    async def page() -> HTMLResponse:
        robot = (
            f"<li><time>{_clock(one.at)}</time><pre>{escape(one.markdown)}</pre></li>"
            for one in _newest(partners.robot.said)
        )
        signals = (
            _row(_clock(one.at), one.user[:8], *_news(one.payload))
            for one in _newest(partners.agora.signals)
        )
        heard = (
            _row(_clock(one.at), one.fact, one.position, _ids(one.ids), one.times)
            for one in _newest(partners.crm.heard.values())
        )
        body = _PAGE.format(
            robot="".join(robot) or _NOTHING,
            signals="".join(signals),
            heard="".join(heard),
            secrets=len(partners.crm.secrets),
            forged=partners.crm.forged,
        )
        return HTMLResponse(body, headers={"Cache-Control": "no-store"})

    return router


def _newest(all_of_them: Iterable[Any]) -> list[Any]:
    return list(all_of_them)[-SHOWN:][::-1]


def _news(payload: str) -> Iterator[object]:
    told = from_json(payload)
    for name in ("order", "fact", "position", "zh", "en"):
        yield told.get(name, "")


def _ids(ids: Any) -> str:
    return ", ".join(f"{name} {value}" for name, value in ids.items())


def _clock(at: Any) -> str:
    return f"{at.astimezone(SHANGHAI):%H:%M:%S}"


def _row(*cells: object) -> str:
    return f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in cells)}</tr>"


_NOTHING = "<li>还没有消息 Nothing yet</li>"
_PAGE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>沙箱 Sandbox</title><style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui; max-width: 68rem; margin: 2rem auto; padding: 0 1rem }}
pre, td {{ overflow-wrap: anywhere; white-space: pre-wrap }} pre {{ margin: .25rem 0 }}
ul {{ list-style: none; padding: 0 }} li {{ border-top: 1px solid #8886; padding: .5rem 0 }}
div {{ overflow-x: auto }} form {{ margin: 1rem 0 }}
table {{ border-collapse: collapse; width: 100%; min-width: 52rem; font-size: .875rem }}
td, th {{ border-top: 1px solid #8886; padding: .25rem .5rem; text-align: left }}
input {{ font: inherit; max-width: 100% }} button {{ font: inherit }}
</style>
<h1>沙箱 Sandbox</h1>
<p>伙伴收到的消息，最新在前。 What the partners were told, newest first.
<a href="/docs">/docs</a> · <code>POST /behaviour</code></p>
<h2>企业微信群 WeChat Work group</h2><ul>{robot}</ul>
<h2>声网信令 Agora signaling</h2>
<div><table><tr><th>时间<th>用户 user<th>订单 order<th>事实 fact<th>位置 position
<th>中文<th>English</tr>
{signals}</table></div>
<h2>客户系统 CRM</h2>
<p>回调地址 Webhook: <code>/crm/hook</code> · 密钥 secrets: {secrets} · 伪造 forged: {forged}</p>
<form method="post" action="/crm/secrets"><label>回调密钥 Its secret
<input name="secret" placeholder="whsec_…" required minlength="10" maxlength="200"></label>
<button>保存 Keep</button></form>
<div><table><tr><th>时间<th>事实 fact<th>位置 position<th>编号 ids<th>次数 times</tr>
{heard}</table></div>
</html>"""
