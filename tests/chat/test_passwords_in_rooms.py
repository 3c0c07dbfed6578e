"""Nobody says a password to a room by accident: ``login`` alone asks a guest there, as it does outside."""

from __future__ import annotations

from harness import World


def test_a_guest_registers_and_logs_in_from_a_room_and_the_room_hears_nothing_of_it(world: World) -> None:
    anna, bob = world.person("anna", "den"), world.person("bob", "den")
    anna.lines()
    anna.say("register")
    assert anna.lines() == ["user,password:"]
    anna.say("anna,a-good-secret")
    assert anna.lines()[0] == "You are logged in as anna."
    anna.say("login")
    assert anna.lines() == ["anna: login"], "who is logged in talks about it"
    anna.say("/logout")
    anna.lines()
    bob.lines()
    anna.say("Login")
    assert anna.lines() == ["user,password:"]
    anna.say("anna,/a-good-secret")
    assert anna.lines() == ["Error: wrong username or password."]
    anna.say("login", "")
    assert anna.lines() == ["user,password:", "Cancelled."]
    assert not [line for line in bob.lines() if "secret" in line or "login" in line.lower()]
    anna.say("/say login")
    assert [line for line in bob.lines() if line.endswith(": login")]


def test_an_operator_who_wants_tls_for_passwords_is_obeyed_in_rooms_too() -> None:
    world = World(require_tls="login")
    anna = world.person("anna", "den")
    anna.say("login")
    (refusal,) = anna.lines()
    assert refusal.startswith("Error: this server requires TLS for logins")
    world.close()
