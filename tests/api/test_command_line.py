"""`tallypost …` pointed to the wrong place: one line that says so, a status, nothing made (M6)."""

import itertools
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import httpx2
import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from api import serving
from api.command_line import main
from tests.conftest import MallDatabase


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "TALLYPOST_KEYS", "TALLYPOST_TENANT"):
        monkeypatch.delenv(name, raising=False)
    # `serve` sets it for its children, and this process is none.
    monkeypatch.setenv("TALLYPOST_PUBLIC_URL", "http://127.0.0.1:8000")


class Typed:
    """Types a command as a user does."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], folder: Path
    ) -> None:
        self._monkeypatch = monkeypatch
        self._capfd = capfd
        self.folder = folder

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Exit status, stdout, and stderr."""
        self._monkeypatch.setattr(sys, "argv", ["tallypost", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = self._capfd.readouterr()
        assert "Traceback" not in said.err
        return int(ended.value.code or 0), said.out, said.err.strip()


@pytest.fixture
def typed(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Typed:
    return Typed(monkeypatch, capfd, tmp_path / "typo")


@contextmanager
def listening() -> Iterator[int]:
    """Somebody else's server; its port."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        yield int(one.getsockname()[1])


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("RULES", '{"pay_within": "soon"}', "TALLYPOST_RULES: pay_within: Input should be a valid"),
        ("RULES", '{"pay_withn": "PT1M"}', "TALLYPOST_RULES: pay_withn: Unexpected"),
        ("RULES", "{", 'field "rules" from source "EnvSettingsSource": it has to be JSON'),
        ("ALERT_LANGUAGE", "fr", "TALLYPOST_ALERT_LANGUAGE: Input should be 'zh' or 'en'"),
        ("TENANT_SETTINGS", '{"nobody": {}}', "nobody is no tenant"),
    ],
)
@pytest.mark.parametrize("command", ["serve", "api", "worker", "migrate", "verify"])
def test_nothing_starts_when_a_setting_cannot_be_used(
    typed: Typed, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str, command: str
) -> None:
    """M6: which one, where in it, and why."""
    monkeypatch.setenv(f"TALLYPOST_{name}", value)
    status, out, err = typed(command, "--data", str(typed.folder))
    assert (status, out) == (2, "")
    assert said in err
    assert not typed.folder.exists()


def test_a_variable_that_sets_nothing_is_named(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M6: mistyped, or of an older version."""
    monkeypatch.setenv("TALLYPOST_RETURN_DAYS", "9")
    _, _, err = typed("verify", "--data", str(typed.folder))
    assert "TALLYPOST_RETURN_DAYS is no setting" in err
    assert "No mall is in" in err  # it went on


def test_serve_ends_before_it_tells_anything_when_the_port_is_taken(typed: Typed) -> None:
    """M6: no database is made, no token printed, no child started again for ever."""
    with listening() as port:
        status, out, err = typed("serve", "--port", str(port), "--data", str(typed.folder))
    assert (status, out) == (1, "")
    assert f":{port}, " in err
    assert "is in use: choose another with --port" in err
    assert not typed.folder.exists()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("at 5s sf explode", "line 1: behaviour: explode"),
        ("\nat noon sf outage", "line 2: step: at noon sf outage"),
        (None, "No such file"),
    ],
)
def test_the_sandbox_ends_when_its_script_cannot_be_played(
    typed: Typed, tmp_path: Path, script: str | None, said: str
) -> None:
    """M3: before anything listens; which line it is, and what is wrong in it."""
    path = tmp_path / "script.txt"
    if script is not None:
        path.write_text(script)
    status, out, err = typed("sandbox", "--script", str(path), "--data", str(typed.folder))
    assert (status, out) == (2, "")
    assert said in err


def test_serve_ends_before_it_tells_anything_when_the_sandbox_has_no_port(typed: Typed) -> None:
    """M6: the partners are played on the next port."""
    with listening() as port:
        status, out, err = typed("serve", "--port", str(port - 1), "--data", str(typed.folder))
        assert (status, out) == (1, "")
        assert f"127.0.0.1:{port}, where the sandbox was to play the partners, is in use" in err
    status, _, err = typed("serve", "--port", "65535", "--data", str(typed.folder))
    assert status == 1
    assert "is above 65535" in err
    assert not typed.folder.exists()


def test_the_halves_end_when_their_port_is_taken(
    typed: Typed, database: MallDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M6: with the same words."""
    monkeypatch.setenv("DATABASE_URL", database.service_url)
    monkeypatch.setenv("TALLYPOST_TENANT", database.schema)
    with listening() as port:
        for half in ("api", "sandbox"):
            status, _, err = typed(half, "--port", str(port), "--data", str(typed.folder))
            assert status == 1
            assert f"127.0.0.1:{port}, " in err


def test_a_process_that_never_comes_up_is_not_started_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """M6: also where it takes longer to start than any bound on its life could be."""
    seconds = itertools.count(step=3.0)
    clock = SimpleNamespace(monotonic=lambda: next(seconds), sleep=lambda _: None)
    monkeypatch.setattr(serving, "time", clock)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    child = [sys.executable, "-c", "raise SystemExit(7)", "api"]
    assert serving._watch([child], {}, at="http://127.0.0.1:1", ready=lambda: None) == 7


SLOW_API = """
import http.server, sys, time
time.sleep(1.5)
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/ready" else 404)
        self.end_headers()
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[2])), Ready).serve_forever()
"""


def test_the_address_is_told_once_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """M6, N1: its links work from the moment on at which they are read; once, and never later."""
    with listening() as port:
        pass  # free again
    told: list[int] = []

    def ready() -> None:
        told.append(httpx2.get(f"http://127.0.0.1:{port}/ready", trust_env=False).status_code)
        timer.start()

    timer = threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with kept_signals():
        api = [sys.executable, "-c", SLOW_API, "api", str(port)]
        assert serving._watch([api], {}, at=f"http://127.0.0.1:{port}", ready=ready) == 0
        assert told == [200]
        timer = threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGTERM))
        monkeypatch.setattr(serving, "READY_SECONDS", 0.0)
        told_anyway: list[bool] = []
        never = [sys.executable, "-c", "import time; time.sleep(60)", "api"]
        timer.start()
        serving._watch([never], {}, at="http://127.0.0.1:1", ready=lambda: told_anyway.append(True))
    assert told_anyway == [True]


def test_ctrl_c_ends_no_child_that_still_begins(capfd: pytest.CaptureFixture[str]) -> None:
    """M6: Ctrl-C reaches every process of a terminal; one that imports has no trace to show."""
    child = [sys.executable, "-c", "print('begun', flush=True); import time; time.sleep(60)", "api"]

    def interrupted() -> None:
        while "begun" not in capfd.readouterr().out:
            time.sleep(0.05)
        (one,) = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        os.kill(int(one), signal.SIGINT)
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)

    with kept_signals():
        typing = threading.Thread(target=interrupted)
        typing.start()
        assert serving._watch([child], {}, at="http://127.0.0.1:1", ready=lambda: None) == 0
        typing.join()
    assert "Traceback" not in capfd.readouterr().err


@contextmanager
def kept_signals() -> Iterator[None]:
    """What this process does on signals is as it was, afterwards."""
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for one, does in before.items():
            signal.signal(one, does)


def test_one_line_says_so_when_the_database_is_newer(
    typed: Typed, database: MallDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M6, R26: an older Tallypost beside a newer schema tells what to do, without a trace."""
    with psycopg.connect(database.owner_url) as connection:
        newer = "INSERT INTO {}.migrations (number, name, sha256) VALUES (9999, '9999_newer', '')"
        connection.execute(SQL(newer).format(Identifier(database.schema)))
    monkeypatch.setenv("DATABASE_URL", database.service_url)
    monkeypatch.setenv("TALLYPOST_TENANT", database.schema)
    with listening() as port:
        pass  # free again
    status, out, err = typed("serve", "--port", str(port), "--no-demo", "--data", str(typed.folder))
    assert (status, out) == (1, "")
    assert err == "The database has 9999_newer, which is missing here: update Tallypost."


