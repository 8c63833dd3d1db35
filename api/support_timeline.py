"""客服时间线 All that concerns an order as one list in the order of time, with causes (D1, A1, A4).

Its own facts, its points and stock, its parcels with their scans, cases and claims, what its
learner and other systems were told, what sources of tracks were asked, and notes: one entry each,
masked, with the entry it came of. Then what the house will do next by itself, and what is stuck.
No view is kept for it: the order's trail knows which events belong to it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection

from api.fact_words import BETWEEN, Language, details, in_both, titles
from api.seen_cases import NOW, recipient_of
from api.support_ahead import ahead_in_words
from application.case_words import Said, said_in, without_names
from application.delay_messages import NOT_SENT, message_for
from application.envelope import Envelope
from application.queries_asked import LastAsked, last_asked
from application.recipients import Recipient
from application.streams import CLAIM, DISPUTE, NOTES, RETURN
from application.subscriptions import Subscriptions, Tried
from domain.disputes import case_id
from domain.order_facts import OrderPlaced
from domain.parcel_facts import (
    DeliveryDelayed,
    ParcelScanned,
    SecondNumberTold,
    WaybillIssued,
)
from domain.promise_facts import SendingDelayed
from projections.ahead import ahead_of
from projections.audit_queries import order_events
from projections.case_history import Moment, timeline
from projections.order_queries import OrderRow

KINDS = {"account": "ledger", "notes": "note", "intercept": "parcel", "consignment": "parcel"}
"""What an entry is about where it is not what its stream's category says."""
TELLING_OTHERS, ASKING_CARRIERS = "policy:webhooks", "policy:querying"
"""The actors of what is done for the house and is no fact."""


async def order_timeline(
    connection: AsyncConnection[Any], tenant: Any, row: OrderRow
) -> dict[str, Any]:
    """The entries of an order, oldest first, as staff may see them."""
    schema = tenant.schema
    events = await order_events(connection, schema, row.number, known_at=NOW)
    said = await said_in(connection, schema, tenant.vault, events)
    subscriptions = Subscriptions(connection, schema=schema, vault=tenant.vault)
    tried = await subscriptions.tries_of([one.position for one in events])
    labelled = {
        one.fact.waybill: one
        for one in events
        if isinstance(one.fact, WaybillIssued | SecondNumberTold)
    }
    asked = await last_asked(connection, schema, list(labelled))
    telling = _Telling(
        order=row.number,
        zone=tenant.rules.zone,
        recipient=await recipient_of(connection, tenant, row),
        cases=frozenset(one.key for one in events if one.category == DISPUTE.name),
        said={one.position: one for one in said},
        names=_names(events),
        warehouses=tenant.loads.names,
    )
    entries = [telling.event(moment) for moment in timeline(events)]
    entries += [telling.message(one) for one in events if telling.tells_learner(one)]
    entries += [telling.tried(one) for one in tried]
    entries += [telling.asked(one, labelled[one.waybill]) for one in asked]
    entries.sort(key=_by_time)
    position = max((one.position for one in events), default=row.position)
    ahead = ahead_in_words(
        await ahead_of(connection, tenant, row, events),
        events,
        zone=telling.zone,
        recipient=telling.recipient,
        warehouses=telling.warehouses,
    )
    return {"order": row.number, "entries": entries, "ahead": ahead, "position": position}


