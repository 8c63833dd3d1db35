"""沙箱客户系统 A CRM that is told by webhooks: it checks signatures and remembers ids (M3, N2)."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic_core import from_json
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from api.sandbox.line import Line, believes

KEPT = 500
SECRETS_MAX = 20
SLOW_SECONDS = 15.0
"""Longer than a receiver may take."""
ANSWERS = {"takes": 204, "fails": 500, "is_slow": 204, "is_gone": 410}


@dataclass
class Heard:
    """An event that the CRM was told of."""

    at: datetime
    fact: str
    position: int | None
    ids: Mapping[str, Any]
    times: int = 1
    """How often it came: told again after a lost answer, it is the same event."""


@dataclass
class CrmSandbox:
    """What the CRM knows."""

    line: Line
    secrets: list[str] = field(default_factory=list)
    heard: "OrderedDict[str, Heard]" = field(default_factory=OrderedDict)
    """By the message's id."""
    forged: int = 0

    def believes(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """Whether one of the secrets it was given signs this, not long ago."""
        for secret in self.secrets:
            try:
                Webhook(secret).verify(body, dict(headers))
            except WebhookVerificationError:
                continue
            return True
        self.forged += 1
        return False

    def hear(self, name: str, body: bytes) -> None:
        """Take note of an event, once however often it comes."""
        known = self.heard.get(name)
        if known is not None:
            known.times += 1
            return
        told = from_json(body)
        data = told.get("data", {})
        position, ids = data.get("position"), data.get("ids", {})
        self.heard[name] = Heard(datetime.now(UTC), str(told["type"]), position, ids)
        while len(self.heard) > KEPT:
            self.heard.popitem(last=False)


def crm_routes(sandbox: CrmSandbox) -> APIRouter:
    """Where it is told, and where it is given the secret that a subscription answered with."""
    control = APIRouter()
    router = sandbox.line.router(
        refused=lambda: Response(status_code=503), unreadable=lambda: Response(status_code=422)
    )

    @router.post("/crm/hook", summary="CRM: a webhook (Standard Webhooks)")
    async def hook(request: Request) -> Response:
        body, how = await request.body(), sandbox.line.behaviour.crm
        if not believes(request, sandbox.believes(body, request.headers)):
            return Response(status_code=401)
        if how in ("takes", "is_slow", "hangs_up"):
            sandbox.hear(request.headers["webhook-id"], body)
        if how in ("is_slow", "hangs_up"):  # it has it, and we shall not know
            await asyncio.sleep(SLOW_SECONDS if how == "is_slow" else 0)
        return Response(status_code=ANSWERS.get(how, 502))

    @control.post("/crm/secrets", summary="CRM: what it checks signatures with")
    async def learn(
        secret: Annotated[str, Form(max_length=200, pattern=r"^whsec_[A-Za-z0-9+/=]+$")],
    ) -> Response:
        try:
            Webhook(secret)
        except ValueError:
            return Response("No secret of a webhook: whsec_…", 422)
        if secret not in sandbox.secrets:
            sandbox.secrets = [*sandbox.secrets, secret][-SECRETS_MAX:]
        return RedirectResponse("/", 303)

    control.include_router(router)
    return control
