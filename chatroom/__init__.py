"""chatroom: a chat server whose rooms are logs.

Who may know whom (``tests/test_layers.py`` enforces it):

    events, answers, log, names, text, account, accounts_file, arguments, counters, durations, fingerprint,
<<<<<<< HEAD
    logger, message_format, network, passwords, posing, raw_bytes, shared_files, words
=======
    logger, message_format, moments, network, passwords, raw_bytes, shared_files, words
>>>>>>> f39df15 (The client bounds what a hostile server can say, make it hold, and make it lose)
                                        plain values and rules; they import nothing of what is below
    chat/                               the domain; knows an Engine, a Recipient and a Dialect as protocols of its own
    client/                             chatroom-client, and what bots use; only plain values and rules
    engines/                            where logs last; never chat, never wire
    wire/                               sockets, lines, dialects; never engines
    admin/                              what operators use beside the chat: console, metrics, command line; never wire
    options, data_folder, listening,    what an operator decides and what is taken of the system
    audit_file, pid_file, tls_files
    assembly, operator_services,        the only places that know them all
    reloading, service, tap
"""

__version__ = "0.1.0"
