"""chatroom: a chat server whose rooms are logs.

Who may know whom (``tests/test_layers.py`` enforces it):

    events, log, names, text, logger    plain values and rules; they import none of the packages below
    chat/                               the domain; knows an Engine, a Recipient and a Dialect as protocols of its own
    engines/                            where logs last; never chat, never wire
    wire/                               sockets, lines, dialects; never engines
    options, tap                        the only places that know them all
"""

__version__ = "0.1.0"
