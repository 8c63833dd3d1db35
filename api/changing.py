"""更改 What every route that changes something shares: its key, and the answer that is kept."""

from typing import Annotated, NoReturn

from fastapi import Depends, Response
from pydantic_core import from_json

from api.auth import Asked
from api.naming import naming_nobody
from application.outcomes import Outcome, Unavailable
from application.store import Store
from application.unit import Unit

Change = Annotated[Asked, Depends(naming_nobody)]
"""The change that is asked for, under its caller's own key, for a reason that names nobody."""


REPEATED = {"Idempotent-Replay": "true"}
"""What an answer says that was given before."""


def answered(outcome: Outcome, status: int = 200) -> Response:
    """A command's answer as it is kept, the same for every sending."""
    headers = REPEATED if outcome.repeated else None
    return Response(outcome.answer, status, headers=headers, media_type="application/json")


def asked(outcome: Outcome) -> Response:
    """202 where a second person has to decide (A8); the same for every sending."""
    return answered(outcome, 202 if "approval" in from_json(outcome.answer) else 200)


async def again(store: Store, change: Asked) -> Outcome:
    """The answer that is kept under a change's key; raises `Unavailable` if it is there no more.

    It comes from the writer, whose commit waits for a standby where commits do. Reading waits for
    none: a primary that was restarted without its standby may keep what a failover loses (R06).
    """
    return await store.execute(change.command(_gone))


def _gone(_: Unit) -> NoReturn:
    raise Unavailable
