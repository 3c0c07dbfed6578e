"""Plain values and rules that the server and the client share. Nothing here imports another package of chatroom."""
