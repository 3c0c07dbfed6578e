"""The real daemon is watched over HTTP, and told by SIGHUP to read its options again."""

from __future__ import annotations

import json
import re
import signal
import socket
from http.client import HTTPConnection
from pathlib import Path

import pytest
from blackbox.daemon import DEADLINE, Daemon, run_twistd
from prometheus_client.parser import text_string_to_metric_families

METRICS = r"metrics on http://127\.0\.0\.1:(\d+)/metrics"
READ_AGAIN = "options read again; changed: "


def get(daemon: Daemon, path: str) -> tuple[int, str]:
    """Return the status and the body."""
    connection = HTTPConnection("127.0.0.1", int(daemon.log.wait_for(METRICS)[1]), timeout=DEADLINE)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def scrape(daemon: Daemon) -> dict[str, float]:
    """Return what ``/metrics`` says, but for what has labels."""
    status, text = get(daemon, "/metrics")
    assert status == 200
    families = text_string_to_metric_families(text)
    return {sample.name: sample.value for family in families for sample in family.samples if not sample.labels}


def test_what_is_scraped_is_what_was_sent(tmp_path: Path) -> None:
    """Three in a room: each message is stored once and delivered three times; a private one is stored, too."""
    with Daemon(tmp_path, "--metrics", "127.0.0.1:0") as daemon:
        al, bob, pam = daemon.person("al", "lobby"), daemon.person("bob", "lobby"), daemon.program("pam", "lobby")
        al.expect("bob has joined the room.", "pam has joined the room.")
        bob.expect("pam has joined the room.")
        before = scrape(daemon)
        assert (before["chatroom_messages_total"], before["chatroom_deliveries_total"]) == (0, 1 + 2)
        for i in range(20):
            al.ask(f"m{i}", f"al: m{i}")
            bob.expect(f"al: m{i}")
            pam.event(event="said", text=f"m{i}")
        bob.ask("/msg al psst", "To al (private): psst")
        al.expect("bob (private): psst")
        after = scrape(daemon)
        assert after["chatroom_messages_total"] == 20 + 1
        assert after["chatroom_deliveries_total"] - before["chatroom_deliveries_total"] == 20 * 3 + 1
        assert [after[f"chatroom_{what}"] for what in ("connections", "users", "rooms", "engine_ok")] == [3, 3, 1, 1]
        for what in ("commit", "delivery"):  # each waited for its own echo, so each was a batch of its own
            assert after[f"chatroom_{what}_seconds_count"] - before[f"chatroom_{what}_seconds_count"] == 21
            assert 0 < after[f"chatroom_{what}_seconds_sum"] < DEADLINE
        assert after["process_resident_memory_bytes"] > 0


def test_the_daemon_says_that_it_is_well(tmp_path: Path) -> None:
    with Daemon(tmp_path, "--ephemeral", "--metrics", "0", keep=False) as daemon:
        status, said = get(daemon, "/healthz")
        health = json.loads(said)
        assert (status, health["state"], health["engine"]) == (200, "ok", "ok")
        assert 0 <= health["lag"] < 1
        assert get(daemon, "/")[0] == 404
        assert " 404 " not in daemon.log.text


def test_without_the_option_nobody_else_listens(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        assert "metrics" not in daemon.log.text
        assert len(re.findall(" starting on ", daemon.log.text)) == 1


def test_it_ends_while_somebody_holds_a_connection(tmp_path: Path) -> None:
    with Daemon(tmp_path, "--metrics", "0") as daemon, socket.socket() as idle:
        idle.connect(("127.0.0.1", int(daemon.log.wait_for(METRICS)[1])))
        assert daemon.stop() == 0


def test_a_port_that_is_taken_is_one_sentence_at_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        place = f"127.0.0.1:{other.getsockname()[1]}"
        result = run_twistd(tmp_path, "-n", "--pidfile=", "chatroom", "--ephemeral", "--port", "0", "--metrics", place)
    assert result.returncode > 0
    said = result.stdout + result.stderr
    assert "Traceback" not in said
    assert re.search(r"^chatroom: cannot listen on port \d+ of 127\.0\.0\.1: .*; give another --metrics$", said, re.M)


# ---- SIGHUP ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A file of options that is not empty."""
    path = tmp_path / "chatroom.toml"
    path.write_text("name = 'One'\n")
    return path


def test_sighup_changes_what_the_next_are_met_with_and_drops_nobody(tmp_path: Path, config: Path) -> None:
    """What is given on the command line still wins."""
    motd = tmp_path / "motd"
    motd.write_text("be kind\n")
    with Daemon(tmp_path, "--config", str(config), "--motd", str(motd)) as daemon:
        al = daemon.connect()
        assert al.greeted("One")[0] == "be kind"
        config.write_text("name = 'Two'\nport = 1\nmax-users = 2\n")
        motd.write_text("be quick\n")
        daemon.send_signal(signal.SIGHUP)
        daemon.log.wait_for(READ_AGAIN + "max-users, motd, name$")
        assert "restart" not in daemon.log.text, "the port was given on the command line"
        bob = daemon.connect()
        assert bob.greeted("Two")[0] == "be quick"
        late = daemon.connect()
        late.expect("Error: the chat is full (max users 2).")
        late.eof()
        al.nothing_more()


def test_a_rate_that_sighup_brings_is_for_the_next(tmp_path: Path, config: Path) -> None:
    """Who says too much too fast then is dropped; who was there before may still."""
    config.write_text("rate = 0\n")
    with Daemon(tmp_path, "--config", str(config), paced=True) as daemon:
        al = daemon.program("al", "lobby")
        config.write_text("rate = 1\n")
        daemon.send_signal(signal.SIGHUP)
        daemon.log.wait_for(READ_AGAIN + "rate$")
        bob = daemon.connect()
        bob.send(b"{}\n" * 60)
        assert b'"too-fast"' in bob.rest()
        al.send(b'{"do":"say","text":"hi"}\n' * 60)
        for _ in range(60):
            al.event(event="said", by="al", text="hi")


def test_a_broken_file_changes_nothing(tmp_path: Path, config: Path) -> None:
    with Daemon(tmp_path, "--config", str(config)) as daemon:
        al = daemon.person("al", "lobby")
        config.write_text("name = 'Two'\nreplay = 'many'\n")
        daemon.send_signal(signal.SIGHUP)
        daemon.log.wait_for("nothing is changed, for the options cannot be read again: .*: replay: give a whole number")
        daemon.connect().greeted("One")
        al.nothing_more()
        config.write_text("name = 'Three'\n")
        daemon.send_signal(signal.SIGHUP)
        daemon.log.wait_for(READ_AGAIN + "name$")
        daemon.connect().greeted("Three")
        al.nothing_more()


def test_sighups_without_a_file_do_no_harm(tmp_path: Path) -> None:
    with Daemon(tmp_path, "--metrics", "0") as daemon:
        al = daemon.person("al", "lobby")
        for _ in range(5):
            daemon.send_signal(signal.SIGHUP)
        daemon.log.wait_for(READ_AGAIN + "nothing$")
        al.ask("hi", "al: hi")
        assert get(daemon, "/healthz")[0] == 200
