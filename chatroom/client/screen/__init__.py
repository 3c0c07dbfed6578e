"""chatroom-client on a terminal.

What comes: ``hearing`` gets it from the link; ``lines`` makes lines of it, in the words of ``chatroom.words`` and with
the styles of ``colours``; ``crowd`` and ``mark`` decide about joins, and about where one left off; ``above`` writes the
lines together; ``terminal`` draws.

What goes: ``terminal`` and ``keys`` take keys, with ``completion``, ``history``, ``questions`` and ``pasting``;
``typed`` says what a line means, by the rows of ``commands`` and ``own``; ``doing`` does it. ``run`` puts all together.
"""
