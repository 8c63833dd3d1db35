"""沙箱支付 A payment provider: signed charges, a page to pay on, signed notices (M3, O5)."""

import html
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, BackgroundTasks, Form, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import ValidationError

from api.sandbox.line import ByHand, Line, believes
from application.gateways.payment import SIGNATURE, Charge, Charged, Notice, Refund, sign, signed

Outcome = Literal["succeeded", "failed"]


@dataclass
class PaymentSandbox:
    """What the provider knows; `secret` is what messages both ways are signed with."""

    line: Line
    secret: bytes
    charges: dict[str, Charge] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    """Of attempts: what was said first stays."""

    def believes(self, request: Request, body: bytes) -> bool:
        """Whether a message is the mall's."""
        return believes(request, signed(body, request.headers.get(SIGNATURE, ""), [self.secret]))

    async def decide(self, attempt: str, outcome: str) -> None:
        """Somebody pays, or does not; asked again, what became of it is told again."""
        asked = self.charges[attempt]
        decided = self.outcomes.setdefault(
            attempt, "succeeded" if outcome == "succeeded" else "failed"
        )
        await self._notify(asked, decided, cause=None if decided == "succeeded" else "declined")

    async def give_back(self, asked: Refund) -> None:
        """Tell that money went back."""
        await self._notify(asked, "succeeded", refund=asked.refund)

    async def _notify(self, asked: Charge | Refund, outcome: Outcome, **more: Any) -> None:
        notice = Notice(
            order=asked.order,
            attempt=asked.attempt,
            outcome=outcome,
            amount_fen=asked.amount_fen,
            at=datetime.now(UTC),
            **more,
        )
        body = notice.model_dump_json(exclude_none=True).encode()
        forged = self.line.happens("forge")
        headers = {SIGNATURE: sign(body, b"forged" if forged else self.secret)}
        message = {"content": body, "headers": headers}
        await self.line.push(asked.callback_url, lambda: message, forged=forged)


def payment_routes(provider: PaymentSandbox) -> APIRouter:
    """Where the mall asks for money, and where people pay."""
    pages = APIRouter()
    provider.line.by_hand = ByHand(
        about=lambda: list(provider.charges),
        events=("succeeded", "failed"),
        tell=provider.decide,
    )
    router = provider.line.router(
        refused=lambda: Response(status_code=503), unreadable=lambda: Response(status_code=422)
    )

    @router.post("/payment/charges", status_code=201, summary="Payment: a charge")
    async def charge(request: Request) -> Response:
        body = await request.body()
        if not provider.believes(request, body):
            return Response(status_code=401)
        try:
            asked = Charge.model_validate_json(body)
        except ValidationError:
            return Response(status_code=422)
        provider.charges.setdefault(asked.attempt, asked)
        pay_url = str(request.url_for("pay", attempt=asked.attempt))
        return Response(
            Charged(pay_url=pay_url).model_dump_json(), 201, media_type="application/json"
        )

    @router.post("/payment/refunds", status_code=202, summary="Payment: money goes back")
    async def refund(request: Request, background: BackgroundTasks) -> Response:
        body = await request.body()
        if not provider.believes(request, body):
            return Response(status_code=401)
        try:
            asked = Refund.model_validate_json(body)
        except ValidationError:
            return Response(status_code=422)
        background.add_task(provider.give_back, asked)
        return Response(status_code=202)

    @pages.get("/payment/pay/{attempt}", name="pay", summary="Payment: the page to pay on")
    async def pay(attempt: str) -> HTMLResponse:
        asked = provider.charges.get(attempt)
        if asked is None:
            return HTMLResponse("No such payment.", 404)
        return HTMLResponse(
            _PAGE.format(yuan=asked.amount_fen / 100, order=html.escape(asked.order))
        )

    @pages.post("/payment/pay/{attempt}", summary="Payment: pay, or let it fail")
    async def paid(
        attempt: str, background: BackgroundTasks, outcome: Annotated[str, Form()] = "succeeded"
    ) -> HTMLResponse:
        if attempt not in provider.charges:
            return HTMLResponse("No such payment.", 404)
        background.add_task(provider.decide, attempt, outcome)
        decided = provider.outcomes.get(attempt, outcome)
        return HTMLResponse(
            f"<p>{html.escape(decided)}</p><p>You can close this page. 可以关闭此页。</p>"
        )

    pages.include_router(router)
    return pages


_PAGE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Sandbox payment</title>
<body style="font:16px system-ui;max-width:24rem;margin:4rem auto;padding:0 1rem">
<h1>沙箱支付 Sandbox payment</h1><p>{order}: ¥ {yuan:.2f}</p>
<form method="post"><button name="outcome" value="succeeded">支付 Pay</button>
<button name="outcome" value="failed">失败 Decline</button></form></body></html>"""
