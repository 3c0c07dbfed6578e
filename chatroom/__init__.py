"""chatroom: a chat server whose rooms are logs.

Who may know whom (``tests/test_layers.py`` enforces it):

    events, answers, log, names, text, account, accounts_file, arguments, counters, durations, fingerprint,
    logger, message_format, moments, nearest, network, plain_file, password_text, passwords, posing, raw_bytes,
    shared_files, tokenizer, unquoted, words
                                        plain values and rules; they import nothing of what is below
    chat/                               the domain; knows an Engine, a Recipient and a Dialect as protocols of its own
    client/                             chatroom-client, and what bots use; only plain values and rules
    engines/                            where logs last; never chat, never wire
    wire/                               sockets, lines, dialects; never engines
    admin/                              what operators use beside the chat: console, metrics, command line; never wire
    options, data_folder, listening,    what an operator decides and what is taken of the system
    audit_file, log_file, pid_file,
    tls_files, twistd_start
    assembly, operator_services,        the only places that know them all
    reloading, service, start_check, tap
"""

__version__ = "0.1.0"
