"""The refusals of the encryption core and of the vault, as the client shows refusals."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.errors import Rejected
from chatroom.client.vault.errors import VaultError

Given = ParamSpec("Given")
Result = TypeVar("Result")


def sentence(text: str) -> str:
    """Return a text of ``CryptoRefusal`` as a sentence."""
    return f"{text[:1].upper()}{text[1:]}."


def as_rejected(refused: CryptoRefusal) -> Rejected:
    """Return a refusal as the client shows refusals."""
    return Rejected(refused.code, sentence(refused.text))


def refusing(method: Callable[Given, Coroutine[Any, Any, Result]]) -> Callable[Given, Coroutine[Any, Any, Result]]:
    """Let a coroutine fail with ``Rejected`` where the encryption core refuses, or the vault cannot be used."""

    @wraps(method)
    async def asked(*args: Given.args, **fields: Given.kwargs) -> Result:
        try:
            return await method(*args, **fields)
        except CryptoRefusal as refused:
            raise as_rejected(refused) from None
        except VaultError as error:
            raise Rejected("vault", sentence(str(error))) from None

    return asked
