"""The tools of operators beside the chat: the SSH console, the metrics, and the command line for a data folder."""
