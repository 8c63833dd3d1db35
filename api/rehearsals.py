"""假设演练 Rehearsals over HTTP: another rule on the log, before it is switched on (M6)."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field

from api.auth import Caller, Manager, Role, allow, store_of
from api.bodies_of_goods import WarehouseIn
from api.bodies_of_rates import RateCardIn
from api.changing import REPEATED, Change
from api.reading import json_answer
from api.shown.fields import example
from api.shown.rehearsals import OneRehearsalOut, RehearsalAskedOut, RehearsalOut, RehearsalsOut
from projections import what_if
from projections.rehearsals import Rehearsal, Rehearsals, rehearsal_id

router = APIRouter(prefix="/v1/what-if", tags=["what if"])

Reader = Annotated[Caller, allow(Role.OPERATIONS, Role.ADMINISTRATOR, Role.AUDITOR)]
RehearsalId = Annotated[
    str, Path(pattern=r"^[0-9a-f]{20}$", description="id of the rehearsal", max_length=20)
]


class RehearsalIn(what_if.Change):
    """What is to be otherwise; what is left out stays as it was."""

    model_config = example(max_parts=2, since="2026-10-01", until="2026-10-31")
    rate_cards: tuple[RateCardIn, ...] = Field(
        default=(), max_length=20, description="in place of their carriers', from the beginning"
    )
    warehouses: tuple[WarehouseIn, ...] = Field(
        default=(),
        max_length=100,
        description="in place of those with their codes, or besides, from the beginning",
    )


@router.post("", status_code=202, response_model=RehearsalAskedOut, summary="Rehearse a change")
async def ask(request: Request, caller: Manager, change: Change, body: RehearsalIn) -> Response:
    """A worker runs it over all that happened, which takes minutes; nothing is switched on.

    One at a time: another one is refused until this one is over or cancelled. What could not be put
    into force is refused as it would be then, by its field.
    """
    wanted = what_if.Change.model_validate(body.model_dump())
    name = rehearsal_id(caller.principal, change.key)
    if not await _rehearsals(request).knows(name):
        wanted = await wanted.as_recorded(store_of(request), change.context())
    new = await _rehearsals(request).ask(
        wanted,
        name=name,
        digest=change.digest,
        by=caller.principal,
        at=request.state.tenant.store.clock(),
    )
    return json_answer({"id": name}, status=202, headers=None if new else REPEATED)


@router.get("", response_model=RehearsalsOut, summary="Rehearsals")
async def listed(request: Request, caller: Reader) -> Response:
    """Newest first, with their progress; each result is read on its own."""
    found = await _rehearsals(request).listed()
    return json_answer({"rehearsals": [_told(one) for one in found]})


@router.get("/{rehearsal}", response_model=OneRehearsalOut, summary="One rehearsal")
async def read(request: Request, caller: Reader, rehearsal: RehearsalId) -> Response:
    """How far it is, and once it is done what would have differed."""
    found = await _rehearsals(request).named(rehearsal)
    result = None if found.result is None else json.loads(found.result)
    return json_answer({**_told(found), "result": result})


@router.delete("/{rehearsal}", response_model=RehearsalOut, summary="Cancel a rehearsal")
async def cancel(request: Request, caller: Manager, rehearsal: RehearsalId) -> Response:
    """It ends within seconds and gives no result; cancelled again it is cancelled."""
    return json_answer(_told(await _rehearsals(request).cancel(rehearsal)))


def _rehearsals(request: Request) -> Rehearsals:
    tenant = request.state.tenant
    return Rehearsals(tenant.pool, schema=tenant.schema)


def _told(one: Rehearsal) -> dict[str, Any]:
    shown = one._asdict()
    del shown["result"]
    return {**shown, "change": json.loads(one.change)}
