"""账单中的付款 Payments and refunds, as their provider may bill them (W6, O5)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

from domain.bill_facts import Charge
from domain.bill_known import Known

Row = Mapping[str, Any]


def payments(rows: Sequence[Row], partner: str) -> dict[str, Known]:
    """Payments by their attempts' numbers; one that two orders have is nobody's."""
    orders = Counter(row["attempt"] for row in rows)
    return {
        row["attempt"]: Known(
            about=row["order_number"],
            theirs=row["means"] in (None, partner),
            refunded=-sum(row["refunds"]) >= row["amount_fen"],
            ours={
                Charge.CAPTURE: row["amount_fen"],
                Charge.REFUND: sum(row["refunds"]),
            },
            refunds=dict(zip(row["names"], row["refunds"], strict=True)),
            taken=frozenset({Charge.FEE}),
        )
        for row in rows
        if orders[row["attempt"]] == 1
    }


def refunds(rows: Sequence[Row], partner: str) -> dict[str, Known]:
    """Refunds by their own numbers; of one that failed, nothing went back."""
    found: dict[str, Known] = {}
    for row in rows:
        given = 0 if row["state"] == "failed" else -row["amount_fen"]
        found[row["number"]] = Known(
            about=row["order_number"],
            theirs=row["means"] in (None, partner),
            ours={Charge.REFUND: given},
            refunds={row["number"]: given},
            taken=frozenset({Charge.FEE}),
        )
    return found


# What a provider bills a refund under. Those whose own ids were each order's alone (`refund-1`)
# have no number of which anybody could tell whose it is: the house names them with their order.
NUMBER: LiteralString = """
CASE WHEN starts_with(r.refund, r.order_number || '-') THEN r.refund
    ELSE r.order_number || '-' || r.refund END
"""
# What came too late, or once more, went back as a whole and was no order's payment: that it came is
# known from its refund, and not by which provider.
CAPTURES: LiteralString = f"""
WITH came AS (
    SELECT attempt, order_number, means, amount_fen FROM {{captures}}
    WHERE attempt = ANY(%(numbers)s)
    UNION ALL
    SELECT attempt, order_number, NULL, max(amount_fen) FROM {{cash_refunds}} r
    WHERE attempt = ANY(%(numbers)s) AND NOT EXISTS (
        SELECT FROM {{captures}} c
        WHERE c.order_number = r.order_number AND c.attempt = r.attempt)
    GROUP BY attempt, order_number
)
SELECT c.attempt, c.order_number, c.means, c.amount_fen,
    coalesce(array_agg(-r.amount_fen ORDER BY r.refund) FILTER (WHERE r.refund IS NOT NULL),
        '{{{{}}}}') AS refunds,
    coalesce(array_agg({NUMBER} ORDER BY r.refund) FILTER (WHERE r.refund IS NOT NULL), '{{{{}}}}')
        AS names
FROM came c LEFT JOIN {{cash_refunds}} r
    ON r.order_number = c.order_number AND r.attempt = c.attempt AND r.state <> 'failed'
GROUP BY c.attempt, c.order_number, c.means, c.amount_fen
"""
# With the other refunds of their payments, and of the payments that are named.
REFUNDS: LiteralString = f"""
SELECT {NUMBER} AS number, r.order_number, r.attempt, r.amount_fen, r.state, c.means
FROM {{cash_refunds}} r
    LEFT JOIN {{captures}} c ON c.order_number = r.order_number AND c.attempt = r.attempt
WHERE {NUMBER} = ANY(%(numbers)s) OR r.attempt = ANY(%(numbers)s)
"""
