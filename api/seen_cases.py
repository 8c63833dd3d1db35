"""案件画面 A case as its reader may see it: what one screen needs (D1)."""

from collections.abc import Sequence
from typing import Any

from psycopg import AsyncConnection

from application.cards import open_recipient
from application.case_words import Said, said_in, without_names
from application.envelope import Envelope
from application.holding import held
from application.recipients import Recipient
from application.streams import APPROVAL
from domain.approvals import ApprovalRequested
from domain.dispute_facts import Decision, DecisionProposed, EvidenceGathered
from domain.disputes import Dispute
from domain.refusals import NotFound
from projections import order_answers, order_queries
from projections.case_history import Moment, case_events, for_learners, timeline
from projections.disputes import CaseRow

NOW = 2**62
"""Everything that is recorded."""


async def seen_case(
    connection: AsyncConnection[Any], tenant: Any, row: CaseRow, *, staff: bool
) -> dict[str, Any]:
    """What is known of a case beyond its row; learners are not told what is the house's."""
    schema = tenant.schema
    events = await case_events(
        connection, schema, case=row.id, order=row.order_number, parcel=row.parcel, known_at=NOW
    )
    said = await said_in(connection, schema, tenant.vault, events)
    asking = order_queries.Asking(connection, schema)
    order = await asking.order(row.order_number) if staff else None
    recipient = None if order is None else await recipient_of(connection, tenant, order)
    parcels = dict(await asking.parcels(row.order_number))
    box = parcels.get(row.parcel)
    dispute = row.dispute
    asked = row.inquiry is not None
    return {
        "disputable_until": dispute.disputable_until,
        "value_fen": dispute.value_fen,
        "questions": [
            {"question": one.question, "answer": one.answer, "timed_out": one.timed_out}
            for one in dispute.questions
        ],
        "files": files_of(dispute),
        "evidence": _evidence(events) if staff else None,
        "said": _said(said, recipient, staff=staff),
        "messages": messages_of(said),
        "inquiry_about": {
            "state": row.inquiry,
            "answer_by": row.inquiry_answer_by,
            "result": row.inquiry_result,
        }
        if asked
        else None,
        "decision": _decision(dispute.decision, staff=staff) if row.outcome else None,
        "proposed": _proposed(events, dispute) if staff else None,
        "track": None
        if box is None
        else order_answers.parcel_seen(row.parcel, box, order=row.order_number),
        "timeline": _timeline(timeline(events), row, staff=staff),
        "position": row.position,
        "version": row.version,
    }


def files_of(dispute: Dispute) -> list[dict[str, Any]]:
    """The case's files without their content."""
    return [
        {
            "file": one.file,
            "media_type": one.media_type,
            "size_bytes": one.size_bytes,
            "digest": one.content.digest,
            "by": one.by,
        }
        for one in dispute.files
    ]


def messages_of(said: Sequence[Said]) -> list[dict[str, Any]]:
    """What the learner was told, oldest first."""
    told = []
    for one in said:
        if one.about == "message":
            message = one.message
            words = message._asdict() if message else {"zh": None, "en": None}
            told.append({"position": one.position, **words})
    return told


async def recipient_of(
    connection: AsyncConnection[Any], tenant: Any, order: order_queries.OrderRow
) -> Recipient | None:
    """Whose name is hidden in words; None when they are gone, and so are the words."""
    if order.card is None or await held(connection, tenant.schema, [order.learner]):
        return None
    try:
        return await open_recipient(connection, tenant.schema, tenant.vault, order.card)
    except NotFound:
        return None


def _said(
    said: Sequence[Said], recipient: Recipient | None, *, staff: bool
) -> list[dict[str, Any]]:
    shown = []
    for one in said:
        if one.about == "message" or (one.about == "inquiry" and not staff):
            continue
        text = one.text
        if staff and text is not None:
            text = without_names(text, recipient)
        shown.append({"position": one.position, "about": one.about, "text": text})
    return shown


def _evidence(events: Sequence[Envelope]) -> dict[str, Any] | None:
    found = [one.fact for one in events if isinstance(one.fact, EvidenceGathered)]
    return found[-1].model_dump(mode="json") if found else None


def _decision(decision: Decision | None, *, staff: bool) -> dict[str, Any] | None:
    if decision is None:
        return None
    inner = {"reason": decision.reason, "unconfirmed_because": decision.unconfirmed_because}
    return {
        "outcome": decision.outcome,
        "points": decision.points,
        "units": [one.model_dump() for one in decision.units],
        **(inner if staff else {}),
    }


def _proposed(events: Sequence[Envelope], dispute: Dispute) -> dict[str, Any] | None:
    """What waits for a second person: who asked for it, and where they decide (A8)."""
    shown = _decision(dispute.proposed, staff=True)
    asked = [one.fact for one in events if isinstance(one.fact, DecisionProposed)]
    if shown is None or not asked:
        return None
    stream = APPROVAL.stream(asked[-1].approval)
    (request,) = (
        one.fact
        for one in events
        if one.stream == stream and isinstance(one.fact, ApprovalRequested)
    )
    return {
        **shown,
        "approval": asked[-1].approval,
        "maker": asked[-1].maker,
        "alone_points": request.alone_points,
        "alone_times": request.alone_times,
    }


def _timeline(moments: Sequence[Moment], row: CaseRow, *, staff: bool) -> list[dict[str, Any]]:
    shown = []
    seen = {
        one.event.position
        for one in moments
        if staff or for_learners(one.event, learner=row.learner)
    }
    for event, because_of in moments:
        if event.position not in seen:
            continue
        actor = event.context.actor
        line = {
            "position": event.position,
            "at": event.happened_at,
            "fact": event.fact.fact_name,
            "stream": event.stream,
            "actor": actor if staff else actor.partition(":")[0],
            "because_of": because_of if because_of in seen else None,
        }
        if staff:
            line["details"] = event.fact.model_dump(mode="json")
        shown.append(line)
    return shown
