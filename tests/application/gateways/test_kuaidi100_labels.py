"""Label requests as Kuaidi100 wants them, and its answers (wire 1.2, 1.8)."""

import json
from typing import Any

import pytest

from application.gateways.kuaidi100 import sign_label
from application.gateways.kuaidi100_labels import (
    Account,
    cancel_form,
    order_form,
    read_label_reply,
    read_order_reply,
)
from application.gateways.labelling import Numbered, Person
from application.gateways.tracking import (
    IncompleteRequest,
    PartnerRefused,
    Retry,
    UnreadableReply,
)

ACCOUNT = Account("testkey12345", "secret0001")
T = "1767312000000"
SENDER = Person("积分商城", "0571-88000000", "浙江省杭州市西湖区")
RECIPIENT = Person("某某", "13800000000", "陕西省西安市碑林区")


def ordered(**more: Any) -> dict[str, str]:
    """An order's form."""
    wanted: dict[str, Any] = {
        "carrier": "zhongtong", "contract": {"partnerId": "P1"}, "sender": SENDER,
        "recipient": RECIPIENT, "cargo": "搪瓷杯", "grams": 420, "account": ACCOUNT, "t": T,
    }  # fmt: skip
    return order_form("T1-P1-L1", **{**wanted, **more})


def test_the_signature_is_theirs() -> None:
    """Wire 1.2, vector C: MD5 of param, t, key and secret, upper case."""
    param = b'{"kuaidicom":"yuantong","kuaidinum":"YT0000000000001"}'
    signed = sign_label(param, t=T, key=ACCOUNT.key, secret=ACCOUNT.secret)
    assert signed == "224761260ACDAFCEAB32AFFADF243666"


def test_an_order_is_one_order_however_often_it_is_sent() -> None:
    """W5: our own number with `reorder` off; signed over the very bytes that are sent."""
    form = ordered()
    param = json.loads(form["param"])
    assert (form["method"], param["orderId"], param["reorder"]) == ("order", "T1-P1-L1", False)
    assert (param["kuaidicom"], param["weight"], param["partnerId"]) == ("zhongtong", "0.420", "P1")
    assert param["recMan"] == {
        "name": "某某", "mobile": "13800000000", "printAddr": "陕西省西安市碑林区",
    }  # fmt: skip
    assert param["sendMan"]["tel"] == "0571-88000000"
    assert form["sign"] == sign_label(
        form["param"].encode(), t=T, key=ACCOUNT.key, secret=ACCOUNT.secret
    )
    assert ordered() == form


@pytest.mark.parametrize(
    "lacking",
    [{"contract": {}}, {"recipient": Person("某", "", "x")}, {"sender": Person("x", "", "y")}],
)
def test_what_they_would_refuse_is_not_sent(lacking: dict[str, Any]) -> None:
    """W5: no contract, nobody to phone."""
    with pytest.raises(IncompleteRequest):
        ordered(**lacking)


def test_a_cancellation_names_their_own_order() -> None:
    """Wire 1.8: `orderId` is the carrier's number of it, not ours."""
    form = cancel_form(
        "73100000000001", carrier="zhongtong", partner_order="KD1", contract={"partnerId": "P1"},
        reason="改址", account=ACCOUNT, t=T,
    )  # fmt: skip
    assert form["method"] == "cancel"
    assert json.loads(form["param"]) == {
        "partnerId": "P1", "kuaidicom": "zhongtong", "kuaidinum": "73100000000001",
        "orderId": "KD1", "reason": "改址",
    }  # fmt: skip


def body(**fields: Any) -> bytes:
    """An answer of theirs."""
    return json.dumps(fields).encode()


def test_an_answer_is_read_by_what_it_says_twice() -> None:
    """Wire 1.8: `success` and the code; the code is a number in some answers and text in others."""
    data = {"kuaidinum": "73100000000001", "kdComOrderNum": "KD1", "bulkpen": "571-A03"}
    for code in (200, "200"):
        found = read_order_reply(body(success=True, code=code, message="", data=data))
        assert found == Numbered("73100000000001", "KD1", "571-A03")
    for wrong in (b"", b"[]", b"{}", body(success=True, code=200, data={"kuaidinum": ""})):
        with pytest.raises(UnreadableReply):
            read_order_reply(wrong)


@pytest.mark.parametrize(
    ("code", "retry", "alarm"),
    [
        ("500", Retry.BACKOFF, False),
        ("503", Retry.NEVER, True),
        ("601", Retry.NEVER, True),
        ("30002", Retry.NEVER, False),
        ("", Retry.NEVER, False),
    ],
)
def test_a_refusal_says_whether_to_try_again(code: str, retry: Retry, alarm: bool) -> None:
    """M2: what is not known to pass is for a human; a wrong key is for one at once."""
    with pytest.raises(PartnerRefused) as refused:
        read_label_reply(body(success=False, code=code, message="不"))
    assert (refused.value.retry, refused.value.alarm) == (retry, alarm)
