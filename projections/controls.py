"""内控 Standing controls: what an auditor looks at first, found in the log itself (A9).

A finding is named by the position of the fact that is found, and comes with the facts it is found
by: the claim beside a compensation, the request beside its approval. Nothing is judged here: most
findings have a good reason, and somebody has to have looked at each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString, NamedTuple

from psycopg import AsyncConnection

from domain.house_rules import HouseRules
from projections.reading import compose


@dataclass(frozen=True, slots=True)
class Asked:
    """How the controls are run."""

    seed: str = "tallypost"
    """Draws the random sample: whoever knows it can draw it again."""
    sample: int = 25
    dated_back_days: int = 7


class Evidence(NamedTuple):
    """An event that belongs to a finding."""

    control: str
    finding: int
    """Position of the fact that is found."""
    position: int
    stream: str
    version: int
    name: str
    stored: bytes


COLUMNS = ("control", "finding", "position", "stream", "version", "fact")
"""How a report names what evidence holds, but for its bytes."""


def parameters(position: int, asked: Asked, rules: HouseRules) -> dict[str, Any]:
    """What the query is asked with; all controls are named, those too that find nothing."""
    return {
        "position": position,
        "controls": list(CONTROLS),
        "seed": asked.seed,
        "sample": asked.sample,
        "dated_back_days": asked.dated_back_days,
        "four_eyes_points": rules.four_eyes_points,
    }


async def findings(
    connection: AsyncConnection[Any], schema: str, given: dict[str, Any]
) -> list[Evidence]:
    """What the controls find in the log up to a position, each finding's facts together."""
    cursor = await connection.execute(compose(QUERY, schema, (), ""), given)
    order = {name: place for place, name in enumerate(CONTROLS)}
    found = sorted(await cursor.fetchall(), key=lambda row: (order[row[0]], row[1], row[2]))
    events = await _events(connection, schema, {position for *_, position in found})
    return [Evidence(control, at, *events[position]) for control, at, position in found]


async def _events(
    connection: AsyncConnection[Any], schema: str, positions: set[int]
) -> dict[int, Sequence[Any]]:
    cursor = await connection.execute(compose(_EVENTS, schema, (), ""), (list(positions),))
    return {row[0]: row for row in await cursor.fetchall()}


# Everything the controls look at but for the two that look at all; who does something is a person,
# whatever the role they do it in. Goods were seen when somebody had them in hand in the same
# command: what a request says of itself is no evidence.
_TOLD: LiteralString = """
WITH told AS MATERIALIZED (
    SELECT notification_id AS position, originator_id AS stream, topic, told -> 'fact' AS fact,
        substr(originator_id, strpos(originator_id, ':') + 1) AS key,
        split_part(told ->> 'actor', ':', 1) AS role,
        substr(told ->> 'actor', strpos(told ->> 'actor', ':') + 1) AS person,
        told ->> 'command' AS command, (told ->> 'recorded_at')::timestamptz AS recorded_at
    FROM (
        SELECT notification_id, originator_id, topic, convert_from(state, 'UTF8')::json AS told
        FROM {tallypost_events}
        WHERE notification_id <= %(position)s AND topic IN (
            'approvals.ApprovalRequested', 'approvals.ApprovalGiven', 'claims.ClaimFiled',
            'claims.ClaimPaid', 'claims.ClaimWrittenOff', 'disputes.DisputeOpened',
            'disputes.DisputeDecided', 'intercepts.InterceptAsked', 'intercepts.GoodsTakenBack',
            'ledger.PointsGranted', 'ledger.PointsDeducted', 'ledger.GrantClawedBack',
            'orders.CancelledUnitsSent', 'orders.CancelledUnitsGivenUp', 'orders.GoodsCameBack',
            'orders.UnitsRefunded', 'orders.ReplacementOrdered', 'privacy.CardRevealed',
            'privacy.PackRevealed', 'returns.ReturnOpened', 'returns.GoodsInspected',
            'returns.ReturnSettled'
        )
    ) looked_at
    WHERE topic <> 'ledger.PointsGranted'
        OR told -> 'fact' ->> 'reason' IN ('manual', 'compensation')
), placed AS NOT MATERIALIZED (
    SELECT originator_id AS stream, convert_from(state, 'UTF8')::json -> 'fact' AS fact
    FROM {tallypost_events} WHERE originator_version = 1 AND topic = 'orders.OrderPlaced'
), seen AS (
    SELECT role, person, command, recorded_at FROM told
    WHERE topic IN ('returns.GoodsInspected', 'intercepts.GoodsTakenBack')
), by_hand AS (
    SELECT position, key, person, recorded_at, (fact ->> 'points')::bigint AS points FROM told
    WHERE starts_with(topic, 'ledger.')
        AND role IN ('support', 'operations', 'administrator', 'service')
        AND (role <> 'service' OR topic <> 'ledger.GrantClawedBack')
        AND (role, person, command, recorded_at) NOT IN (
            SELECT role, person, command, recorded_at FROM told
            WHERE topic = 'approvals.ApprovalGiven'
        )
)"""
# A course has no goods; broken goods that were taken back are back, though on no shelf. What a
# third party sent though it was cancelled was paid back, too: it is found until it came back, and
# beside who gave it up, where somebody did: a refund without goods by a decision, as others are.
_NO_GOODS: LiteralString = """
SELECT r.position AS finding, r.position FROM told r JOIN placed p USING (stream)
WHERE r.topic = 'orders.UnitsRefunded' AND r.fact ->> 'goods_back' = 'false'
    AND (r.role, r.person, r.command, r.recorded_at) NOT IN (TABLE seen)
    AND EXISTS (
        SELECT FROM json_array_elements(r.fact -> 'units') gone,
            json_array_elements(p.fact -> 'lines') line
        WHERE gone ->> 'line' = line ->> 'line' AND line ->> 'kind' = 'parcel'
    )
UNION ALL
SELECT s.position, unnest(array_remove(ARRAY[s.position, g.position], NULL)) FROM told s
LEFT JOIN told g ON g.topic = 'orders.CancelledUnitsGivenUp' AND g.stream = s.stream
    AND g.position > s.position AND g.fact ->> 'parcel' = s.fact ->> 'parcel'
WHERE s.topic = 'orders.CancelledUnitsSent' AND (g.position IS NOT NULL OR NOT EXISTS (
        SELECT FROM told b
        WHERE b.topic = 'orders.GoodsCameBack' AND b.stream = s.stream AND b.position > s.position
            AND b.fact ->> 'parcel' = s.fact ->> 'parcel'
    ))"""
