"""A program that commits as fast as it can until it is killed, and says what is durable."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from client.vault.pump import Vaults

from chatroom.client.vault.vault import Vault

ROWS = 5  # that a commit changes together


def change(vault: Vault, number: int) -> None:
    """Make the changes of one commit."""
    for row in range(ROWS):
        vault.put("t", f"row {row}", b"%d " % number + bytes(1500 * row))
    vault.put("log", str(number), b"%d" % number)
    vault.note("place", str(number), number, number, b"%d" % number)


def stored(vaults: Vaults, vault: Vault) -> int:
    """Return the number of the last commit that is stored; assert that it and those before are stored completely."""
    values = {(vault.get("t", f"row {row}") or b"0 ").split(b" ")[0] for row in range(ROWS)}
    assert len(values) == 1, f"half a commit: {values}"
    last = int(values.pop())
    assert vault.keys("log") == sorted(str(number) for number in range(1, last + 1))
    noted = vaults.pump.wait(vault.recent("place", 0, 5))
    assert [message.seq for message in noted] == list(range(max(1, last - 4), last + 1))
    return last


def main() -> None:
    """Commit for ever, several commits at a time, and print the number of each commit that is durable."""
    vaults = Vaults(Path(sys.argv[1]))
    vault = vaults.open()
    number = stored(vaults, vault)
    print("open", vault.generation, flush=True)

    def tell(_: Any, number: int) -> None:
        print(number, flush=True)

    while True:
        number += 1
        change(vault, number)
        vault.commit().addCallback(tell, number)
        while len(vault._next.waiting) > 3:
            vaults.pump.step()


if __name__ == "__main__":
    main()
