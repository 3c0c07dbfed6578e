"""Rooms: their records, their members, and the commands about them.

From below to above: ``record`` is a room's record, ``record_storage`` how it is stored, and ``room`` a loaded room with
its ``members`` and ``listeners``; ``passage`` says what is seen by those who come and go. ``loaded_rooms`` has all
loaded rooms, ``room_records`` reads records, ``room_changes`` changes them, and ``directory`` loads rooms.
``join_leave``, ``queries``, ``search``, ``moderation``, ``sanctions`` and ``sealed`` handle commands. ``encrypted``
removes from encrypted rooms those who cannot follow. ``empty_rooms`` and ``ownership`` work in the background.
"""
