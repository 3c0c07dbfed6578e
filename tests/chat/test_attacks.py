"""What somebody with bad intentions tries: each test is an attack that once worked."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import MoodyEngine, person_on_a_socket
from harness import QuickPasswords, World, result
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from chatroom.chat.limits import ANNOUNCEMENTS, ANNOUNCEMENTS_WINDOW, FAILURES_OUT, INBOX_MESSAGES, LISTED
from chatroom.chat.operations import Operations
from chatroom.log import Unavailable
from chatroom.names import user_name


@pytest.fixture
def world():
    world = World()
    yield world
    world.close()


@pytest.fixture
def moody():
    clock = Clock()
    world = World(MoodyEngine(clock), clock)
    yield world
    world.engine.let_go()
    world.close()


def at(world: World, host: str, name: str, room: str = ""):
    """Return a person who comes from there."""
    client = world.connect(host)
    world.pass_time(0.3)
    client.say(f"/name {name}")
    if room:
        client.say(f"/join {room}")
    client.lines()
    return client


# ---- into rooms --------------------------------------------------------------------------------------------------


def test_a_lock_holds_for_whoever_comes_from_another_room(world):
    alice = world.person("alice", "den")
    alice.say("/lock")
    mallory = world.person("mallory", "hall")
    mallory.say("/join den")
    assert mallory.lines() == ["Error: den is locked; ask a moderator to invite you."]


def test_a_ban_holds_for_whoever_is_just_leaving_another_room(moody):
    alice = moody.person("alice", "den")
    mallory = moody.person("mallory", "hall")
    moody.engine.holding = True
    mallory.say("/join den")  # its leaving waits to be stored
    held, moody.engine._held = moody.engine._held, []
    moody.engine.holding = False
    alice.say("/ban mallory")
    for act in held:
        act()
    moody.settle()
    assert mallory.lines()[-1] == "Error: you are banned from den."
    alice.lines()
    alice.say("/who")
    assert "  mallory" in alice.lines()


# ---- rights ------------------------------------------------------------------------------------------------------


def test_a_moderator_cannot_put_out_the_owner_by_the_address(world):
    owner = at(world, "10.0.0.1", "owner", "den")
    mallory = at(world, "10.0.0.2", "mallory", "den")
    owner.say("/op mallory")
    owner.lines()
    mallory.say("/ban 10.0.0.1")
    assert not [line for line in owner.lines() if "kicked" in line]
    owner.say("still here")
    assert owner.lines() == ["owner: still here"]


# ---- another's name ----------------------------------------------------------------------------------------------


def account(world: World, name: str):
    """Return a person with an account of that name, logged in."""
    client = world.person()
    client.say(f"/register {name} secret")
    client.lines()
    return client


def test_who_asks_for_an_accounts_name_does_not_get_its_mail(moody):
    account(moody, "bob").drop()
    mallory, alice = moody.person("mallory"), moody.person("alice")
    moody.engine.slow = True
    mallory.say("/name bob")  # whether the name is an account's is being looked up
    alice.say("/msg bob the key is under the mat")
    moody.engine.let_go()
    assert mallory.lines() == ["Error: username is already used; choose another with /name <name>."]
    assert alice.lines() == ["bob is offline; the message will be delivered when bob returns."]


def test_who_asks_for_an_accounts_name_does_not_keep_its_owner_out(moody):
    account(moody, "bob").drop()
    mallory, bob = moody.person("mallory"), moody.person()
    bob.say("/login bob wrong")
    bob.lines()
    chat, authenticate = moody.chat, moody.chat.authenticator.authenticate

    async def late(*args):
        found = await authenticate(*args)
        moody.engine.slow = True
        mallory.say("/name bob")
        return found

    chat.authenticator.authenticate = late
    bob.say("/login bob secret")
    moody.engine.let_go()
    assert bob.lines()[0] == "You are logged in as bob."
    assert chat.names.get("bob") is chat.users[next(id for id, u in chat.users.items() if u.account)]
    assert mallory.lines()[-1] == "Error: username is already used; choose another with /name <name>."


@pytest.mark.parametrize("name", ["bob", "b0b"])
def test_who_is_about_to_have_a_name_that_is_registered_does_not_get_it(moody, name):
    alice = moody.person("alice", "lobby")
    mallory = moody.person("mallory", "lobby")
    alice.lines()
    moody.engine.holding = True
    mallory.say(f"/name {name}")
    held, moody.engine._held = moody.engine._held, []
    moody.engine.holding = False
    account(moody, "bob")
    for act in held:
        act()
    moody.settle()
    assert mallory.lines()[-1] == "Error: username is already used; choose another with /name <name>."
    mallory.say("who am I")
    assert mallory.lines() == ["mallory: who am I"]
    assert alice.lines()[-2:] == [f"{name} is now known as mallory.", "mallory: who am I"]
    assert moody.chat.names.get("mallory") is not None


def test_who_loses_a_name_while_taking_another_is_called_the_same_everywhere(moody):
    mallory = moody.person("bob", "lobby")
    moody.engine.mute = True  # the room knows, but who asked does not yet
    mallory.say("/name carl")
    held, moody.engine._held = moody.engine._held, []
    moody.engine.mute = False
    account(moody, "bob")
    for act in held:
        act()
    moody.settle()
    mallory.lines()
    mallory.say("/account")
    name = mallory.lines()[0].removeprefix("You are now ").removesuffix(".")
    looker = moody.person("looker")
    looker.say("/join lobby")
    assert f"Current users: {name}, looker" in looker.lines()


# ---- another's account -------------------------------------------------------------------------------------------


class SlowPasswords(QuickPasswords):
    """Looks at a password only when told; a hash that is ``old`` should be made anew."""

    def __init__(self) -> None:
        self.waiting: list[Any] | None = None
        self.stale = False

    def _late(self, result: Any) -> Deferred[Any]:
        if self.waiting is None:
            return succeed(result)
        later: Deferred[Any] = Deferred()
        self.waiting.append(lambda: later.callback(result))
        return later

    def hash(self, password: str) -> Deferred[str]:
        """As told."""
        return self._late(f"hash of {password}")

    def verify(self, hashed: str, password: str) -> Deferred[bool]:
        """As told."""
        return self._late(hashed == f"hash of {password}")

    def outdated(self, hashed: str) -> bool:
        """As told."""
        return self.stale

    def next(self) -> None:
        """Let one be looked at."""
        assert self.waiting
        self.waiting.pop(0)()


@pytest.fixture
def passwords():
    return SlowPasswords()


@pytest.fixture
def slow(passwords):
    world = World(passwords=passwords)
    yield world
    world.close()


def operate(world: World, what: str, *arguments: Any) -> Any:
    """Do what the console can, and return what it says."""
    box: list[Any] = []
    Deferred.fromCoroutine(getattr(Operations(world.chat, "console"), what)(*arguments)).addBoth(box.append)
    world.settle()
    return box[0]


def test_a_login_under_way_does_not_get_the_account_that_has_the_name_by_then(slow, passwords):
    account(slow, "bob").drop()
    mallory = slow.person("mallory")
    passwords.waiting = []
    mallory.say("/login bob secret")
    operate(slow, "remove_account", "bob")
    looking, passwords.waiting = passwords.waiting, None
    operate(slow, "add_account", "bob", "other")
    looking[0]()
    assert mallory.lines() == ["Error: wrong username or password."]


def test_a_login_under_way_does_not_bring_a_deleted_account_back(slow, passwords):
    account(slow, "bob").drop()
    mallory = slow.person("mallory")
    passwords.waiting = []
    mallory.say("/login bob secret")
    operate(slow, "remove_account", "bob")
    passwords.next()
    assert mallory.lines() == ["Error: wrong username or password."]
    assert operate(slow, "accounts") == []


def test_nobody_logs_in_to_an_account_that_is_deleted_while_its_hash_is_made_anew(slow, passwords):
    account(slow, "bob").drop()
    mallory = slow.person("mallory")
    passwords.waiting, passwords.stale = [], True
    mallory.say("/login bob secret")
    passwords.next()
    operate(slow, "remove_account", "bob")
    passwords.next()
    assert mallory.lines() == ["Error: wrong username or password."]


def test_who_knew_the_old_password_does_not_undo_the_new_one(slow, passwords):
    mallory = account(slow, "bob")
    passwords.waiting = []
    mallory.say("/password secret mine")
    passwords.next()
    making, passwords.waiting = passwords.waiting, None
    operate(slow, "set_password", "bob", "new")
    making[0]()
    assert mallory.lines() == ["Error: wrong username or password."]
    mallory.drop()
    bob = slow.person()
    bob.say("/login bob new")
    assert bob.lines()[0] == "You are logged in as bob."


def test_who_is_deleted_while_there_is_no_seat_for_a_guest_is_out(moody_full):
    moody = moody_full
    assert "made" in operate(moody, "add_account", "bob", "secret")
    bob = moody.person()
    bob.say("/login bob secret")
    assert "You are logged in as bob." in bob.lines()
    moody.engine.holding = True
    operator = moody.chat
    Deferred.fromCoroutine(Operations(operator, "console").remove_account("bob"))
    moody.settle()
    moody.person("first")
    moody.person("second")  # on the seat that is bob's no more
    moody.engine.let_go()
    moody.settle()
    assert bob.lines()[-1] == "Error: the chat is full (max users 2)."
    assert not bob.open
    assert not [user for user in moody.chat.users.values() if not user.sessions]


@pytest.fixture
def moody_full():
    clock = Clock()
    world = World(MoodyEngine(clock), clock, most_users=2)
    yield world
    world.engine.let_go()
    world.close()


# ---- what it costs -----------------------------------------------------------------------------------------------


def test_who_goes_before_being_welcomed_is_not_remembered(moody):
    mallory = moody.connect()
    moody.engine.slow = True
    mallory.record(do="hello", version=1, name="mallory")
    mallory.drop()
    moody.engine.let_go()
    moody.settle()
    assert not moody.chat._resumable


@pytest.mark.parametrize("what", ["10.0.0.0/8", "10.0.0.7/8", "2001:db8::/32"])
def test_a_ban_of_a_network_that_would_be_one_of_an_address_is_refused(world, what):
    failure = operate(world, "ban", what)
    assert "is not one address" in failure.value.text
    assert not world.chat.bans.all


def test_a_network_that_counts_as_an_address_can_be_banned(world):
    assert operate(world, "ban", "2001:db8::/64") == "2001:db8::/64 is banned from this server."


def test_what_waits_for_somebody_who_does_not_read_is_bounded(world):
    account(world, "bob").drop()
    mallory = world.person("mallory")
    text = "x" * 4000
    for _ in range(60):  # more than one page
        mallory.say(f"/msg bob {text}")
    bob = person_on_a_socket(world, "reader")
    bob.socket.room = 1000
    bob.say("/login bob secret")
    assert bob.transport.connected
    for _ in range(INBOX_MESSAGES + 10):
        mallory.say("/msg bob more")
    inboxes = [user.inbox for user in world.chat.users.values() if user.account]
    assert not inboxes
    bob.drop()
    bob = world.person()
    bob.say("/login bob secret")
    number, _, what = bob.lines()[2].partition(" ")
    assert what == "messages while you were away:"
    assert int(number) > INBOX_MESSAGES  # nothing is lost but what was sent to who did not read


def test_invitations_do_not_wait_without_end(world):
    account(world, "bob").drop()
    mallory = world.person("mallory", "den")
    for _ in range(INBOX_MESSAGES + 1):
        mallory.say("/invite bob")
    assert mallory.lines()[-1] == "Error: the inbox of bob is full; write again when bob has been here."


def test_what_a_moderator_decided_happens_even_when_the_log_took_only_the_record(moody):
    alice = moody.person("alice", "den")
    mallory = moody.person("mallory", "den")
    append = moody.engine.append

    def fail_once(log, event, done=None, *, once=False):
        moody.engine.append = append
        moody.engine.broken = True
        append(log, event, done, once=once)
        moody.engine.broken = False

    moody.engine.append = fail_once
    alice.say("/ban mallory")
    assert any(line.startswith("Error: not confirmed") for line in alice.lines())
    assert mallory.lines()[-1] == "mallory was banned by alice."
    assert not moody.chat.names.get("mallory").sessions[0].room


def test_who_comes_and_goes_all_the_time_is_soon_told_of_no_more(world):
    mallory, alice = account(world, "mallory"), world.person("alice")
    for _ in range(50):
        mallory.say("/logout", "/login mallory secret")
    assert len(alice.lines()) <= ANNOUNCEMENTS
    world.pass_time(ANNOUNCEMENTS_WINDOW)
    mallory.say("/logout")
    assert alice.lines() == ["mallory has left the chat."]


# ---- guessing ----------------------------------------------------------------------------------------------------


def test_another_spelling_of_the_name_is_no_other_account(world):
    account(world, "bob").drop()
    mallory = world.person("mallory")
    for name in ("bob", "BOB", "\uff42ob"):  # the last with a full-width letter
        mallory.say(f"/login {name} guess")
    mallory.lines()
    mallory.say("/login b\uff4fb secret")
    assert mallory.lines()[0].startswith("Error: too many failed logins")


def test_many_guesses_at_once_are_no_way_round(slow, passwords):
    passwords.waiting = []
    guessing = [slow.person(f"mallory{number}") for number in range(FAILURES_OUT + 1)]
    for number, mallory in enumerate(guessing):
        mallory.say(f"/login victim{number} guess")
    assert len(passwords.waiting) == FAILURES_OUT
    for look in passwords.waiting:
        look()


def test_two_that_look_alike_are_not_both_registered():
    clock = Clock()
    world = World(StepEngine(clock), clock)
    chat, engine = world.chat, world.engine
    for pattern in range(64):  # who of the two goes on at each step
        engine.stepping = True
        made: list[Any] = []
        for name in ("bob", "b0b"):
            Deferred.fromCoroutine(chat.accounts.add(user_name(name), "")).addBoth(made.append)
        step = 0
        while engine.steps:
            engine.steps.pop(0 if len(engine.steps) == 1 or pattern >> step % 6 & 1 else 1)()
            step += 1
        engine.stepping = False
        accounts = result(chat.accounts.all())
        assert len(accounts) < 2, f"{pattern:b}"
        for each in accounts:
            result(chat.accounts.remove(each))
    world.close()


class StepEngine(MoodyEngine):
    """Looks up and stores records one at a time, when told."""

    def __init__(self, reactor: Any) -> None:
        super().__init__(reactor)
        self.stepping = False
        self.steps: list[Any] = []

    def _unless_broken(self, act: Any) -> Deferred[Any]:
        if not self.stepping:
            return act()
        later: Deferred[Any] = Deferred()
        self.steps.append(lambda: act().chainDeferred(later))
        return later


# ---- mail to a guest's name --------------------------------------------------------------------------------------

WAITED = "1 message while you were away:"


def left_with_mail(world: World):
    """Return who has written to bob, a guest who was here and is not."""
    world.person("bob").drop()
    alice = world.person("alice")
    alice.say("/msg bob hi")
    alice.lines()
    return alice


def test_mail_that_cannot_be_read_now_is_not_lost(moody):
    left_with_mail(moody)
    bob = moody.person()
    read = moody.engine.read

    def fail_once(*args, **options):
        moody.engine.read = read
        return fail(Unavailable("it is broken"))

    moody.engine.read = fail_once
    bob.say("/name bob")
    assert bob.lines()[-1].startswith("Error: not confirmed")
    bob.drop()
    bob = moody.person()
    bob.say("/name bob")
    assert WAITED in bob.lines()


def test_mail_for_who_goes_before_it_is_read_is_not_lost(moody):
    left_with_mail(moody)
    bob = moody.person()
    read = moody.engine.read

    def slow_once(*args, **options):
        moody.engine.read, moody.engine.slow = read, True
        return read(*args, **options)

    moody.engine.read = slow_once
    bob.say("/name bob")
    bob.drop()
    moody.engine.let_go()
    moody.settle()
    bob = moody.person()
    bob.say("/name bob")
    assert WAITED in bob.lines()


@pytest.mark.parametrize("slow", ["looking", "storing"])
def test_mail_that_is_on_its_way_when_the_name_is_taken_is_not_lost(moody, slow):
    alice = left_with_mail(moody)
    bob = moody.person()
    moody.engine.slow, moody.engine.holding = slow == "looking", slow == "storing"
    alice.say("/msg bob there")
    held, moody.engine._held = moody.engine._held, []
    moody.engine.slow = False
    bob.say("/name bob")
    for act in [*held, moody.engine.let_go]:
        act()
    moody.settle()
    assert any(line.endswith("alice (private): there") for line in bob.lines())


def test_who_is_ignored_cannot_go_on_by_invitations(world):
    bob, mallory = world.person("bob"), world.person("mallory", "den")
    bob.say("/ignore mallory")
    bob.lines()
    mallory.say("/invite bob")
    assert bob.lines() == []


def test_the_list_of_bans_is_never_more_than_somebody_can_be_told(world):
    alice = person_on_a_socket(world, "alice", "den")
    for number in range(LISTED + 50):
        alice.say(f"/ban nobody{number} " + "\U0001f600" * 200)
    alice.lines()
    alice.say("/ban")
    lines = alice.lines()
    assert len(lines) == LISTED + 2
    assert lines[-1] == "  and 50 older ones"


def test_two_operators_ban_the_same_at_the_same_time():
    clock = Clock()
    world = World(StepEngine(clock), clock)
    world.engine.stepping = True
    answers: list[Any] = []
    for by in ("one", "other"):
        Deferred.fromCoroutine(Operations(world.chat, by).ban("10.0.0.1")).addBoth(answers.append)
    while world.engine.steps:
        world.engine.steps.pop(0)()
        world.settle()
    assert answers == ["10.0.0.1 is banned from this server."] * 2
    world.engine.stepping = False
    world.close()


def test_who_logs_out_just_then_is_kicked_all_the_same():
    clock = Clock()
    world = World(StepEngine(clock), clock)
    mallory = account(world, "mallory")
    alice = world.person("alice", "den")
    mallory.say("/join den")
    world.engine.stepping = True
    alice.say("/kick mallory")
    mallory.say("/logout")
    while world.engine.steps:
        world.engine.steps.pop(0)()
        world.settle()
    world.engine.stepping = False
    mallory.lines()
    mallory.say("/account")
    guest = mallory.lines()[0].removeprefix("You are now ")
    alice.say("gone?")
    assert f"{guest.rstrip('.')} was kicked by alice." in alice.lines()
    assert mallory.lines() == []
    world.close()
