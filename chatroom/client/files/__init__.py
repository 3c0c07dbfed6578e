"""Files that are sent and fetched over a ``Link``: several at once, over lost connections, and over the client's end.

``transfers`` is what a client uses; each file is a ``Transfer``, one that goes (``sending``) or comes (``fetching``).
What they do on the disk is in ``reading`` and ``part``; ``progress`` is how far they are, ``typed`` how they are asked
for.
"""
