"""支付 The payment port in the sandbox provider's wire format: signed JSON both ways (O5).

`X-Signature` is HMAC-SHA256 of the raw body in lower-case hex, keyed by the shared secret. A
charge answers with the page to pay on; what became of it comes by a signed notice, as does what
became of a refund.
"""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Literal

import httpx2
import stamina
from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from application.gateways.guarded import PartnerAway, to
from domain.days import Moment

SIGNATURE = "X-Signature"
TIMEOUT_SECONDS = 5.0
TRIES = 3


class Message(BaseModel):
    """What is said between us and the provider; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Charge(Message):
    """We ask for money."""

    order: str
    attempt: str
    amount_fen: PositiveInt
    callback_url: str


class Charged(BaseModel):
    """They say where to pay."""

    pay_url: str


class Refund(Message):
    """We ask for money to go back."""

    order: str
    attempt: str
    refund: str
    amount_fen: PositiveInt
    callback_url: str


class Notice(Message):
    """They say what became of an attempt, or of a refund of it."""

    order: str = Field(min_length=1, max_length=60)
    attempt: str = Field(min_length=1, max_length=100)
    outcome: Literal["succeeded", "failed"]
    amount_fen: int = Field(ge=1, le=2**53)
    at: Moment
    means: str = Field(default="sandbox", min_length=1, max_length=40)
    refund: str | None = Field(default=None, max_length=100)
    cause: str | None = Field(default=None, max_length=200)


class ProviderUnavailable(Exception):
    """The provider did not answer as it should, several times over; try again later."""


def sign(body: bytes, secret: bytes) -> str:
    """The signature of a raw body."""
    return hmac.new(secret, body, hashlib.sha256).hexdigest()


def signed(body: bytes, given: str, secrets: Sequence[bytes]) -> bool:
    """Whether a body was signed with one of the secrets; in constant time, whatever was given."""
    told = given.encode("utf-8", "surrogateescape")
    # All of them are compared: the time says nothing of which one it was.
    fits = [hmac.compare_digest(sign(body, one).encode(), told) for one in secrets]
    return any(fits)


def _worth_another(error: Exception) -> bool:
    """Whether trying once more at once can help."""
    return isinstance(error, httpx2.HTTPError) and not isinstance(error, PartnerAway)


class PaymentProvider:
    """Asks the provider over HTTP, with time-outs and retries."""

    def __init__(
        self,
        base_url: str,
        *,
        secret: bytes,
        transport: httpx2.AsyncBaseTransport | None = None,
        partner: str = "payment",
    ) -> None:
        """`partner` is under which name its calls are counted."""
        self._partner = partner
        self._secret = secret
        self._client = httpx2.AsyncClient(
            base_url=base_url, timeout=TIMEOUT_SECONDS, transport=transport
        )

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def charge(self, charge: Charge) -> str:
        """Where to pay. The same attempt asked for twice is one charge.

        Raises `ProviderUnavailable`.
        """
        answer = await self._post("/payment/charges", charge)
        return Charged.model_validate_json(answer).pay_url

    async def refund(self, refund: Refund) -> None:
        """Ask for money back; a notice tells what became of it. Raises `ProviderUnavailable`."""
        await self._post("/payment/refunds", refund)

    async def _post(self, path: str, message: Message) -> bytes:
        body = message.model_dump_json().encode()
        headers = {SIGNATURE: sign(body, self._secret), "Content-Type": "application/json"}
        try:
            async for attempt in stamina.retry_context(
                on=_worth_another, attempts=TRIES, timeout=TIMEOUT_SECONDS * TRIES
            ):
                with attempt:
                    answer = await self._client.post(
                        path, content=body, headers=headers, extensions=to(self._partner)
                    )
                    answer.raise_for_status()
        except httpx2.HTTPError as error:
            raise ProviderUnavailable(type(error).__name__) from error
        return answer.content
