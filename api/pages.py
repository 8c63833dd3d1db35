"""网页 Pages for people: learner, support, operations, auditor; login by token (contract.md, A10).

The pages are empty frames: everything in them comes from the HTTP API, by the same rules as for
everybody else. Scripts and styles are files of ours, never inline, so that the policy can say so.
"""

import gzip
import hashlib
import json
import mimetypes
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode, urlsplit

import jwt
from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException as StarletteException

from api.auth import COOKIE, STAFF, Caller, Role, authenticated, entering
from api.reading import has_already
from domain.regions import PROVINCES

router = APIRouter(include_in_schema=False)

HERE = Path(__file__).parent / "pages"
LANGUAGES: Final = {"zh": "zh-CN", "en": "en"}
LANGUAGE_COOKIE = "tallypost_language"
THEME_COOKIE = "tallypost_theme"
THEMES = ("light", "dark")
NEUTRAL = "items/neutral.svg"
_PICTURE = re.compile(r"items/[A-Za-z0-9][A-Za-z0-9._-]*\.svg")
YEAR_SECONDS = 31_536_000
HOUR_SECONDS = 3_600
COMPRESSED_FROM_BYTES = 1_000

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
SAFETY = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: browsers would then call our own forms' origin "null".
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
PRIVATE = {"Cache-Control": "no-store", "Vary": "Cookie, Accept-Language"}


class Page(NamedTuple):
    """One page: where it is, its template, and who may open it."""

    path: str
    name: str
    roles: tuple[Role, ...]


PAGES = (
    Page("/", "learner", (Role.LEARNER,)),
    Page("/operations", "operations", (Role.OPERATIONS, Role.ADMINISTRATOR, Role.SERVICE)),
    Page("/audit", "audit", (Role.AUDITOR, Role.ADMINISTRATOR)),
    Page("/support", "support", STAFF),
)


class File(NamedTuple):
    """A static file as it is sent."""

    content: bytes
    compressed: bytes | None
    media_type: str
    etag: str


def _load_files() -> dict[str, File]:
    folders = {"": HERE / "static", "words/": HERE / "words"}
    return {
        prefix + path.relative_to(folder).as_posix(): _file(path)
        for prefix, folder in folders.items()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _file(path: Path) -> File:
    content = path.read_bytes()
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if media_type.startswith("text/") or media_type == "application/json":
        media_type += "; charset=utf-8"
    compressed = gzip.compress(content, mtime=0) if len(content) > COMPRESSED_FROM_BYTES else None
    return File(content, compressed, media_type, f'"{hashlib.sha256(content).hexdigest()[:20]}"')


FILES: Final = _load_files()
VERSION: Final = hashlib.sha256(
    "".join(path + file.etag for path, file in FILES.items()).encode()
).hexdigest()[:12]
"""Part of every address of a script or style, so that browsers may keep them for a year."""
WORDS: Final[dict[str, dict[str, Any]]] = {
    language: json.loads(FILES[f"words/{language}.json"].content) for language in LANGUAGES
}
_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined
)


@router.get("/static/{path:path}")
async def static(request: Request, path: str) -> Response:
    """A script, style, picture or list of words; for a year under its version, else an hour."""
    version, _, rest = path.partition("/")
    versioned = version == VERSION
    name = rest if versioned else path
    # Items without a picture of their own get a neutral one.
    file = FILES.get(name) or (FILES[NEUTRAL] if _PICTURE.fullmatch(name) else None)
    if file is None:
        raise HTTPException(404, "There is no such file.")
    lasting = f"public, max-age={YEAR_SECONDS}, immutable"
    headers = {
        **SAFETY,
        "Cache-Control": lasting if versioned else f"public, max-age={HOUR_SECONDS}",
        "ETag": file.etag,
        "Vary": "Accept-Encoding",
    }
    if has_already(request, file.etag):
        return Response(status_code=304, headers=headers)
    if file.compressed and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(file.compressed, headers=headers, media_type=file.media_type)
    return Response(file.content, headers=headers, media_type=file.media_type)


@router.get("/favicon.ico")
async def favicon(request: Request) -> Response:
    """The picture browsers ask for unasked."""
    return await static(request, "mark.svg")


@router.get("/")
async def learner(request: Request) -> Response:
    """Balance, catalogue, orders of a learner."""
    return await _page(request, PAGES[0])


@router.get("/operations")
async def operations(request: Request) -> Response:
    """Packing desk, stock, items, grants, health."""
    return await _page(request, PAGES[1])


@router.get("/audit")
async def audit(request: Request) -> Response:
    """Any order or account replayed, the books, the proofs."""
    return await _page(request, PAGES[2])


@router.get("/support")
async def support(request: Request) -> Response:
    """Any order found and seen on one screen, its cases decided."""
    return await _page(request, PAGES[3])


@router.get("/login")
async def login_form(request: Request, next: str = "") -> Response:  # noqa: A002
    """Where a token is pasted, or read from the address's fragment by the page itself."""
    caller = await _caller(request)
    if caller is not None and not request.query_params.get("again"):
        return _to(_local(next) or home(caller.role))
    return _html(request, "login", next=_local(next) or "")


