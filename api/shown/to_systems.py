"""What systems get that subscribe to what happens here: for the API's description alone (N2)."""

from pydantic import AwareDatetime, BaseModel, Field, RootModel

from api.shown.fields import EventPosition, FactName, example, examples

_WEBHOOK = {
    "id": "0123456789abcdef0123",
    "url": "https://crm.example/hook",
    "facts": ["orders.*", "ledger.PointsGranted"],
    "state": "active",
    "cause": None,
    "position": 42,
    "failed_tries": 0,
    "next_at": "2026-11-03T02:14:08.120931Z",
    "parked": 0,
    "created_at": "2026-11-01T08:00:00.000000Z",
    "troubled_since": None,
}


class WebhookOut(BaseModel):
    """A subscription."""

    model_config = example(**_WEBHOOK)
    id: str = Field(description="of the subscription")
    url: str = Field(description="where it is told")
    facts: list[str] = Field(description="names of facts, or all of a room: `orders.*`")
    state: str = Field(description="active, paused or disabled")
    cause: str | None = Field(description="why it is not active")
    position: int = Field(description="all events up to here were told, parked or not wanted")
    failed_tries: int = Field(description="of the next event")
    next_at: AwareDatetime = Field(description="when it is tried next")
    parked: int = Field(description="deliveries given up; a replay takes them up again")
    created_at: AwareDatetime = Field(description="when it was made")
    troubled_since: AwareDatetime | None = Field(
        description="the first failed try of what is not delivered; or when it was paused"
    )


class WebhooksOut(RootModel[list[WebhookOut]]):
    """Subscriptions, oldest first."""

    model_config = examples([_WEBHOOK])


class ParkedOut(BaseModel):
    """A delivery that was given up."""

    position: EventPosition
    fact: FactName
    cause: str | None = Field(description="of the last failure")
    parked_at: AwareDatetime = Field(description="when it was given up")


class OneWebhookOut(WebhookOut):
    """A subscription with what was given up, oldest first."""

    model_config = example(**_WEBHOOK, parked_deliveries=[])
    parked_deliveries: list[ParkedOut] = Field(description="oldest first")


class NewWebhookOut(WebhookOut):
    """A new subscription with what its deliveries are signed with."""

    model_config = example(**_WEBHOOK, secret="whsec_…")  # noqa: S106  none at all
    secret: str = Field(description="shown to who made it, here only")


class PingOut(BaseModel):
    """What a test message met."""

    model_config = example(delivered=True, status=204, cause=None, took_ms=84)
    delivered: bool = Field(description="whether it was answered 2xx in time")
    status: int | None = Field(description="HTTP status of the answer, where there was one")
    cause: str | None = Field(description="why there was none, or what was wrong")
    took_ms: int = Field(description="milliseconds until the answer")


class DeliveryOut(BaseModel):
    """One try to tell a subscriber."""

    serial: int = Field(description="number of the try, over all subscriptions")
    position: EventPosition
    fact: FactName
    attempt: int = Field(ge=1, description="which try of this event it was")
    at: AwareDatetime = Field(description="when it was tried")
    outcome: str = Field(description="delivered, failed, parked or disabled")
    status: int | None = Field(description="HTTP status of the answer, where there was one")
    cause: str | None = Field(description="why there was none, or what was wrong")
    took_ms: int = Field(description="milliseconds until the answer")


class DeliveriesOut(BaseModel):
    """The newest tries."""

    model_config = example(
        deliveries=[
            {
                "serial": 7,
                "position": 42,
                "fact": "orders.OrderPlaced",
                "attempt": 1,
                "at": "2026-11-03T02:14:08.120931Z",
                "outcome": "delivered",
                "status": 204,
                "cause": None,
                "took_ms": 84,
            }
        ],
        next=None,
    )
    deliveries: list[DeliveryOut] = Field(description="newest first")
    next: int | None = Field(description="`cursor` of the page after; null on the last one")


class SignalingOut(BaseModel):
    """What an app logs in to Agora Signaling with."""

    model_config = example(
        app_id="0123456789abcdef0123456789abcdef",
        user_id="6f1ed002ab5595859014ebf0951522d9",
        token="007eJx…",  # noqa: S106  none at all
        expires_at="2026-11-03T03:14:08.120931Z",
    )
    app_id: str = Field(description="of the mall's app at Agora")
    user_id: str = Field(description="whom to log in as; always the same for a learner")
    token: str = Field(description="good for this user until `expires_at`; ask again before then")
    expires_at: AwareDatetime = Field(description="when the token ends")
