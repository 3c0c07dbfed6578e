"""chatroom: a chat server whose rooms are logs.

``tap`` is what twistd loads. Everything else is in seven packages; each may import itself and what its line names:

    model      plain values and rules that the server and the client share; imports nothing else
    chat       the domain; knows an Engine, a Recipient and a Dialect as protocols of its own: model
    engines    where logs, records and files are kept: model
    wire       sockets, lines, dialects: chat, model
    client     chatroom-client, and the library for bots: model
    admin      what operators use beside the chat (console, metrics, command line): chat, engines, model
    daemon     options and everything put together: all but client

``tests/test_layers.py`` enforces this table.
"""

__version__ = "0.1.0"
