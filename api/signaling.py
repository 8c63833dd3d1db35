"""信令 How a learner's app gets its orders' news from Agora, where that is set (N3)."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from api.auth import Caller, Role, allow
from api.paths import Learner
from api.reading import json_answer
from api.shown.to_systems import SignalingOut
from application.signaling import app_for, app_of, pass_for
from domain.refusals import Refusal

router = APIRouter(prefix="/v1", tags=["live"])


class NoSignaling(Refusal):
    """No app at Agora is set: the live stream tells the same."""

    code = "no_signaling"
    en = "Orders are not signalled here; read their live stream."
    zh = "未开通信令推送，请使用订单的实时流。"


@router.get(
    "/learners/{learner}/signaling",
    response_model=SignalingOut,
    summary="What a learner's app logs in to Agora with",
)
async def signaling(
    request: Request,
    caller: Annotated[Caller, allow(Role.LEARNER, Role.SERVICE)],
    learner: Learner,
) -> Response:
    """User and token for one hour: messages to that user are the learner's orders' news (N3).

    Each is JSON: `order`, `fact`, `position` in the log (what comes twice has the same), and what
    to say, as `zh` and `en`. The user's name stands for the learner, whom Agora does not hear of.
    """
    caller.must_be(learner)
    tenant = request.state.tenant
    if app_of(tenant.settings) is None:
        raise NoSignaling()
    user = tenant.callback_links.signal_id(learner)
    app, _ = await app_for(tenant, user)
    given = pass_for(app, user, now=tenant.store.clock())
    return json_answer(given._asdict(), headers={"Cache-Control": "no-store"})
