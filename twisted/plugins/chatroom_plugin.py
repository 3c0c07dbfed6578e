"""Announces ``chatroom`` to twistd. Only names are given here: the server is imported when it is asked for."""

from twisted.application.service import ServiceMaker

chatroom = ServiceMaker("chatroom", "chatroom.tap", "A chat server where every room is a log.", "chatroom")
