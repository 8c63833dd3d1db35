"""说明 The API's description to read and try: Swagger UI from a wheel, asking nobody else (M1)."""

import gzip
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from pydantic import BaseModel

from api.pages import SAFETY
from api.problems import DOCUMENTED, schema_of_problems
from api.reading import has_already

router = APIRouter(prefix="/docs", include_in_schema=False)

PACKAGE = "fastapi_swagger"
"""Of this package we take two files and run no code."""

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Tallypost API</title>
<link rel="icon" href="/static/mark.svg">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
"""
START = """SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
});
"""
OPEN_PATHS = ("/health", "/ready", "/metrics", "/v1/callbacks/")
"""What needs no token: health, and what partners sign in their own way."""


NOT_YET_THERE: dict[str, Any] = {
    **DOCUMENTED,
    "description": "The view has not reached `min_position` yet; how far it is behind",
}


class File(NamedTuple):
    """A file of the page as it is sent."""

    content: bytes
    media_type: str

    @property
    def etag(self) -> str:
        """The same for the same bytes."""
        return f'"{hashlib.sha256(self.content).hexdigest()[:20]}"'


@cache
def _file(name: str) -> File:
    """A file of the page, compressed once; raises `KeyError` for other names."""
    kind = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}[name]
    content = files(PACKAGE).joinpath("resources", name).read_bytes()
    return File(gzip.compress(content, mtime=0), f"{kind}; charset=utf-8")


@router.get("")
async def page() -> Response:
    """Every operation with its fields and examples."""
    return Response(PAGE, headers=SAFETY, media_type="text/html; charset=utf-8")


@router.get("/start.js")
async def start() -> Response:
    """What draws the page; a file, because the policy allows no script inside it."""
    return Response(START, headers=SAFETY, media_type="text/javascript; charset=utf-8")


@router.get("/{name}")
async def part(request: Request, name: str) -> Response:
    """Swagger UI's script and style."""
    try:
        file = _file(name)
    except KeyError:
        raise HTTPException(404, "There is no such file.") from None
    headers = {**SAFETY, "Cache-Control": "no-cache", "ETag": file.etag, "Vary": "Accept-Encoding"}
    if has_already(request, file.etag):
        return Response(status_code=304, headers=headers)
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(gzip.decompress(file.content), headers=headers, media_type=file.media_type)
    headers["Content-Encoding"] = "gzip"
    return Response(file.content, headers=headers, media_type=file.media_type)


class Described(FastAPI):
    """An application whose document says all that its callers have to know."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, complete: tokens, refusals, late views, whole examples."""
        made = self.openapi_schema is not None
        document = super().openapi()
        if not made:
            _say_who_calls(document)
            document["components"]["schemas"] |= schema_of_problems()
            _give_examples(document["components"]["schemas"], BaseModel)
        return document


def _say_who_calls(document: dict[str, Any]) -> None:
    """Every operation needs a bearer token, but those of the open paths."""
    document["components"]["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "`tallypost token --role R --subject S` prints one.",
        }
    }
    document["security"] = [{"token": []}]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path.startswith(OPEN_PATHS):
                operation["security"] = []
            for one in operation.get("parameters", ()):
                if one["name"].lower() == "idempotency-key":
                    _need(one)
            names = {one["name"] for one in operation.get("parameters", ())}
            if "min_position" in names:
                operation["responses"]["202"] = NOT_YET_THERE


def _need(parameter: dict[str, Any]) -> None:
    """Optional in the code, for a refusal of its own where it is missing, and for nobody else."""
    given, _ = parameter["schema"].pop("anyOf")
    parameter["schema"] = given | parameter["schema"]
    parameter["required"] = True


def _give_examples(schemas: dict[str, Any], cls: type[BaseModel]) -> None:
    """Examples as they were written: FastAPI leaves out every null, and some fields are null."""
    for one in cls.__subclasses__():
        extra = one.model_config.get("json_schema_extra")
        if one.__module__.startswith("api.") and one.__name__ in schemas and extra:
            schemas[one.__name__] |= extra
        _give_examples(schemas, one)