@pytest.mark.parametrize(
    "command",
    [
        ["verify"],
        ["rebuild", "all"],
        ["audit", "head"],
        ["audit", "export", "account:lin"],
        ["token", "--revoke", "--subject", "lin"],
    ],
)
def test_nothing_is_made_when_a_command_looks_where_nothing_is(
    typed: Typed, command: list[str]
) -> None:
    """M6: 2, and the folder is named."""
    status, out, err = typed(*command, "--data", str(typed.folder))
    assert (status, out) == (2, "")
    assert err.startswith(f"No mall is in {typed.folder}: ")
    assert not typed.folder.exists()


def test_no_token_is_printed_when_no_service_made_the_key(typed: Typed) -> None:
    """M6: one that is signed with a new key lets nobody in."""
    somebody = ["--role", "learner", "--subject", "lin"]
    status, out, err = typed("token", *somebody, "--data", str(typed.folder))
    assert (status, out) == (1, "")
    assert "no service made this key here" in err
    assert not typed.folder.exists()


def test_no_token_is_printed_when_it_would_speak_for_nobody(typed: Typed) -> None:
    """M6: 2, as for any unusable option."""
    for subject in ("", "  "):
        status, out, err = typed("token", "--role", "learner", "--subject", subject)
        assert (status, out) == (2, "")
        assert "--subject" in err


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://nobody:secret@127.0.0.1:1/x", "does not let us in: "),
        ("postgresql:/secret@", "is no address of a database"),
    ],
)
@pytest.mark.parametrize(
    "command", [["api"], ["worker"], ["verify"], ["migrate"], ["audit", "head"], ["keys", "rewrap"]]
)
def test_the_setting_is_named_when_the_database_does_not_answer(
    typed: Typed, monkeypatch: pytest.MonkeyPatch, command: list[str], url: str, said: str
) -> None:
    """M6: one line, without the password; no keys are made for it."""
    monkeypatch.setenv("DATABASE_URL", url)
    status, _, err = typed(*command, "--data", str(typed.folder))
    assert status == 2
    assert f"DATABASE_URL {said}" in err.replace("The database of ", "").replace("\n", " ")
    assert "secret" not in err
    assert len(err.splitlines()) == 1
    assert not (typed.folder / "keys" / "heads.pem").exists()


