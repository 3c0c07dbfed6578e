"""chatroom: a chat server whose rooms are logs.

Who may know whom (``tests/test_layers.py`` enforces it):

    events, log, names, text, logger,   plain values and rules; they import nothing of what is below
    message_format, counters
    chat/                               the domain; knows an Engine, a Recipient and a Dialect as protocols of its own
    engines/                            where logs last; never chat, never wire
    wire/                               sockets, lines, dialects; never engines
    admin/                              what operators use; knows all of the above, and nobody but the top knows it
    options, data_folder, listening     what an operator decides and what is taken of the system
    service, operator_services,         the only places that know them all
    reloading, tap
"""

__version__ = "0.1.0"
