"""chatroom-client, and the small library that bots use."""
