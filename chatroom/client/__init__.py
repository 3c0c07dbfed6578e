"""chatroom-client, and the small library that bots use. A bot in ten lines:

    from chatroom.client.bot import connect
    from chatroom.events import Said

    async def greet(reactor, host, port):
        chat = await connect(reactor, host, port, name="greeter")
        await chat.join("lobby")
        async for event in chat.events():
            if isinstance(event, Said) and event.text == "hello" and event.by != chat.name:
                await chat.say(f"hello {event.by}")

Run it by ``twisted.internet.task.react(lambda reactor: Deferred.fromCoroutine(greet(reactor, "localhost", 8888)))``. It
stays on the server over lost connections, and loses nothing that it says.

``bot`` is the library (``chat.files`` sends and fetches files); ``link`` is one's place on a server, and what all else
is built on; ``dialing`` and ``trust`` make its connections, it carries ``files``; ``main`` is the command, ``pipe`` and
``screen`` are its two faces.
"""
