"""chatroom-client on a terminal.

Output: ``presenter`` takes events from the client; ``formatter`` makes lines of them, with the words of
``chatroom.model.wording`` and the styles of ``colours``. ``join_coalescing`` joins many arrivals into one line,
``read_marker`` marks where the user stopped reading, ``output`` writes the lines, and ``terminal`` draws.

Input: ``terminal`` and ``keys`` take keys, with ``completer``, ``history``, ``questions`` and ``paste``. ``parser``
says what a line means, by ``chatroom.model.commands`` and ``local_commands``; ``input`` carries it out. ``app``
puts everything together.
"""
