"""What happened as people say it: every fact of an order, in both languages (D1, N3)."""

from datetime import UTC, datetime
from typing import Any

import api.pages as pages
from api.fact_words import FIGURES, details, titles
from application.envelope import Context, Envelope, decode_fact
from application.queries_asked import Outcome as Asked
from domain.approvals import Kind
from domain.claims import InquiryResult
from domain.dispute_facts import Answer, Outcome, Question, SignerMatch
from domain.facts import FACTS
from domain.house_rules import SHANGHAI
from domain.order_facts import Fault
from domain.return_facts import Payer, Remedy
from tests.corpus import released

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
ROOMS = ("approvals", "claims", "disputes", "notes", "orders", "parcels", "returns")


def event(name: str, data: bytes, stream: str = "order:T1") -> Envelope:
    category, _, key = stream.partition(":")
    context = Context(actor="support:wang", command="k", reason="to call back")
    return Envelope(1, stream, category, key, 1, decode_fact(name, data), NOON, NOON, context)


def test_every_fact_of_an_order_says_which_of_its_figures_are_told() -> None:
    """D1: a new fact has to be thought about here; no figure is named that no fact has."""
    concerning = {
        name
        for name, fact in FACTS.items()
        if name.partition(".")[0] in ROOMS or "order" in fact.model_fields
    }
    assert concerning - {"privacy.CardRevealed"} <= {*FIGURES}
    more = {"why", "sku", "warehouse", "outcome", "points", "reason", "maker"}
    for name, figures in FIGURES.items():
        fields = set(FACTS[name].model_fields)
        assert set(figures.split()) <= fields | more, name


def test_every_fact_is_told_in_both_languages_when_it_is_read_from_the_log() -> None:
    """D1, N3: no key without words, no figure that cannot be said, no Python in it."""
    for name, _, data in released():
        if name not in FIGURES:
            continue
        stream = "stock:zhejiang:notebook" if name.startswith("stock.") else "order:T1"
        told = event(name, data, stream)
        assert all(titles(told.fact).values())
        for text in (details(told, zone=SHANGHAI) or {}).values():
            assert text
            assert not {"(", "[", "{", "None", "datetime"} & {*text} or "(" in str(data), (
                name,
                text,
            )


def test_figures_are_said_as_each_language_says_them() -> None:
    """N3: points, money, times on the business's clocks, words for values of lists."""
    told = details(event(*_stored("orders.UnitsRefunded")), zone=SHANGHAI)
    assert told is not None
    assert "积分" in told["zh"]
    assert "points" in told["en"]
    asked = details(event(*_stored("disputes.QuestionsAsked")), zone=SHANGHAI)
    assert asked is not None
    fact = decode_fact(*_stored("disputes.QuestionsAsked"))
    assert f"{fact.answer_by.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" in asked["en"]  # type: ignore[attr-defined]
    followed = details(event(*_stored("parcels.TrackingSubscribed")), zone=SHANGHAI)
    assert followed == {"zh": "快递100", "en": "Kuaidi100"}
    shelf = details(
        event(*_stored("stock.StockReserved"), "stock:zhejiang:notebook"), zone=SHANGHAI
    )
    assert shelf is not None
    assert shelf["en"].startswith("Zhejiang · notebook × ")
    named = details(
        event(*_stored("stock.StockReserved"), "stock:zhejiang:notebook"),
        zone=SHANGHAI,
        names={"notebook": "线装笔记本 Thread-bound notebook"},
    )
    assert named is not None
    assert "线装笔记本 × " in named["zh"]
    assert named["en"].startswith("Zhejiang · Thread-bound notebook × ")
    told_of = event(*_stored("stock.StockReserved"), "stock:rented:notebook")
    for names, said in (({}, "rented · "), ({"rented": "租赁仓 Rented"}, "Rented · ")):
        third = details(told_of, zone=SHANGHAI, warehouses=names)
        assert third is not None
        assert third["en"].startswith(said)


def test_every_value_of_a_list_has_its_word() -> None:
    """N3: nothing is told by its code."""
    lists: dict[str, Any] = {
        "answer": Answer, "approval_kind": Kind, "inquiry_result": InquiryResult,
        "outcome": Outcome, "query_outcome": Asked, "question": Question, "payer": Payer,
        "reason": Fault, "remedy": Remedy, "signer": SignerMatch,
    }  # fmt: skip
    wanted = {f"{name}.{value}" for name, values in lists.items() for value in values}
    assert wanted <= set(pages.WORDS["zh"])


def _stored(name: str) -> tuple[str, bytes]:
    return next((found, data) for found, _, data in released() if found == name)