_ON_WORD: LiteralString = """
SELECT position AS finding, position FROM told
WHERE topic = 'orders.UnitsRefunded' AND fact ->> 'goods_back' = 'true'
    AND (role, person, command, recorded_at) NOT IN (TABLE seen)"""
_SENT_AGAIN: LiteralString = """
SELECT position AS finding, position FROM told
WHERE topic = 'orders.ReplacementOrdered'
    AND (role, person, command, recorded_at) NOT IN (TABLE seen)"""
# Compensation for a case is beside the claim of its parcel; any other, beside all claims for
# parcels of its learner. Beside: the claim was not over when the points were given.
_BESIDE_CLAIM: LiteralString = """
SELECT g.position AS finding, unnest(ARRAY[g.position, f.position]) AS position
FROM told g
JOIN (
    SELECT DISTINCT f.stream, f.key, f.position, p.fact ->> 'learner' AS learner
    FROM told f, json_array_elements_text(f.fact -> 'orders') AS number
    JOIN placed p ON p.stream = 'order:' || number
    WHERE f.topic = 'claims.ClaimFiled'
) f ON f.learner = g.key
LEFT JOIN told d ON d.topic = 'disputes.DisputeOpened'
    AND d.key = split_part(g.fact ->> 'source', '#', 1)
WHERE g.topic = 'ledger.PointsGranted' AND g.fact ->> 'reason' = 'compensation'
    AND coalesce(d.fact ->> 'parcel', f.key) = f.key
    AND NOT EXISTS (
        SELECT FROM told o
        WHERE o.stream = f.stream AND o.position < g.position
            AND o.topic IN ('claims.ClaimPaid', 'claims.ClaimWrittenOff')
    )"""
