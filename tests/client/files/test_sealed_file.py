"""Reading and sealing a file: it ends as soon as nobody wants the file any more."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from client.files.friends import write

from chatroom.client.crypto.file_cipher import PIECE
from chatroom.client.errors import Rejected
from chatroom.client.files import sealed_file

DATA = os.urandom(5 * PIECE)


def only(times: int) -> Callable[[], bool]:
    """Return what says so many times that the file is wanted, and then no more."""
    answers = iter([True] * times + [False])
    return lambda: next(answers)  # asking once more would be an error


@pytest.mark.parametrize("read", range(5))
def test_a_file_that_is_cancelled_while_it_is_read_is_read_no_further(tmp_path: Path, read: int) -> None:
    with pytest.raises(Rejected) as refused:
        sealed_file.seal(write(tmp_path, DATA), 0, only(read), os.urandom)
    assert refused.value.code == "cancelled"


@pytest.mark.parametrize("read", range(3))
def test_so_is_its_rest(tmp_path: Path, read: int) -> None:
    sealed = sealed_file.seal(write(tmp_path, DATA), 0, lambda: True, os.urandom)
    with pytest.raises(Rejected) as refused:
        sealed.rest(2, only(read))
    assert refused.value.code == "cancelled"