def test_the_owner_is_named_when_only_its_address_is_wrong(
    typed: Typed, database: MallDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M6: `verify` and `migrate` come as the owner."""
    monkeypatch.setenv("DATABASE_URL", database.service_url)
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://nobody@127.0.0.1:1/x")
    status, _, err = typed("verify", "--data", str(typed.folder))
    assert status == 2
    assert "DATABASE_OWNER_URL does not let us in" in err


def test_the_way_on_is_told_when_the_schema_is_not_there(
    typed: Typed, database: MallDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M6: not a table that PostgreSQL does not know."""
    monkeypatch.setenv("DATABASE_URL", database.service_url)
    for command in (["verify"], ["audit", "head"]):
        status, _, err = typed(*command, "--tenant", "nobodys", "--data", str(typed.folder))
        assert status == 1
        assert err == "The schema nobodys is not up to date: run `tallypost migrate`."
    assert not (typed.folder / "keys").exists()


def test_it_is_told_what_is_missing_when_a_file_is_no_head(typed: Typed, tmp_path: Path) -> None:
    """A3: 1 as for every anchor that is none."""
    export, head = tmp_path / "export.json", tmp_path / "head.json"
    export.write_text("{}")
    for text, why in (('{"position": 3}', "it has no tenant"), ("[", "not in the form of one")):
        head.write_text(text)
        status, _, err = typed("audit", "check", str(export), "--head", str(head))
        assert status == 1
        assert err == (f"{head}: not a signed head: {why}; `tallypost audit head` prints one")
