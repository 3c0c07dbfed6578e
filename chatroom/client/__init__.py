"""chatroom-client, and the small library that bots use. A bot in ten lines:

    from chatroom.client.bot import connect
    from chatroom.model.events import Said

    async def greet(reactor, host, port):
        chat = await connect(reactor, host, port, name="greeter")
        await chat.join("lobby")
        async for event in chat.events():
            if isinstance(event, Said) and event.text == "hello" and event.by != chat.name:
                await chat.say(f"hello {event.by}")

Run it by ``twisted.internet.task.react(lambda reactor: Deferred.fromCoroutine(greet(reactor, "localhost", 8888)))``. A
bot connects again when its connection is lost, and loses nothing that it says.

``bot`` is the library (``chat.files`` sends and fetches files). Everything is built on ``client``, which keeps a user
connected to a server: ``dialing`` and ``known_hosts`` make its connections, ``files`` uses them. ``main`` is the
command; ``pipe`` and ``screen`` are the two ways it shows a chat.
"""
