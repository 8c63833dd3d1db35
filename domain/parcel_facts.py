"""包裹事实 What happens to parcels: packed, labelled, handed over, scanned (W1, S4, T1, T2)."""

from operator import not_

from pydantic import AwareDatetime, Field, NonNegativeInt, PositiveInt

from domain.countries import HOME
from domain.declarations import DeclarationFact
from domain.destinations import Destination
from domain.facts import Fact, Value
from domain.labels import LabelFact
from domain.lanes import Lane, Milestone
from domain.order_facts import Units
from domain.scans import ScanKind
from domain.splitting import Shipping


class Content(Value):
    """A part of an order that travels in the parcel."""

    order: str
    part: PositiveInt


class KeptApart(Value):
    """A part that travels in a parcel of its own because sharing one would have cost more (S4).

    Fen of freight, packaging, handling and what is expected to go wrong, as they were compared.
    """

    order: str
    part: PositiveInt
    parcel: str = Field(description="the parcel it could have shared, with what was in it by then")
    together_fen: NonNegativeInt = Field(description="that parcel with this part in it")
    apart_fen: NonNegativeInt = Field(description="that parcel, and one for this part")


class ParcelPlanned(Fact, name="parcels.ParcelPlanned"):
    """Parts of orders were released together: they are picked into one parcel (S4, S5)."""

    warehouse: str
    contents: tuple[Content, ...]
    wave: str = Field(description="the wave that released them, or who did by hand")
    hand_over_by: AwareDatetime = Field(description="when the warehouse's service level ends (W1)")
    country: str = Field(
        default=HOME, exclude_if=lambda code: code == HOME, description="where it goes (T7)"
    )
    kept_apart: tuple[KeptApart, ...] = Field(
        default=(),
        exclude_if=not_,
        description="parcels of the same release and recipient that it costs less not to share",
    )


class ParcelAwaited(Fact, name="parcels.ParcelAwaited"):
    """A learner is to send goods back in it (D3; rules.md 28)."""

    order: str = Field(description="the order whose goods come back")
    warehouse: str = Field(description="where it goes")


class CarrierChosen(Fact, name="parcels.CarrierChosen"):
    """Several parts share the parcel: its carrier is chosen for all of them together (S4, W4)."""

    shipping: Shipping = Field(description="how it is sent, and what the others would have cost")
    apart_fen: NonNegativeInt | None = Field(
        default=None,
        exclude_if=lambda fen: fen is None,
        description="what parcels of their own would have cost, with what may go wrong with them",
    )


class ContentRemoved(Fact, name="parcels.ContentRemoved"):
    """A part leaves the parcel before it is picked: it travels in another one (S4)."""

    order: str
    part: PositiveInt
    to_parcel: str
    reason: str


class PickingStarted(Fact, name="parcels.PickingStarted"):
    """The parcel is on somebody's pick list: what is in it stays together (S4, W1)."""

    pick_list: str


class ParcelPicked(Fact, name="parcels.ParcelPicked"):
    """Everything that is in it was taken from the shelf (W1)."""

    contents: tuple[Content, ...] = Field(description="what was still to be sent by then")


class ParcelPacked(Fact, name="parcels.ParcelPacked"):
    """Picked units were put into a parcel and weighed (W1)."""

    warehouse: str
    contents: tuple[Content, ...]
    weight_grams: NonNegativeInt
    country: str = Field(
        default=HOME, exclude_if=lambda code: code == HOME, description="where it goes (T7)"
    )
    goods: tuple[Units, ...] = Field(
        default=(),
        exclude_if=not_,
        description="refused goods of a return that go to their learner again: nothing else (D3)",
    )
    hand_over_by: AwareDatetime | None = Field(
        default=None, exclude_if=not_, description="when these should have left (W1)"
    )
    to: Destination | None = Field(
        default=None,
        exclude_if=lambda place: place is None,
        description="where these go; None: to the order's place",
    )


class UnitsToPutBack(Fact, name="parcels.UnitsToPutBack"):
    """Units that lie in it are to be sent no more: they go back to their shelf (rules.md 5)."""

    order: str
    units: tuple[Units, ...]
    reason: str


class UnitsPutBack(Fact, name="parcels.UnitsPutBack"):
    """All that was to go back to its shelf lies there, and in the parcel no longer (rules.md 5)."""

    sent: bool = Field(
        default=False,
        exclude_if=not_,
        description="it does not: the parcel had left with it (W1; rules.md 5)",
    )


class StrayContentSent(Fact, name="parcels.StrayContentSent"):
    """A third party sent units in it that were cancelled: its part travels, too (W2; S4)."""

    order: str
    part: PositiveInt


