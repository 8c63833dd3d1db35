"""The API with two more endpoints that answer at once: what its own machinery costs a request.

`python -m tests.bench.bare_api PORT DATA`; everything else is as `tallypost api` runs it.
"""

import sys
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Request, Response

from api import serving
from api.app import create_app
from api.auth import Caller, Role, allow
from api.bodies import OrderIn
from api.changing import Change
from api.orders import Customer
from api.paths import Number
from api.reading import MinPosition, json_answer, with_etag
from api.shown.after_changes import OrderOut
from application.settings import Settings
from tests.bench.crowd_speed import with_bare_callback

PLACED = {
    "number": "T26112200000000000000",
    "status": "pending_shipment",
    "points": 10,
    "cash_fen": 0,
    "promised_by": "2026-11-26T08:00:00Z",
    "position": 1,
}


def with_bare_endpoints(app: FastAPI) -> FastAPI:
    """Add the same endpoints with the same dependencies and models, and nothing behind them."""

    @app.post("/v1/bare/orders", status_code=201, response_model=OrderOut)
    async def place(request: Request, caller: Customer, change: Change, body: OrderIn) -> Response:
        caller.must_be(body.learner)
        return json_answer(PLACED, status=201)

    @app.get("/v1/bare/orders/{number}")
    async def read(
        request: Request,
        caller: Annotated[Caller, allow(*Role)],
        number: Number,
        min_position: MinPosition = None,
    ) -> Response:
        return with_etag(request, PLACED)

    with_bare_callback(app)
    return app


def main(port: int, data: Path) -> None:
    """Serve until told to stop."""

    def create_with_more(settings: Settings, conninfo: str) -> FastAPI:
        return with_bare_endpoints(create_app(settings, conninfo))

    vars(serving)["create_app"] = create_with_more
    settings = Settings(data=data)
    with serving.database(settings) as found:
        serving.run_api(settings, found.service_url, host="127.0.0.1", port=port)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
