"""What people want to do, and the commands for it: ``/help`` shows these topics, ``/help <topic>`` one of them."""

from __future__ import annotations

from dataclasses import dataclass

from chatroom.model import commands as c


@dataclass(frozen=True, slots=True)
class CommandTopic:
    """One topic.

    Args:
        name: What is typed after ``/help``; no command is called so.
        title: What one wants to do.
        commands: What does it.
    """

    name: str
    title: str
    commands: tuple[type[c.Command], ...]


TOPICS = (
    CommandTopic(
        "talk",
        "say something, to the room or to one person",
        (c.Say, c.Act, c.Tell, c.Reply, c.SetAway, c.ReadHistory, c.Search),
    ),
    CommandTopic(
        "room",
        "go into a room, or look around",
        (c.Join, c.Create, c.Leave, c.ListRooms, c.ListMembers, c.SetTopic),
    ),
    CommandTopic("people", "see who is there", (c.Who, c.Whois, c.SetIgnore, c.Hello)),
    CommandTopic(
        "you",
        "take a name, or have an account",
        (
            c.SetName,
            c.Register,
            c.Login,
            c.Takeover,
            c.Logout,
            c.ShowAccount,
            c.ChangePassword,
            c.ListSessions,
            c.EndSession,
            c.DeleteAccount,
        ),
    ),
    CommandTopic("share", "share files", (c.ListFiles, c.Get, c.Unshare)),
    CommandTopic("settings", "choose what you see, and how", (c.ShowSettings, c.SetEcho, c.SetTimestamps)),
    CommandTopic(
        "order",
        "keep order in a room that is yours",
        (
            c.Kick,
            c.Ban,
            c.Unban,
            c.Mute,
            c.Unmute,
            c.Op,
            c.Deop,
            c.Owner,
            c.Invite,
            c.Lock,
            c.Unlock,
            c.Slow,
            c.Delete,
            c.Close,
        ),
    ),
    CommandTopic(
        "server",
        "run the server",
        (c.Announce, c.AddAccount, c.RemoveAccount, c.SetOperator, c.SetPassword, c.Drain, c.ShowStats),
    ),
    CommandTopic("end", "get help, or leave", (c.ShowHelp, c.Quit)),
)
