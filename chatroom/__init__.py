"""chatroom: a chat server that keeps each room as a log of events.

twistd loads the module ``tap``. Everything else is in seven packages. Each package may import itself, and the packages
after the colon in its line:

    model      plain values and rules that the server and the client share; imports no other package
    chat       the rules of the chat; engines and connections are known to it only as protocols of its own: model
    engines    where logs, records and files are kept: model
    wire       sockets, lines, dialects: chat, model
    client     chatroom-client, and the library for bots: model
    admin      what operators use beside the chat (console, metrics, command line): chat, engines, model
    daemon     options and everything put together: all but client

``tests/test_layers.py`` enforces this table.
"""

__version__ = "0.1.0"
