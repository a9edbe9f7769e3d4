"""Questions that are asked once, whoever wants to know and however many at the same time."""

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")


class Answers:
    """The answers to questions, and the errors. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._answers: dict[Hashable, Future[Any]] = {}

    def once(self, question: Hashable, ask: Callable[[], T]) -> T:
        """The answer to a question: `ask` is called by the first who wants to know, and the others wait for it."""
        with self._lock:
            future = self._answers.get(question)
            if is_first := future is None:
                future = self._answers[question] = Future()
        if is_first:
            try:
                future.set_result(ask())
            except Exception as error:  # noqa: BLE001 - it is raised below, for whoever asks
                future.set_exception(error)
        answer: T = future.result()
        return answer
