"""QR codes for terminals: each character is two modules, one above the other."""

from __future__ import annotations

QUIET_ZONE = 2  # light modules around a code; scanners need a few
_BLOCKS = {(False, False): "\u2588", (False, True): "\u2580", (True, False): "\u2584", (True, True): " "}  # dark, dark


def code_text(digits: str) -> str:
    """Return what a QR code says for the digits that two people compare.

    Its letters and digits are those that need the least space in a code: it takes 17 rows of a terminal.
    """
    return f"CHATROOM:1:{digits.replace(' ', '')}"


def square_code(text: str, rows: int) -> list[str]:
    """Return the rows of a QR code, in which light modules are blocks: light on dark is how most terminals write.

    Args:
        text: What the code says.
        rows: How many rows there is space for.

    Returns:
        The rows, all equally wide; an empty list if the space is too small.
    """
    import segno  # here, because few users need it

    try:
        code = segno.make(text, error="l", boost_error=False, micro=False)
    except ValueError:  # the text is too long for any code
        return []
    for border in range(QUIET_ZONE, 0, -1):
        modules = [[bool(module) for module in row] for row in code.matrix_iter(border=border)]
        if (len(modules) + 1) // 2 <= rows:
            return _rows(modules)
    return []


def _rows(modules: list[list[bool]]) -> list[str]:
    """Return two rows of modules in each row of characters; a missing last row is light."""
    if len(modules) % 2:
        modules = [*modules, [False] * len(modules[0])]
    pairs = zip(modules[::2], modules[1::2], strict=True)
    return ["".join(_BLOCKS[pair] for pair in zip(upper, lower, strict=True)) for upper, lower in pairs]