class _Telling(NamedTuple):
    """What it takes to tell staff of the events of one order."""

    order: str
    zone: ZoneInfo
    recipient: Recipient | None
    """Whose name and door are hidden in words."""
    cases: frozenset[str]
    said: Mapping[int, Said]
    """What was said, by the position of its event."""
    names: Mapping[str, str]
    """What the order's items are called, by SKU."""
    warehouses: Mapping[str, str]
    """What warehouses call themselves, by code."""

    def event(self, moment: Moment) -> dict[str, Any]:
        """An event as it is, with its words."""
        event = moment.event
        scan = isinstance(event.fact, ParcelScanned)
        return {
            **_at(event, f"e{event.position}"),
            "kind": "scan" if scan else KINDS.get(event.category, event.category),
            "fact": event.fact.fact_name,
            "stream": event.stream,
            "words": titles(event.fact),
            "details": details(event, zone=self.zone, names=self.names, warehouses=self.warehouses),
            "said": self._said(event),
            "because_of": None if moment.because_of is None else f"e{moment.because_of}",
        }

    def tells_learner(self, event: Envelope) -> bool:
        """Whether the learner was told something with it."""
        said = self.said.get(event.position)
        return _delay_told(event) is not None or (said is not None and said.about == "message")

    def message(self, event: Envelope) -> dict[str, Any]:
        """What the learner was told: an entry of its own, which came of what was told."""
        cause = _delay_told(event)
        if cause is not None:  # words of the house name nobody: they are shown as they were told
            shown: dict[str, str] | None = message_for(cause)._asdict()
        else:
            message = self.said[event.position].message
            shown = message and in_both(
                lambda one: without_names(getattr(message, one.code), self.recipient), self.zone
            )
        return {
            **_at(event, f"m{event.position}"),
            "kind": "message",
            "fact": None,
            "stream": event.stream,
            "words": in_both(lambda one: one.say("told.message"), self.zone),
            "details": shown,
            "said": None,
            "because_of": f"e{event.position}",
        }

    def tried(self, one: Tried) -> dict[str, Any]:
        """Another system was told of an event, or was not reached."""
        return {
            "id": f"w{one.webhook}-{one.serial}",
            "position": one.position,
            "happened_at": one.at,
            "recorded_at": one.at,
            "actor": TELLING_OTHERS,
            "kind": "webhook",
            "fact": None,
            "stream": None,
            "words": in_both(lambda language: language.say("told.webhook"), self.zone),
            "details": in_both(lambda language: _try_in_words(one, language), self.zone),
            "said": None,
            "because_of": f"e{one.position}",
        }

    def asked(self, one: LastAsked, labelled: Envelope) -> dict[str, Any]:
        """A source was asked where the parcel is; only the last time is kept."""
        outcome = one.outcome or "now"
        return {
            "id": f"q{one.waybill}",
            "position": labelled.position,
            "happened_at": one.asked_at,
            "recorded_at": one.asked_at,
            "actor": ASKING_CARRIERS,
            "kind": "query",
            "fact": None,
            "stream": labelled.stream,
            "words": in_both(lambda language: language.say("told.query"), self.zone),
            "details": in_both(
                lambda language: f"{one.waybill}{BETWEEN}{language.of(['query_outcome'], outcome)}",
                self.zone,
            ),
            "said": None,
            "because_of": None,
        }

    def _said(self, event: Envelope) -> dict[str, Any] | None:
        """What somebody said, without what names people, and where to ask for the rest (A4)."""
        said = self.said.get(event.position)
        if said is None or said.about == "message":
            return None
        if said.text is None:
            return {"text": None, "reveal": None}
        if event.category == RETURN.name:
            return {"text": without_names(said.text, self.recipient), "reveal": None}
        if event.category == NOTES.name:
            reveal: str | None = f"/v1/support/orders/{self.order}/notes/{event.position}/reveals"
        else:
            # What a carrier answers about a parcel belongs to the order's case of it, if any.
            case = case_id(self.order, event.key) if event.category == CLAIM.name else event.key
            known = case in self.cases
            reveal = f"/v1/disputes/{case}/words/{event.position}/reveals" if known else None
        return {"text": without_names(said.text, self.recipient), "reveal": reveal}


def _names(events: Sequence[Envelope]) -> dict[str, str]:
    placed = [one.fact for one in events if isinstance(one.fact, OrderPlaced)]
    return {line.sku: line.name for fact in placed for line in fact.lines}


def _by_time(entry: dict[str, Any]) -> tuple[Any, ...]:
    """By the time at which it happened; points and stock stand after what moved them."""
    position, cause = entry["position"], entry["because_of"]
    led_by = int(cause[1:]) if cause else 0
    return entry["happened_at"], max(position, led_by), led_by > position, position, entry["id"]


def _at(event: Envelope, name: str) -> dict[str, Any]:
    """Where an entry stands, and whose doing it is."""
    return {
        "id": name,
        "position": event.position,
        "happened_at": event.happened_at,
        "recorded_at": event.recorded_at,
        "actor": event.context.actor,
    }


def _try_in_words(one: Tried, language: Language) -> str:
    """Who was told with which outcome; of the address the host alone: the rest may be secret."""
    said = [one.owner, urlsplit(one.url).hostname or "", language.of(["delivery"], one.outcome)]
    if one.status is not None:
        said.append(f"HTTP {one.status}")
    return BETWEEN.join([*said, language.say("webhook.attempt", n=one.attempt)])


def _delay_told(event: Envelope) -> str | None:
    """What keeps a parcel or an order, where the event is that its learner was told (T5)."""
    if isinstance(event.fact, SendingDelayed):
        return NOT_SENT
    return event.fact.cause if isinstance(event.fact, DeliveryDelayed) else None
