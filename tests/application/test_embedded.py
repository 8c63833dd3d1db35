import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from application.attaching import attach_or_start
from application.embedded import EmbeddedPostgres, EmbeddedPostgresError, pg_binary

# Each starts servers of its own, some in processes of their own.
pytestmark = pytest.mark.slow

ROOT = os.geteuid() == 0
# Starts the server in a process of its own, says so, and waits to be told to end.
OWNER = """
import sys
from pathlib import Path
from application.embedded import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])) as server:
    print(server.url(), flush=True)
    sys.stdin.read()
"""
COMMAND = """
import sys
from pathlib import Path
from application.attaching import attach_or_start
with attach_or_start(Path(sys.argv[1])) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def server(data_folder: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(data_folder) as server:
        yield server


def ask(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def in_a_process(program: str, data: Path) -> tuple["subprocess.Popen[str]", str]:
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def end(process: "subprocess.Popen[str]") -> None:
    process.communicate("", timeout=60)
    assert process.returncode == 0


def server_process(data: Path) -> psutil.Process:
    pid_file = data / "postgres" / "cluster" / "postmaster.pid"
    return psutil.Process(int(pid_file.read_text().split("\n")[0]))


def test_the_server_is_durable_and_private_when_it_starts(
    server: EmbeddedPostgres, data_folder: Path
) -> None:
    url = server.url()

    assert ask(url, "SHOW fsync") == "on"
    assert ask(url, "SHOW data_checksums") == "on"
    assert ask(url, "SHOW listen_addresses") == ""
    assert ask(url, "SHOW shared_buffers") == "256MB"
    assert ask(url, "SHOW server_encoding") == "UTF8"
    assert ask(url, "SELECT datlocale FROM pg_database WHERE datname = 'tallypost'") == "C.UTF-8"
    for private in ("postgres", "postgres/run", "postgres/cluster"):
        assert stat.S_IMODE((data_folder / private).stat().st_mode) == 0o700
    assert server_process(data_folder).uids().effective != 0


def test_what_was_committed_is_there_when_the_server_was_stopped_and_started(
    data_folder: Path,
) -> None:
    with EmbeddedPostgres(data_folder) as first, psycopg.connect(first.url()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS answer")

    with EmbeddedPostgres(data_folder) as second:
        assert ask(second.url(), "SELECT answer FROM kept") == 7


def test_the_server_is_down_when_its_block_ends(data_folder: Path) -> None:
    with EmbeddedPostgres(data_folder) as server:
        url = server.url()

    assert not answers(url)
    server.stop()


def test_it_starts_again_when_the_server_was_killed(data_folder: Path) -> None:
    process, url = in_a_process(OWNER, data_folder)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS answer")
    server_process(data_folder).send_signal(signal.SIGKILL)
    process.kill()
    process.communicate()

    with EmbeddedPostgres(data_folder) as server:
        assert ask(server.url(), "SELECT answer FROM kept") == 7


def test_it_starts_again_when_the_stale_process_id_is_a_strangers(data_folder: Path) -> None:
    with EmbeddedPostgres(data_folder) as server:
        url = server.url()
        pid_file = data_folder / "postgres" / "cluster" / "postmaster.pid"
        left_behind = pid_file.read_text().split("\n")
    pid_file.write_text("\n".join([str(os.getpid()), *left_behind[1:]]))

    with EmbeddedPostgres(data_folder):
        assert answers(url)


def test_it_initialises_again_when_initialising_was_broken_off(data_folder: Path) -> None:
    with EmbeddedPostgres(data_folder):
        pass
    home = data_folder / "postgres"
    (home / "cluster").rename(home / "cluster.draft")
    (home / "cluster.draft" / "PG_VERSION").unlink()

    with EmbeddedPostgres(data_folder) as server:
        assert answers(server.url())


def test_a_running_server_is_adopted_when_its_owner_was_killed(data_folder: Path) -> None:
    process, url = in_a_process(OWNER, data_folder)
    process.kill()
    process.communicate()
    before = server_process(data_folder).pid

    with EmbeddedPostgres(data_folder):
        assert server_process(data_folder).pid == before

    assert not answers(url)


def test_the_server_runs_on_when_an_attached_command_ends(
    server: EmbeddedPostgres, data_folder: Path
) -> None:
    process, url = in_a_process(COMMAND, data_folder)
    assert url == server.url()

    end(process)

    assert answers(url)


def test_the_server_is_stopped_when_the_command_that_started_it_ends(data_folder: Path) -> None:
    with attach_or_start(data_folder) as url:
        assert answers(url)

    assert not answers(url)


def test_the_last_command_stops_the_server_when_its_owner_left_first(data_folder: Path) -> None:
    owner, url = in_a_process(OWNER, data_folder)
    command, _ = in_a_process(COMMAND, data_folder)

    end(owner)
    assert answers(url)

    end(command)
    assert not answers(url)


def test_two_commands_share_one_server_when_they_start_together(data_folder: Path) -> None:
    arguments = [sys.executable, "-c", COMMAND, str(data_folder)]
    pair = [
        subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]

    urls = {process.stdout.readline() for process in pair if process.stdout is not None}

    assert len(urls) == 1
    for process in pair:
        end(process)
    assert not answers(urls.pop().strip())


def test_the_socket_moves_to_a_short_folder_when_the_data_folder_is_deep(
    data_folder: Path,
) -> None:
    deep = data_folder / ("点" * 20) / ("d" * 60)
    if ROOT:
        deep.mkdir(parents=True)

    with EmbeddedPostgres(deep) as server:
        url = server.url()
        assert answers(url)
        with attach_or_start(deep) as same:
            assert same == url


def test_passwords_are_asked_for_when_it_listens_on_a_port(data_folder: Path) -> None:
    with EmbeddedPostgres(data_folder, port=free_port()) as server:
        port = ask(server.url(), "SHOW port")
        open_to_all = f"postgresql://tallypost@127.0.0.1:{port}/tallypost"

        assert not answers(open_to_all)


@pytest.mark.skipif(not ROOT, reason="only root has folders that the server's account can't enter")
def test_the_database_lives_elsewhere_when_the_server_cannot_reach_the_folder(
    data_folder: Path,
) -> None:
    data_folder.mkdir(mode=0o700)
    closed = data_folder / "deeper"

    with EmbeddedPostgres(closed) as server:
        home = (closed / "postgres").resolve()
        assert answers(server.url())

    assert not home.is_relative_to(data_folder)
    assert stat.S_IMODE(data_folder.stat().st_mode) == 0o700
    subprocess.run(["/bin/rm", "-r", str(home)], check=True)


def test_a_newer_database_is_refused_when_another_version_made_it(data_folder: Path) -> None:
    with EmbeddedPostgres(data_folder):
        pass
    (data_folder / "postgres" / "cluster" / "PG_VERSION").write_text("17\n")

    with pytest.raises(EmbeddedPostgresError, match="made by PostgreSQL 17"):
        EmbeddedPostgres(data_folder).start()


def test_programs_are_found_when_the_wheel_has_them() -> None:
    said = subprocess.run([pg_binary("pgbench"), "--version"], capture_output=True, check=True)

    assert b"PostgreSQL" in said.stdout
    with pytest.raises(EmbeddedPostgresError, match="no program"):
        pg_binary("nonesuch")


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