class WaybillIssued(Fact, name="parcels.WaybillIssued"):
    """A carrier's number is on the parcel; its tracking starts here."""

    carrier: str = Field(description="the carrier's code as Kuaidi100 writes it, e.g. shunfeng")
    waybill: str
    instead_of: str | None = Field(
        default=None, exclude_if=not_, description="the carrier that the plan had chosen (W4)"
    )
    reason: str = Field(default="", exclude_if=not_, description="why another one was taken")
    issuer: str = Field(
        default="",
        exclude_if=not_,
        description="who issued the number: kuaidi100; empty: it was written down by hand",
    )


class WaybillCorrected(Fact, name="parcels.WaybillCorrected"):
    """Its number had been written down wrongly: that one is another parcel's (T1, T2)."""

    was: str
    carrier: str
    waybill: str
    reason: str


class ParcelHandedOver(Fact, name="parcels.ParcelHandedOver"):
    """The carrier has the parcel."""

    handed_over_at: AwareDatetime
    lane: Lane | None = Field(
        default=None, exclude_if=not_, description="where it comes from and goes to (T4)"
    )
    card: str | None = Field(
        default=None,
        exclude_if=not_,
        description="vault card of its recipient; what has not left may go elsewhere later (O8)",
    )


class ParcelRedirected(Fact, name="parcels.ParcelRedirected"):
    """Its carrier takes it to another recipient from here on, as it was asked to (O8)."""

    card: str = Field(description="vault card of that recipient")
    redirected_at: AwareDatetime = Field(description="when its track said so")


class ParcelDissolved(Fact, name="parcels.ParcelDissolved"):
    """All orders in it were cancelled before hand-over: it is unpacked (rules.md 5)."""

    reason: str


class ParcelScanned(Fact, name="parcels.ParcelScanned"):
    """A carrier saw the parcel, or told more of a scan known already (T1, T2; rules.md 21)."""

    waybill: str
    time: AwareDatetime = Field(description="when the carrier saw it, at the latest when it told")
    dated: AwareDatetime | None = Field(
        default=None,
        exclude_if=not_,
        description="what the source wrote for a time, where that was hours ahead of its telling:"
        " the scan counts once a human, or the source at that time, says so (T6)",
    )
    text: str = Field(description="normalised, people's names and phones blotted out (rule 30)")
    carrier: str
    kind: ScanKind
    division: str | None = Field(default=None, description="GB/T 2260 code of the place")
    longitude: float | None = None
    latitude: float | None = None
    status: str | None = None
    code: str | None = None
    source: str = Field(description="who told: kuaidi100.push, sf.push, query")
    card: str | None = Field(default=None, description="vault card with the payload as it came")
    digest: str | None = Field(
        default=None,
        exclude_if=not_,
        description="SHA-256 of the card's salt and payload, in hex; None: of the time before",
    )


class SecondNumberTold(Fact, name="parcels.SecondNumberTold"):
    """A partner sees the parcel under a second number, too, such as abroad (T1, T2; wire 1.6)."""

    waybill: str = Field(description="the second number: its scans count if the first one's do")
    carrier: str
    beside: str = Field(description="the number that it was given with")
    vouched_by: str = Field(
        default="",
        exclude_if=not_,
        description="who answers for it: staff, or the source that was asked, e.g. kuaidi100.query;"
        " empty: a push alone told it, so nothing of value follows (rules.md 23)",
    )


class SecondNumberTakenBack(Fact, name="parcels.SecondNumberTakenBack"):
    """Staff say that a second number is not the parcel's: its scans do not count (T2, T7)."""

    waybill: str = Field(description="as it had been told; what pushes say of it is not believed")
    reason: str


class CarrierCorrected(Fact, name="parcels.CarrierCorrected"):
    """A partner says that the number is another carrier's; the first one's scans are void (21)."""

    was: str = Field(description="which carrier it was taken for, as the partner says")
    carrier: str


class PushUnreadable(Fact, name="parcels.PushUnreadable"):
    """A partner's signed message could not be understood; it waits for a human, kept whole."""

    source: str
    card: str | None = Field(
        default=None, description="vault card with the payload as it came; none for who was erased"
    )
    digest: str | None = Field(
        default=None,
        exclude_if=not_,
        description="SHA-256 of the card's salt and payload, in hex; None: of the time before",
    )


class UnreadablePushesSettled(Fact, name="parcels.UnreadablePushesSettled"):
    """A human dealt with the messages that could not be understood; how is in the envelope."""

    pushes: PositiveInt = Field(description="how many waited")


