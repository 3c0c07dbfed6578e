"""The domain: who is in which room, what they may do, what becomes an event. No sockets, no SQL, no clock.

``chat.py`` joins the parts. What somebody asks for (``commands.py``) goes through ``dispatch.py``, by its row of
``table.py``, to a handler in ``talking.py``, ``rooms/``, ``people/``, ``files/`` or ``operators/``.
"""