@router.post("/login")
async def login(request: Request) -> Response:
    """A valid token becomes the session cookie; anything else is said so."""
    _refuse_foreign(request)
    form = await request.form(max_files=0, max_fields=4)
    token, wanted = str(form.get("token", "")).strip(), _local(str(form.get("next", "")))
    try:
        caller = entering(request, token)
    except HTTPException:
        address = request.client.host if request.client else ""
        await request.state.tenant.limits.take("logins", address)
        return _html(request, "login", status=401, next=wanted or "", failed=True)
    expires = jwt.decode(token, options={"verify_signature": False})["exp"]  # verified above
    answer = _to(wanted or home(caller.role))
    answer.set_cookie(
        COOKIE,
        token,
        max_age=max(0, int(expires - datetime.now(UTC).timestamp())),
        httponly=True,
        samesite="strict",
        secure=_is_https(request),
    )
    return answer


@router.post("/logout")
async def logout(request: Request) -> Response:
    """Forget the session in this browser."""
    _refuse_foreign(request)
    answer = _to("/login")
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=_is_https(request))
    return answer


def install(app: FastAPI) -> None:
    """Answer a person who looks for a page that is not there with a page; programs as ever."""
    told: Any = app.exception_handlers[StarletteException]

    @app.exception_handler(StarletteException)
    async def _http(request: Request, error: StarletteException) -> Response:
        looks = request.method == "GET" and "text/html" in request.headers.get("accept", "")
        if error.status_code == 404 and looks:
            return _html(request, "lost", status=404, caller=await _caller(request))
        answer: Response = await told(request, error)
        return answer


def home(role: Role) -> str:
    """The page a role starts on; roles without a page of theirs are told so on the first one."""
    return next((page.path for page in PAGES if role in page.roles), "/")


async def _page(request: Request, page: Page) -> Response:
    caller = await _caller(request)
    if caller is None:
        wanted = {"next": page.path} if page.path != "/" else {}
        return _to("/login" + ("?" + urlencode(wanted) if wanted else ""))
    if caller.role not in page.roles:
        if page.path == "/" and home(caller.role) != "/":
            return _to(home(caller.role))
        return _html(request, "refused", status=403, caller=caller)
    provinces = list(PROVINCES.values()) if page.name in ("learner", "support") else []
    limit = request.state.tenant.rules.four_eyes_points
    return _html(request, page.name, caller=caller, provinces=provinces, four_eyes_points=limit)


async def _caller(request: Request) -> Caller | None:
    try:
        return await authenticated(request)
    except HTTPException:
        return None


def _html(
    request: Request,
    name: str,
    *,
    status: int = 200,
    caller: Caller | None = None,
    **more: Any,
) -> Response:
    return framed(
        request,
        name,
        zone=request.state.tenant.rules.zone.key,
        warehouses=request.state.tenant.loads.names,
        secure=_is_https(request),
        status=status,
        caller=caller,
        **more,
    )


def framed(
    request: Request,
    name: str,
    *,
    zone: str,
    secure: bool,
    status: int = 200,
    caller: Caller | None = None,
    **more: Any,
) -> Response:
    """A page of ours in its frame, in the reader's language; times in it are of `zone`."""
    language = language_of(request)
    words = WORDS[language]
    theme = request.cookies.get(THEME_COOKIE)
    content = _templates.get_template(f"{name}.html").render(
        t=lambda key: words[key],
        page=name,
        language=language,
        locale=LANGUAGES[language],
        other=next(one for one in LANGUAGES if one != language),
        theme=theme if theme in THEMES else "auto",
        version=VERSION,
        zone=zone,
        caller=caller,
        pages=[page for page in PAGES if caller and caller.role in page.roles],
        **more,
    )
    answer = Response(content, status, headers={**SAFETY, **PRIVATE}, media_type="text/html")
    if request.query_params.get("lang") in LANGUAGES:
        answer.set_cookie(
            LANGUAGE_COOKIE,
            language,
            max_age=YEAR_SECONDS,
            samesite="lax",
            secure=secure,
        )
    return answer


def language_of(request: Request) -> str:
    """The page's language: as asked for, as chosen before, as the browser prefers, English."""
    for chosen in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if chosen in LANGUAGES:
            return str(chosen)
    return preferred_language(request.headers.get("accept-language", ""))


def preferred_language(header: str) -> str:
    """The language of ours that an Accept-Language header likes best.

    >>> preferred_language("fr, zh-CN;q=0.8, en;q=0.5"), preferred_language("")
    ('zh', 'en')
    """
    liked: list[tuple[float, int, str]] = []
    for place, part in enumerate(header[:500].split(",")):
        tag, _, weight = part.strip().partition(";q=")
        language = tag.strip().lower().partition("-")[0]
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        if language in LANGUAGES and quality > 0:
            liked.append((-quality, place, language))
    return min(liked)[2] if liked else "en"


def _to(path: str) -> RedirectResponse:
    return RedirectResponse(path, 303, headers={**SAFETY, **PRIVATE})


def _local(path: str) -> str | None:
    """The path, if it is one of our pages: a login never leads anywhere else."""
    return path if urlsplit(path).path == path and path in {one.path for one in PAGES} else None


def _is_https(request: Request) -> bool:
    public: str = request.app.state.settings.public_url
    return request.url.scheme == "https" or public.startswith("https://")


def _refuse_foreign(request: Request) -> None:
    """Nobody else's page logs anybody in or out here."""
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        raise HTTPException(403, "This form is taken from our own pages only.")
