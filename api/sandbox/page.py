"""沙箱页面 Looking at the played partners, and letting them misbehave, by hand or by script (M3).

For whoever rehearses: nobody logs in, since the sandbox holds nothing but what it was sent.
"""

import asyncio
from typing import Annotated, Any, Literal, Protocol

from fastapi import APIRouter, HTTPException, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api import pages
from api.sandbox.behaviour import ALWAYS, PARTNERS, Behaviour, Chance, fields_of
from api.sandbox.line import Line
from api.sandbox.script import ScriptRefused, Stage, read_script
from domain.house_rules import SHANGHAI

SCRIPT_CHARS = 20_000
HAND_SECONDS = 5.0
Partner = Annotated[Literal[PARTNERS], Path(description="one of those that are played")]  # type: ignore[valid-type]


class Played(Protocol):
    """All partners together."""

    lines: dict[str, Line]
    stage: Stage

    def behave(self, behaviour: Behaviour) -> None:
        """Let all of them behave like this."""

    def reset(self) -> None:
        """No script, and everybody well."""


class ByHandIn(BaseModel):
    """What a partner is to tell."""

    model_config = ConfigDict(extra="forbid")

    about: str = Field(max_length=200, description="a waybill, an attempt to pay, a parcel")
    event: str = Field(max_length=40, description="as `/state` lists them for the partner")


class ScriptIn(BaseModel):
    """What is to be played."""

    model_config = ConfigDict(extra="forbid")

    script: str = Field(max_length=SCRIPT_CHARS, description="a step a line")


def page_routes(sandbox: Played) -> APIRouter:
    """The page, what it reads, and what it changes."""
    router = APIRouter()
    router.get("/static/{path:path}", include_in_schema=False)(pages.static)
    router.get("/favicon.ico", include_in_schema=False)(pages.favicon)

    @router.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        return pages.framed(request, "sandbox", zone=SHANGHAI.key, secure=False)

    @router.get("/state", summary="Everything that the page shows")
    async def state() -> dict[str, Any]:
        """Each partner's behaviour and last calls, the newest first, and how far a script is."""
        told = [_told(line) for line in sandbox.lines.values()]
        return {"partners": told, "script": sandbox.stage.told()}

    @router.post("/behaviour", summary="Make all partners behave or misbehave")
    async def behave(behaviour: Behaviour) -> dict[str, Any]:
        """What is not said is as it is by itself; the answer is what is out of the ordinary."""
        sandbox.behave(behaviour)
        return behaviour.told()

    @router.post("/partners/{partner}/behaviour", summary="Make one partner behave or misbehave")
    async def behave_one(partner: Partner, behaviour: Behaviour) -> dict[str, Any]:
        """As for all of them."""
        strange = behaviour.told().keys() - set(fields_of(partner))
        if strange:
            raise HTTPException(422, f"{partner} knows nothing of: {', '.join(sorted(strange))}")
        sandbox.lines[partner].behave(behaviour)
        return behaviour.told()

    @router.post("/partners/{partner}/events", status_code=202, summary="Let a partner tell")
    async def tell(partner: Partner, asked: ByHandIn) -> dict[str, Any]:
        """Pushed at once, as the partner's behaviour has it; a slow mall is not waited for."""
        line = sandbox.lines[partner]
        by_hand = line.by_hand
        if by_hand is None or asked.event not in by_hand.events:
            raise HTTPException(404, f"{partner} tells nothing like {asked.event}")
        if asked.about not in by_hand.about():
            raise HTTPException(404, f"{partner} knows nothing of {asked.about}")
        telling = line.start(by_hand.tell(asked.about, asked.event))
        told, _ = await asyncio.wait({telling}, timeout=HAND_SECONDS)
        for one in told:
            one.result()
        return {}

    @router.post("/script", summary="Play a script")
    async def play(asked: ScriptIn) -> Any:
        """From now on, in place of another; 422 names every line that is wrong."""
        try:
            script = read_script(asked.script)
        except ScriptRefused as refused:
            wrong = [one._asdict() for one in refused.wrong]
            raise HTTPException(422, wrong) from None
        sandbox.stage.play(script)
        return sandbox.stage.told()

    @router.post("/reset", summary="No script, and everybody well")
    async def reset() -> dict[str, Any]:
        """What the partners know they keep."""
        sandbox.reset()
        return {}

    return router


def _told(line: Line) -> dict[str, Any]:
    behaviour, by_hand = line.behaviour, line.by_hand
    return {
        "partner": line.partner,
        "behaviour": behaviour.told(),
        "fields": [_field(name, behaviour) for name in fields_of(line.partner)],
        "asked": line.count["asked"],
        "pushed": line.count["pushed"],
        "about": [] if by_hand is None else by_hand.about()[::-1],
        "events": [] if by_hand is None else by_hand.events,
        "calls": [call._asdict() for call in reversed(line.calls)],
    }


def _field(name: str, behaviour: Behaviour) -> dict[str, Any]:
    """How a form asks for it."""
    schema, value = Behaviour.model_fields[name], getattr(behaviour, name)
    kind = "often" if isinstance(value, Chance) else type(value).__name__
    default = schema.default
    choices = _choices(schema.annotation)
    return {
        "name": name,
        "kind": "choice" if choices else kind,
        "choices": choices,
        "value": str(value) if isinstance(value, Chance) else value,
        "default": ("always" if default == ALWAYS else "never") if kind == "often" else default,
    }


def _choices(annotation: Any) -> list[str]:
    return list(getattr(annotation, "__args__", ())) if annotation is not None else []
