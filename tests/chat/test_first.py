def test_two_people_talk(world):
    alice = world.person("alice", "lobby")
    bob = world.person("bob")
    bob.say("/join lobby")
    assert bob.lines() == ["Welcome to room lobby!", "Current users: alice, bob"]
    assert alice.lines() == ["bob has joined the room."]
    bob.say("hello")
    assert alice.lines() == ["bob: hello"] == bob.lines()
    bot = world.program("bot", "lobby")
    bob.say("leave")
    assert bob.lines() == ["bot has joined the room.", "You have left room lobby."]
    assert [r["event"] for r in bot.records()] == ["left"]