# A case that is named has to be one of this learner's, and to have been there.
_NO_CASE: LiteralString = """
SELECT r.position AS finding, r.position FROM told r
WHERE r.topic = 'privacy.CardRevealed' AND NOT EXISTS (
    SELECT FROM told c
    WHERE c.topic IN ('disputes.DisputeOpened', 'returns.ReturnOpened')
        AND c.key = r.fact ->> 'case' AND c.fact ->> 'learner' = r.key
        AND c.position < r.position
)"""
# A minor's card is shown to nobody without an approval, and its event names it.
_MINORS: LiteralString = """
SELECT r.position AS finding, unnest(ARRAY[r.position, a.position]) AS position
FROM told r JOIN told a ON a.topic = 'approvals.ApprovalGiven' AND a.key = r.fact ->> 'approval'
WHERE r.topic IN ('privacy.CardRevealed', 'privacy.PackRevealed')"""
_PACKS: LiteralString = """
SELECT position AS finding, position FROM told WHERE topic = 'privacy.PackRevealed'"""
_SAME_PERSON: LiteralString = """
SELECT c.position AS finding, unnest(ARRAY[m.position, c.position]) AS position
FROM (VALUES
    ('approvals.ApprovalRequested', 'approvals.ApprovalGiven'),
    ('claims.ClaimFiled', 'claims.ClaimWrittenOff'),
    ('disputes.DisputeOpened', 'disputes.DisputeDecided'),
    ('intercepts.InterceptAsked', 'intercepts.GoodsTakenBack'),
    ('returns.ReturnOpened', 'returns.ReturnSettled')
) pair (made, checked)
JOIN told m ON m.topic = pair.made
JOIN told c ON c.topic = pair.checked AND c.stream = m.stream AND c.position > m.position
WHERE coalesce(m.fact ->> 'maker', m.person) = coalesce(c.fact ->> 'checker', c.person)
    AND m.role <> 'policy' AND c.role <> 'policy'
    AND m.fact ->> 'intercept' IS NOT DISTINCT FROM c.fact ->> 'intercept'
    AND coalesce(c.fact -> 'decision' ->> 'outcome', '') NOT IN ('found', 'rejected')"""
# By one person for one learner within a day, and no second person allowed any of it.
_BELOW_LIMIT: LiteralString = """
SELECT one.position AS finding, beside.position
FROM (
    SELECT *, sum(points) OVER (
        PARTITION BY key, person ORDER BY recorded_at
        RANGE BETWEEN '24 hours' PRECEDING AND CURRENT ROW
    ) AS together
    FROM by_hand
) one JOIN by_hand beside USING (key, person)
WHERE one.together >= %(four_eyes_points)s
    AND beside.recorded_at BETWEEN one.recorded_at - interval '24 hours' AND one.recorded_at"""
_OWN: LiteralString = """
SELECT position AS finding, position FROM told
WHERE starts_with(topic, 'ledger.') AND role <> 'learner' AND person = key
UNION ALL
SELECT r.position, r.position FROM told r JOIN placed p USING (stream)
WHERE r.topic IN ('orders.UnitsRefunded', 'orders.ReplacementOrdered')
    AND r.role IN ('support', 'operations', 'administrator')
    AND r.person = p.fact ->> 'learner'"""
_DATED_BACK: LiteralString = """
SELECT notification_id AS finding, notification_id AS position FROM (
    SELECT notification_id, convert_from(state, 'UTF8')::json AS stored FROM {tallypost_events}
    WHERE notification_id <= %(position)s
) timed
WHERE (stored ->> 'happened_at')::timestamptz
    < (stored ->> 'recorded_at')::timestamptz - make_interval(days => %(dated_back_days)s)"""
_SAMPLE: LiteralString = """
SELECT * FROM (
    SELECT notification_id AS finding, notification_id AS position FROM {tallypost_events}
    WHERE notification_id <= %(position)s
    ORDER BY sha256(convert_to(%(seed)s || ':' || notification_id, 'UTF8')), notification_id
    LIMIT %(sample)s
) drawn"""

CONTROLS: dict[str, LiteralString] = {
    "refund_without_goods_back": _NO_GOODS,
    "goods_back_on_word": _ON_WORD,
    "sent_again_without_goods_back": _SENT_AGAIN,
    "compensation_beside_open_claim": _BESIDE_CLAIM,
    "unmasked_without_case": _NO_CASE,
    "minors_card_shown": _MINORS,
    "pack_unmasked": _PACKS,
    "same_maker_and_checker": _SAME_PERSON,
    "over_limit_piece_by_piece": _BELOW_LIMIT,
    "own_account": _OWN,
    "dated_back": _DATED_BACK,
    "random_sample": _SAMPLE,
}
"""What each control finds: (finding, position of a fact that belongs to it)."""

QUERY: LiteralString = (
    _TOLD
    + "\n"
    + "\nUNION\n".join(
        f"SELECT '{name}' AS control, finding, position FROM ({text}\n) {name}"
        for name, text in CONTROLS.items()
    )
)
_EVENTS = """
SELECT notification_id, originator_id, originator_version, topic, state FROM {tallypost_events}
WHERE notification_id = ANY(%s)
"""
