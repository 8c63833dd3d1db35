"""证据页 The evidence pack to be read and printed: one page in two languages, no scripts (D5)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

STYLE = """
body { font: 14px/1.55 "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; margin: 2rem auto;
  max-width: 64rem; padding: 0 1rem; color: #1b1d1f; background: #fff }
h1 { font-size: 1.45rem; margin: 0 0 1rem } h1 small, h2 small { font-weight: 400; color: #5a6066 }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; break-after: avoid }
table { border-collapse: collapse; width: 100% } tr { break-inside: avoid }
th, td { border-bottom: 1px solid #d5d9dd; padding: .35rem .6rem .35rem 0; text-align: left;
  vertical-align: top; overflow-wrap: anywhere }
th { font-weight: 600; color: #41464b } td.figure { white-space: nowrap }
th small { display: block; font-weight: 400; color: #6a7077; white-space: nowrap }
.about th { width: 14rem } code, pre { font: .85em/1.45 ui-monospace, Menlo, Consolas, monospace }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; background: #f4f5f6;
  padding: .5rem .7rem; border-radius: 4px } .gone { color: #8a3b00 }
img { max-width: 22rem; max-height: 22rem; display: block; margin-top: .3rem }
@media (max-width: 640px) { body { margin: 1rem auto } table { display: block; overflow-x: auto } }
@media print { body { margin: 0; max-width: none } pre { background: none; padding: 0 } }
"""
_STATES = {
    "included": "在包内<small>included</small>",
    "withheld": "未揭示<small>not revealed to who asked</small>",
    "erased": "已随学员注销删除<small>erased with their learner</small>",
    "deleted": "留存期满已删除<small>deleted, its time being over</small>",
    "held": "法律保全中<small>under a legal hold</small>",
    "unreadable": "无法解密<small>cannot be opened: it was changed</small>",
}
_COLUMNS = {
    "position": "位置", "time": "时间", "at": "时间", "kind": "类型", "text": "内容",
    "source": "来源", "card": "密存编号", "signer": "签收人", "against_recipient": "与收件人比对",
    "proof_of_delivery": "签收依据", "confirmed": "已查询核实", "same_address": "同址历史",
    "question": "问题", "answer": "回答", "by": "由谁", "result": "答复", "reference": "承运商编号",
    "file": "文件", "media_type": "格式", "size_bytes": "字节", "about": "关于", "learner": "学员",
    "fact": "事件", "postings": "分录", "stream": "事件流", "happened_at": "发生时间",
    "recorded_at": "记录时间", "actor": "操作人", "reason": "原因", "name": "姓名",
    "phone": "电话", "province": "省", "city": "市", "district": "区县", "address": "地址",
    "division": "区划代码",
}  # fmt: skip
_PICTURES = (".jpg", ".png", ".webp")
_FIGURES = (
    "position", "time", "at", "happened_at", "recorded_at", "kind", "source", "by", "about", "fact",
)  # fmt: skip
"""Columns that are not broken into lines."""


def page(content: Mapping[str, Any]) -> bytes:
    """The page of a pack's content; the same bytes for the same content."""
    told, head, cards = content["told"], content["head"], content["cards"]
    said = {one["card"]: _card_words(one) for one in cards}
    parts = [
        f"<h1>争议证据包 {_text(content['case'])}<br><small>Evidence pack</small></h1>",
        _about(content, head, told["state"]),
        "<p>本页由 <code>pack.json</code> 生成，整个文件用 <code>tallypost audit check</code> "
        "核验。<br>This page is made of <code>pack.json</code>; the whole file is checked with"
        " <code>tallypost audit check</code>.</p>",
        _table("签收人与收件人", "Signer against recipient", told["signer"]),
        _table("收件人", "Recipient", _recipients(cards)),
        _table("物流轨迹", "Track", told["track"]),
        _table("询问与回答", "Questions and answers", told["questions"]),
        _table("承运商答复", "The carrier's answer", told["inquiry"]),
        _table("往来文字", "Words and messages", told["messages"], instead=said),
        _table("凭证文件", "Files", told["files"], instead=said),
        _table("积分账", "Ledger", told["ledger"]),
        _payloads(cards),
        _events(content["events"]),
    ]
    body = "\n".join(part for part in parts if part)
    return (
        '<!doctype html>\n<html lang="zh-CN">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{_text(content['case'])}</title>\n<style>{STYLE}</style>\n{body}\n</html>\n"
    ).encode()


def _about(content: Mapping[str, Any], head: Mapping[str, Any], state: Mapping[str, Any]) -> str:
    decision = state["decision"] or {}
    rows: list[tuple[str, str, Any]] = [
        ("订单", "Order", content["order"]),
        ("包裹", "Parcel", content["parcel"]),
        ("事由", "Reason", state["reason"]),
        ("状态", "State", " · ".join(filter(None, (state["state"], decision.get("outcome"))))),
        ("日志位置", "Log position", head["position"]),
        ("日志根", "Root of the log", head["root"]),
        ("签名时刻", "Head recorded at", head["recorded_at"]),
        ("签名密钥", "Signed by key", head["key_id"]),
        ("制作工具", "Made by", content["tool"]),
    ]
    lines = "".join(f"<tr><th>{zh}<small>{en}</small><td>{_text(value)}" for zh, en, value in rows)
    return f'<table class="about">{lines}</table>'


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return "<br>".join(f"{escape(str(name))}: {_text(it)}" for name, it in value.items())
    if isinstance(value, list):
        return "<br>".join(map(_text, value))
    if isinstance(value, bool):
        return "是 yes" if value else "否 no"
    return "—" if value in (None, "") else escape(str(value))


def _heading(zh: str, en: str) -> str:
    return f"<h2>{zh} <small>{escape(en)}</small></h2>\n"


def _table(
    zh: str,
    en: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    instead: Mapping[str, str] | None = None,
) -> str:
    """A table of these rows; `instead` has what is shown for a card's id."""
    if not rows:
        return ""
    names = list(rows[0])
    heads = "".join(f"<th>{_COLUMNS.get(name, '')}<small>{_text(name)}</small>" for name in names)
    lines = "".join(
        "<tr>" + "".join(_cell(name, row.get(name), instead or {}) for name in names)
        for row in rows
    )
    return f"{_heading(zh, en)}<table><tr>{heads}{lines}</table>"


def _cell(name: str, value: Any, instead: Mapping[str, str]) -> str:
    shown = instead.get(value) if name == "card" and isinstance(value, str) else None
    css = ' class="figure"' if name in _FIGURES else ""
    return f"<td{css}>{_text(value) if shown is None else shown}"


def _card_words(one: Mapping[str, Any]) -> str:
    """What is on a card, or what became of it."""
    if one["state"] != "included":
        return f'<span class="gone">{_STATES[one["state"]]}</span>'
    if one["file"] is not None:
        name = escape(one["file"])
        picture = f'<img src="{name}" alt="">' if name.endswith(_PICTURES) else ""
        return f'<a href="{name}">{name}</a>{picture}'
    if one["text"] is None:
        return f"<pre>{_text(one['base64'])}</pre>"
    return f"<pre>{_text(_readable(one['text']))}</pre>"


def _readable(text: str) -> str:
    """A message in both languages as lines; anything else as it is."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if isinstance(found, dict) and found.keys() == {"zh", "en"}:
        return f"{found['zh']}\n{found['en']}"
    return text


def _recipients(cards: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [
        {"position": one["position"], **(one["recipient"] or {})}
        for one in cards
        if one["field"] == "recipient"
    ]


def _payloads(cards: Iterable[Mapping[str, Any]]) -> str:
    lines = "".join(
        f'<tr><td class="figure">{_text(one["position"])}<td>{_text(one["about"])}'
        f"<td><code>{_text(one['card'])}</code><td>{_card_words(one)}"
        for one in cards
        if one["field"] == "payload"
    )
    if not lines:
        return ""
    heads = "".join(
        f"<th>{zh}<small>{en}</small>"
        for zh, en in (("位置", "position"), ("来源", "source"), ("密存编号", "card"),
                       ("原始报文", "as it came"))
    )  # fmt: skip
    return f"{_heading('原始报文', 'Payloads')}<table><tr>{heads}{lines}</table>"


def _events(events: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for one in events:
        stored = one.get("event") or {}
        rows.append(
            {
                "position": one["position"],
                "fact": one["fact"],
                "stream": f"{one['stream']}@{one['version']}",
                "happened_at": stored.get("happened_at"),
                "recorded_at": stored.get("recorded_at"),
                "actor": stored.get("actor"),
                "reason": stored.get("reason"),
            }
        )
    return _table("全部事件", "All events; the proof of each is in pack.json", rows)
