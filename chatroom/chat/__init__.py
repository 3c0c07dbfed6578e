"""The domain: who is in which room, what they may do, what becomes an event. No sockets, no SQL, no clock.

``chat.py`` puts the parts together. A command (``model/commands/``) goes through ``dispatch.py`` to its handler in
``messaging.py``, ``rooms/``, ``people/``, ``files/`` or ``operators/``; there ``@handles(command)`` marks the handler.

From below to above: ``bans_and_mutes`` and ``rooms/record`` are values; ``rooms/room`` is a room with its members;
``session`` has sessions and users; ``state`` is what all parts share; ``connections`` opens and ends sessions and gives
them their users; the other parts build on these; ``chat`` holds them all, and only handlers know ``chat``.
"""
