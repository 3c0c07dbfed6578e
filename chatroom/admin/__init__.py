"""What operators use beside the chat: the SSH console, the metrics, the command line for a data folder."""
