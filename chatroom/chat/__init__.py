"""The domain: who is in which room, what they may do, what becomes an event. No sockets, no SQL, no clock.

``chat.py`` joins the parts. A command (``model/commands.py``) goes through ``dispatch.py`` to its handler in
``messaging.py``, ``rooms/``, ``people/``, ``files/`` or ``operators/``; its row in ``table.py`` names that handler.
"""
