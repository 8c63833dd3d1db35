"""沙箱线路 What goes between the mall and one played partner: troubled as it is told, and noted.

A partner's own file speaks its wire format and knows nothing of delays, outages or lost answers:
they happen here, for all of them alike. Chance is drawn from a seed, for each trouble by itself, so
that the same calls meet the same troubles again.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import httpx2
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from api.sandbox.behaviour import Behaviour, Chance

logger = logging.getLogger(__name__)

KEPT = 60
"""Calls of a partner that its page shows."""
SHOWN_CHARS = 4_000
OVERTAKEN_SECONDS = 2.0
"""A push that is to be overtaken goes after this all the same, when none follows it."""
TIMEOUT_SECONDS = 10.0
Way = Literal["asked", "pushed"]
Said = Callable[[], Response]
Message = Callable[[], dict[str, Any]]
"""Makes what is posted: `data`, or `content` and `headers`, signed as of now."""


class Call(NamedTuple):
    """Something that was said between the two."""

    number: int
    at: datetime
    way: Way
    what: str
    """Method and path, without the query: it may hold a key."""
    signed: bool | None
    """Whether the signature fits; None: there is none to check."""
    trouble: str | None
    """What the behaviour made of it."""
    status: int | None
    """None: nobody answered."""
    sent: str
    answered: str


@dataclass(frozen=True)
class ByHand:
    """What somebody can let a partner tell: about which things, and what of them."""

    about: Callable[[], list[str]]
    events: tuple[str, ...]
    tell: Callable[[str, str], Coroutine[Any, Any, None]]
    """Pushes an event about one of these things."""


class Line:
    """The line of one partner."""

    def __init__(self, partner: str, *, mall: httpx2.AsyncBaseTransport | None = None) -> None:
        self.partner = partner
        self.calls: deque[Call] = deque(maxlen=KEPT)
        self.count: Counter[Way] = Counter()
        self.by_hand: ByHand | None = None
        self.noted: Callable[[], None] = lambda: None
        """Called after each call that was noted."""
        self.tasks: set[asyncio.Task[None]] = set()
        self._mall = mall
        self._overtaken: list[asyncio.Event] = []
        self._back = asyncio.Event()
        self.seed(0)
        self.behave(Behaviour())

    # --- how it behaves ------------------------------------------------------------------------

    def seed(self, seed: int) -> None:
        """Begin chance anew: with the same seed the same calls meet the same troubles."""
        self._seed = seed
        self._chances: dict[str, Random] = {}

    def behave(self, behaviour: Behaviour) -> None:
        """Behave like this from now on; what is to happen `3x` begins at nothing."""
        self.behaviour = behaviour
        self._happened: Counter[str] = Counter()
        if behaviour.outage in ("both", "pushes"):
            self._back.clear()
        else:
            self._back.set()

    def change(self, changes: Mapping[str, Any]) -> None:
        """Behave otherwise in these things alone; the others stay, as often as they happened."""
        happened = self._happened
        self.behave(Behaviour.model_validate({**self.behaviour.told(), **changes}))
        self._happened = Counter({one: n for one, n in happened.items() if one not in changes})

    def happens(self, trouble: str) -> bool:
        """Whether it happens this time."""
        often: Chance = getattr(self.behaviour, trouble)
        if often.times is not None and self._happened[trouble] >= often.times:
            return False
        name = f"{self._seed}:{self.partner}:{trouble}"
        if self._chances.setdefault(trouble, Random(name)).random() >= often.share:  # noqa: S311
            return False
        self._happened[trouble] += 1
        return True

    # --- what the mall asks ----------------------------------------------------------------------

    def router(self, *, refused: Said, unreadable: Said, prefix: str = "") -> APIRouter:
        """Routes of the partner's own: `refused` is how it says that it is not well, `unreadable`
        that a request lacks something or is too large.
        """
        line = self

        class Answered(APIRoute):
            def get_route_handler(
                self,
            ) -> Callable[[Request], Coroutine[Any, Any, Response]]:
                handle = super().get_route_handler()

                async def do(request: Request) -> Response:
                    try:
                        return await handle(request)
                    except RequestValidationError:
                        return unreadable()

                async def answer(request: Request) -> Response:
                    return await line._answer(request, do, refused)

                return answer

        return APIRouter(prefix=prefix, route_class=Answered)

    async def _answer(
        self, request: Request, do: Callable[[Request], Awaitable[Response]], refused: Said
    ) -> Response:
        body = await request.body()
        trouble, answer = await self._troubled(request, do, refused)
        kind = request.headers.get("content-type", "")
        self._note(
            "asked", f"{request.method} {request.url.path}", _shown(body, form="form" in kind),
            signed=getattr(request.state, "signed", None), trouble=trouble,
            status=answer.status_code, answered=_shown(bytes(answer.body)),
        )  # fmt: skip
        return answer

    async def _troubled(
        self, request: Request, do: Callable[[Request], Awaitable[Response]], refused: Said
    ) -> tuple[str | None, Response]:
        behaviour = self.behaviour
        if behaviour.outage in ("both", "answers"):
            return "outage", Response(status_code=503)
        late = behaviour.delay_seconds > 0 and self.happens("delay")
        if late:
            await asyncio.sleep(behaviour.delay_seconds)
        if self.happens("hang"):
            await asyncio.sleep(behaviour.hang_seconds)
            return "hang", Response(status_code=504)
        if self.happens("error"):
            return "error", Response(status_code=500)
        if self.happens("refuse"):
            return "refuse", refused()
        answer = await do(request)
        if self.happens("lose_answers"):  # what it does afterwards, it does
            return "lose_answers", Response(status_code=504, background=answer.background)
        return "delay" if late else None, answer

    # --- what it pushes --------------------------------------------------------------------------

    def start(self, what: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something beside, as long as the sandbox runs."""
        task = asyncio.create_task(what)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def stop(self) -> None:
        """Leave off whatever it does beside."""
        for task in list(self.tasks):
            task.cancel()

    async def push(self, url: str, message: Message, *, forged: bool = False) -> None:
        """Send a message to the mall, as the behaviour has it: late, twice, overtaken, never.

        It is made when it is sent: what has to wait is signed when its time comes, in a task of
        its own.
        """
        late = self.behaviour.late_seconds
        if self.happens("lose"):
            self._note_push(url, message(), forged=forged, trouble="lose")
        elif not self._back.is_set():
            self.start(self._after(self._is_back(), url, message, forged=forged, trouble="outage"))
        elif self.happens("reorder"):
            overtaken = self._is_overtaken()
            self.start(self._after(overtaken, url, message, forged=forged, trouble="reorder"))
        elif late > 0 and self.happens("late"):
            self.start(
                self._after(asyncio.sleep(late), url, message, forged=forged, trouble="late")
            )
        else:
            await self._send(url, message, forged=forged, trouble="forge" if forged else None)
            for waiting in self._overtaken:
                waiting.set()

    async def _after(
        self, what: Awaitable[Any], url: str, message: Message, *, forged: bool, trouble: str
    ) -> None:
        await what
        await self._send(url, message, forged=forged, trouble=trouble)

    async def _is_back(self) -> None:
        await self._back.wait()

    async def _is_overtaken(self) -> None:
        overtaken = asyncio.Event()
        self._overtaken.append(overtaken)
        with suppress(TimeoutError):
            async with asyncio.timeout(OVERTAKEN_SECONDS):
                await overtaken.wait()
        self._overtaken.remove(overtaken)

    async def _send(self, url: str, message: Message, *, forged: bool, trouble: str | None) -> None:
        behaviour = self.behaviour
        times = behaviour.repeat if behaviour.repeat > 1 and self.happens("duplicate") else 1
        made = message()
        async with httpx2.AsyncClient(
            timeout=TIMEOUT_SECONDS, trust_env=False, transport=self._mall
        ) as client:
            for time in range(times):
                again = "duplicate" if time else trouble
                try:
                    answer = await client.post(url, **made)
                except httpx2.HTTPError as error:
                    logger.warning("the mall did not answer: %s", type(error).__name__)
                    self._note_push(url, made, forged=forged, trouble=again)
                else:
                    self._note_push(url, made, forged=forged, trouble=again, answer=answer)

    def _note_push(
        self,
        url: str,
        message: dict[str, Any],
        *,
        forged: bool,
        trouble: str | None,
        answer: httpx2.Response | None = None,
    ) -> None:
        form = message.get("data")
        sent = _lines(form.items()) if form else _shown(message.get("content", b""))
        self._note(
            "pushed", f"POST {urlsplit(url).path}", sent, signed=not forged, trouble=trouble,
            status=None if answer is None else answer.status_code,
            answered="" if answer is None else _shown(answer.content),
        )  # fmt: skip

    def _note(self, way: Way, what: str, sent: str, **more: Any) -> None:
        self.count[way] += 1
        self.calls.append(
            Call(self.count.total(), datetime.now(UTC), way, what[:200], sent=sent, **more)
        )
        self.noted()


def believes(request: Request, fits: bool) -> bool:
    """Whether a signature fits, noted beside the call."""
    request.state.signed = fits
    return fits


def _shown(body: bytes, *, form: bool = False) -> str:
    """A body as a person reads it; of a long one the beginning."""
    text = body.decode("utf-8", "replace")
    return _lines(parse_qsl(text, keep_blank_values=True)) if form else text[:SHOWN_CHARS]


def _lines(pairs: Any) -> str:
    return "\n".join(f"{name}={value}" for name, value in pairs)[:SHOWN_CHARS]
