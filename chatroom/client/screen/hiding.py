"""Hiding a password that is typed in the line of its command, as the answer to a password question is hidden."""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput
from prompt_toolkit.layout.utils import explode_text_fragments

from chatroom.client.screen.parser import secret_from

_LOOKED_AT = 1000  # characters at the beginning of the text in which a password is looked for


class HiddenSecrets(Processor):
    """Shows stars in place of a password in the input line, and of everything after the password.

    Args:
        bare: Returns whether commands need no slash at present.
    """

    def __init__(self, bare: Callable[[], bool] = lambda: False) -> None:
        self._bare = bare

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        """See ``Processor``."""
        document = transformation_input.document
        start = secret_from(document.text[:_LOOKED_AT].replace("\n", " "), bare=self._bare())
        if start is None:
            return Transformation(transformation_input.fragments)
        start -= document.translate_row_col_to_index(transformation_input.lineno, 0)
        shown: StyleAndTextTuples = []
        for i, (style, char, *_) in enumerate(explode_text_fragments(transformation_input.fragments)):
            shown.append((style, char if i < start else "*"))
        return Transformation(shown)
