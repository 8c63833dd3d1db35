"""Bills that come again: the same one, a corrected one, and one that is put back (W6)."""

import io
from datetime import date

import openpyxl
import pytest

from tests.api.conftest import Mall
from tests.api.test_bills import KEY, bill, decide, differences, matched, sent

pytestmark = pytest.mark.anyio


async def test_a_bill_is_one_bill_when_it_comes_again(mall: Mall) -> None:
    """W6: the same key, the same file, or the same lines in a workbook: nothing changes."""
    rows = "waybill,fee,date\nSF1,8.00,2026-10-03\nSF2,12.30,2026-10-04\n"
    first = await sent(mall, rows, key="once")
    assert (await sent(mall, rows, key="once")).content == first.content
    assert (await sent(mall, rows)).json()["status"] == "known"
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (
        ("日期", "费用", "运单号"),
        (date(2026, 10, 3), 8, "SF1"),
        (date(2026, 10, 4), 12.3, "SF2"),
        (None, 20.3, "合计"),
    ):
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    again = (await sent(mall, content.getvalue(), name="same.xlsx")).json()
    assert (again["status"], again["revision"], again["total_fen"]) == ("known", 1, 2_030)
    listed = (await mall.get("/v1/bills", role="auditor", subject="ada")).json()["bills"]
    assert [(one["bill"], one["revision"]) for one in listed] == [(KEY, 1)]
    assert (listed[0]["first_day"], listed[0]["last_day"]) == ("2026-10-03", "2026-10-04")


async def test_a_corrected_bill_takes_the_place_of_the_first_when_it_comes(mall: Mall) -> None:
    """W6: visibly, with both versions; what was said of a difference that stays still holds."""
    await sent(mall, "waybill,fee\nSF1,8.00\nSF2,12.30\n")
    await matched(mall)
    await decide(mall, ["unknown_number:freight:SF1"], "accepted")
    corrected = (await sent(mall, "waybill,fee\nSF1,8.00\n", name="new.csv")).json()
    assert (corrected["status"], corrected["revision"]) == ("replaced", 2)
    await matched(mall)
    whole = await bill(mall)
    assert [(one["revision"], one["total_fen"]) for one in whole["revisions"]] == [
        (2, 800),
        (1, 2_030),
    ]
    assert (whole["state"], await differences(mall)) == (
        "settled",
        [("unknown_number", "SF1", 800)],
    )
    back = (await sent(mall, "waybill,fee\nSF1,8.00\nSF2,12.30\n")).json()
    assert (back["status"], back["revision"], back["total_fen"]) == ("replaced", 3, 2_030)
    assert (await sent(mall, "waybill,fee\nSF1,8.00\nSF2,12.30\n")).json()["status"] == "known"
    await matched(mall)
    assert len(await differences(mall)) == 2
