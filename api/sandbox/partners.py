"""沙箱 `tallypost sandbox`: the partners, played by one local server in their own wire formats.

Each is a file of its own and knows its format, its signatures and its limits. What goes wrong on
the way is the matter of its line (`api/sandbox/line.py`): each partner has a behaviour
(`api/sandbox/behaviour.py`), set by its page, by `POST /behaviour`, or over time by a script
(`api/sandbox/script.py`). `/` shows what they were told and what they pushed.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx2
from fastapi import FastAPI

from api.sandbox.agora import AgoraSandbox, signal_routes
from api.sandbox.behaviour import PARTNERS, Behaviour
from api.sandbox.carriers import CarriersSandbox, carrier_routes
from api.sandbox.crm import CrmSandbox, crm_routes
from api.sandbox.kuaidi100 import Kuaidi100Sandbox, kuaidi100_routes
from api.sandbox.labels import LabelService, label_routes
from api.sandbox.limits import Limits
from api.sandbox.line import Line
from api.sandbox.page import page_routes
from api.sandbox.payment import PaymentSandbox, payment_routes
from api.sandbox.script import Script, Stage
from api.sandbox.sf import SfSandbox, sf_routes
from api.sandbox.third_party import ThirdParty, third_party_routes
from api.sandbox.wecom import RobotSandbox, robot_routes


@dataclass
class Sandbox:
    """All partners together: their lines, and the script that is played on them."""

    lines: dict[str, Line]
    stage: Stage

    def behave(self, behaviour: Behaviour) -> None:
        """Let all of them behave like this."""
        for line in self.lines.values():
            line.behave(behaviour)

    def reset(self) -> None:
        """No script, and everybody well; what they know they keep."""
        self.stage.end()
        self.behave(Behaviour())


def create_sandbox(
    secret: bytes,
    *,
    mall: httpx2.AsyncBaseTransport | None = None,
    limits: Limits | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    script: Script | None = None,
) -> FastAPI:
    """The partners as one application; `secret` is what payment messages are signed with.

    `mall` is how the mall is reached, if not over the network; `clock` is what signatures and the
    partners' own `limits` go by; `script` is played from the start on.
    """
    lines = {name: Line(name, mall=mall) for name in PARTNERS}
    sandbox = Sandbox(lines, Stage(lines))
    held = limits or Limits()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if script is not None:
            sandbox.stage.play(script)
        yield
        sandbox.stage.end()
        for line in lines.values():
            line.stop()

    app = FastAPI(title="Tallypost sandbox", description=__doc__ or "", lifespan=lifespan)
    state = app.state
    state.sandbox = sandbox
    state.kuaidi100 = Kuaidi100Sandbox(lines["kuaidi100"], held, clock)
    state.labels = LabelService(held, clock)
    state.sf = SfSandbox(lines["sf"], held, clock)
    state.payment = PaymentSandbox(lines["payment"], secret)
    state.third_party = ThirdParty(lines["third_party"], clock)
    state.robot = RobotSandbox(lines["wecom"], held, clock)
    state.agora = AgoraSandbox(lines["agora"], held, clock)
    state.crm = CrmSandbox(lines["crm"])
    state.carriers = CarriersSandbox(lines)
    for router in (
        page_routes(sandbox),
        *kuaidi100_routes(state.kuaidi100),
        label_routes(state.labels, lines["kuaidi100"], state.kuaidi100.stop),
        sf_routes(state.sf),
        payment_routes(state.payment),
        third_party_routes(state.third_party),
        robot_routes(state.robot),
        signal_routes(state.agora),
        crm_routes(state.crm),
        carrier_routes(state.carriers),
    ):
        app.include_router(router)
    return app
