"""Runs what an operator types: Python in which each call is awaited, each result is shown, and each error is one line.

The operator need not know which functions are coroutines. So the source is changed before it runs: ``f(x)`` becomes
``await _awaited(f(x))``, and an expression statement becomes ``await _shown(...)``. Functions, lambdas and generators
that the operator defines are not changed, because they cannot wait.
"""

from __future__ import annotations

import ast
import codeop
import inspect
import signal
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import CodeType, FrameType
from typing import Any

from twisted.internet.defer import CancelledError
from twisted.python.failure import Failure

from chatroom.admin.console import Text
from chatroom.model.errors import Refused
from chatroom.model.logger import logger

PATIENCE = 1.0  # seconds for which a statement may block the reactor before it is interrupted
MOST_SOURCE = 65536  # characters of one statement

_CONSOLE = "<console>"
_BROKEN = "something went wrong here; it has been logged."
_log = logger(__name__)


class TooSlow(Exception):
    """A statement has blocked the reactor, and with it the chat, for too long."""


Limit = Callable[[], AbstractContextManager[None]]


@contextmanager
def limited() -> Iterator[None]:
    """Interrupt code that blocks the main thread for longer than ``PATIENCE``, so that an endless loop does no harm.

    Raises:
        TooSlow: The code was interrupted.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        raise TooSlow(f"that took longer than {PATIENCE:g} s and was stopped, for meanwhile nobody could chat")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Interpreter:
    """Runs statements one after another.

    Args:
        namespace: The names that statements can use and assign to; ``_`` becomes the last result.
        show: Called with each result that is not None.
        complain: Called with each error, as one line without ``Error:``.
        limit: Returns a context in which each step of a statement runs, and which ends a step that takes too long.
    """

    def __init__(
        self,
        namespace: dict[str, Any],
        show: Callable[[Any], None],
        complain: Callable[[str], None],
        limit: Limit = limited,
    ) -> None:
        self.namespace = namespace
        self._show = show
        self._complain = complain
        self._limit = limit
        self._lines: list[str] = []
        self._compile = codeop.CommandCompiler()
        self._compile.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        namespace.update(_awaited=_awaited, _shown=self._shown, print=self._print)

    @property
    def waiting(self) -> bool:
        """Whether an incomplete statement waits for its next line."""
        return bool(self._lines)

    def forget(self) -> None:
        """Forget an incomplete statement."""
        self._lines.clear()

    def push(self, line: str) -> str | None:
        """Add a line to the statement being typed. Return the statement if it is complete, else None.

        A statement that is not Python counts as complete, because running it reports the error.
        """
        self._lines.append(line)
        source = "\n".join(self._lines)
        try:
            whole = len(source) > MOST_SOURCE or self._compile(source, _CONSOLE) is not None
        except Exception:
            whole = True
        if not whole:
            return None
        self.forget()
        return source

    async def run(self, source: str) -> bool:
        """Run one or more statements, and report an error to the operator. Return whether there was no error."""
        try:
            if len(source) > MOST_SOURCE:
                raise Refused("usage", f"that is too long (limit {MOST_SOURCE} characters).")
            await _Watched(self._run(source), self._limit)
        except BaseException as error:  # SystemExit, too, which must not end the daemon
            if isinstance(error, GeneratorExit):
                raise
            self._complain(self._words(error))
            return False
        return True

    async def _run(self, source: str) -> None:
        outcome = eval(_changed(source), self.namespace)
        if inspect.iscoroutine(outcome):
            await outcome

    async def _shown(self, value: Any) -> None:
        """Show the value of an expression statement, awaited if possible, and store it as ``_``."""
        value = await _awaited(value)
        if isinstance(value, list | tuple):  # it may contain coroutines
            value = type(value)([await _awaited(each) for each in value]) if type(value) in (list, tuple) else value
        if value is not None:
            self.namespace["_"] = value
            self._show(value)

    def _print(self, *values: object, sep: str = " ", **others: object) -> None:
        """Print to the operator; the built-in ``print`` would print to the daemon's log."""
        self._show(Text(sep.join(map(str, values))))

    @staticmethod
    def _words(error: BaseException) -> str:
        """Return one line about an error. An error of the daemon's own code is logged."""
        if isinstance(error, Refused):
            return error.text
        if isinstance(error, CancelledError):
            return "stopped waiting; what was begun may still be done."
        if isinstance(error, TooSlow):
            return f"{error}."
        if isinstance(error, SyntaxError):
            where = f" (line {error.lineno}, column {error.offset})" if error.offset else ""
            return f"{error.msg}{where}"
        if _is_ours(error):
            _log.failure("what an operator typed has failed", failure=Failure(error))
            return _BROKEN
        return str(error).replace("Console.", "") or type(error).__name__


async def _awaited(value: Any) -> Any:
    return await value if isinstance(value, Awaitable) else value


class _Watched:
    """Awaits a coroutine, and runs each of its steps (the code from one wait to the next) inside the limit."""

    def __init__(self, coroutine: Any, limit: Limit) -> None:
        self._coroutine = coroutine
        self._limit = limit

    def __await__(self) -> Generator[Any, Any, None]:
        step, value = self._coroutine.send, None
        while True:
            try:
                with self._limit():
                    waits_for = step(value)
            except StopIteration:
                return
            try:
                step, value = self._coroutine.send, (yield waits_for)
            except GeneratorExit:
                self._coroutine.close()
                raise
            except BaseException as error:
                step, value = self._coroutine.throw, error


class _Awaiting(ast.NodeTransformer):
    """Inserts the awaits that the docstring of this module describes."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        return _await("_awaited", node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        self.generic_visit(node)
        return ast.Expr(_await("_shown", node.value))

    def _leave(self, node: ast.AST) -> ast.AST:
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = visit_GeneratorExp = _leave


def _await(function: str, value: ast.expr) -> ast.Await:
    return ast.Await(ast.Call(ast.Name(function, ast.Load()), [value], []))


def _changed(source: str) -> CodeType:
    """Compile the source, with the awaits inserted."""
    tree = _Awaiting().visit(ast.parse(source, _CONSOLE))
    code: CodeType = compile(
        ast.fix_missing_locations(tree), _CONSOLE, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True
    )
    return code


def _is_ours(error: BaseException) -> bool:
    """Return whether the error came from the daemon's own code and not from what was typed."""
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_globals.get("__name__", "")
        if trace.tb_frame.f_code.co_filename != _CONSOLE and name != __name__ and name.startswith("chatroom."):
            return True
        trace = trace.tb_next
    return False