class TrackingSubscribed(Fact, name="parcels.TrackingSubscribed"):
    """A partner watches the parcel for us and pushes what it sees (T1)."""

    partner: str
    carrier: str
    waybill: str


class WatchEnded(Fact, name="parcels.WatchEnded"):
    """A partner watches the parcel no longer (T1; wire 1.6)."""

    partner: str
    why: str = Field(description="abort: it gave up; shutdown: to it the parcel has arrived")
    words: str = Field(description="its own, without names and phones")
    watch_again_at: AwareDatetime | None = Field(
        default=None,
        exclude_if=lambda at: at is None,
        description="from when on it may be asked to watch it again; None: it is not asked to",
    )


class TrackConfirmed(Fact, name="parcels.TrackConfirmed"):
    """The source, asked, told the track as it is known: what has value may follow (rules.md 23)."""

    at: AwareDatetime = Field(description="when it was asked")
    source: str = Field(description="who was asked: kuaidi100.query, sf.query")


class ReceiptConfirmedByHand(Fact, name="parcels.ReceiptConfirmedByHand"):
    """Staff say that the recipient has it, though no query told of its receipt (T2; rule 23)."""

    received_at: AwareDatetime = Field(description="of the receipt that they confirm")
    reason: str = Field(description="how they know")


class ArrivalEstimated(Fact, name="parcels.ArrivalEstimated"):
    """When it should arrive, as its recipient was told; how well that held is measured (T4)."""

    milestone: Milestone = Field(description="how far it was when this was said")
    reached_at: AwareDatetime = Field(description="since when it was that far")
    earliest: AwareDatetime
    latest: AwareDatetime = Field(description="nine of ten parcels arrive between these two")
    basis: str = Field(description="what it rests on: city, province, carrier or rate_card")
    parcels: NonNegativeInt = Field(description="how many parcels were measured for it")


class DeliveryDelayed(Fact, name="parcels.DeliveryDelayed"):
    """Something keeps the parcel: its recipient is told, before they have to ask (T5)."""

    cause: str = Field(
        description="no_first_scan, no_movement, customs_stall, eta_passed, ping_pong, returned,"
        " lost, pickup_ending or not_collected"
    )
    since: AwareDatetime = Field(
        description="since when: its last sight, the hand-over, the end of its window, its turn,"
        " a day before it waits to be picked up no longer, or the end of that"
    )


class ReceiptProved(Fact, name="parcels.ReceiptProved"):
    """A picture or a slip of the receipt, whose content is in the vault alone (T8; A4)."""

    media_type: str
    size_bytes: PositiveInt
    source: str = Field(description="who had it: the principal that sent it")
    card: str = Field(description="id of the card in the vault")
    digest: str = Field(description="SHA-256 of salt and content, in hex")


class ScanSeen(Value):
    """A scan by its identity (rules.md 21)."""

    number: str
    time: AwareDatetime
    text: str


class TrackFlagged(Fact, name="parcels.TrackFlagged"):
    """Something is odd about the track: a human looks at it (T6)."""

    oddity: str = Field(description="id, of the kind and the first scan")
    kind: str = Field(
        description="backwards, jump, after_signing, drifted, misrouted, stalled, reused_number,"
        " foreign_number, dated_ahead or unsent"
    )
    scans: tuple[ScanSeen, ...] = Field(description="those that show it, oldest first")


class OddityDecided(Fact, name="parcels.OddityDecided"):
    """A human decided what is odd; a later decision about the same takes its place (T6)."""

    oddity: str
    kind: str
    decision: str = Field(description="accepted, voided or another_parcel")
    scans: tuple[ScanSeen, ...] = Field(description="those it is about: left out unless accepted")
    reason: str
    at: AwareDatetime = Field(description="when it was decided")


ParcelFact = (
    ParcelPlanned
    | ParcelAwaited
    | CarrierChosen
    | ContentRemoved
    | PickingStarted
    | ParcelPicked
    | ParcelPacked
    | UnitsToPutBack
    | UnitsPutBack
    | StrayContentSent
    | WaybillIssued
    | WaybillCorrected
    | ParcelHandedOver
    | ParcelRedirected
    | ParcelDissolved
    | ParcelScanned
    | SecondNumberTold
    | SecondNumberTakenBack
    | CarrierCorrected
    | PushUnreadable
    | UnreadablePushesSettled
    | TrackingSubscribed
    | WatchEnded
    | TrackConfirmed
    | ReceiptConfirmedByHand
    | ArrivalEstimated
    | DeliveryDelayed
    | TrackFlagged
    | OddityDecided
    | LabelFact
    | DeclarationFact
    | ReceiptProved
)
