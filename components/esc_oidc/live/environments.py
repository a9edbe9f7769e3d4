"""An organization's environments, and which imports lead from one to the logins of another."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, TypeVar

from ..claims import LEGACY_PROJECT
from ..definitions import BadDefinition, Definition, LoginBlock, read_definition
from .asking import Answers
from .cloud import CloudError, PulumiCloud

T = TypeVar("T")

_DEEPEST: Final = 100
"""How many imports in a row are followed."""


@dataclass(frozen=True)
class HeldLogin:
    """A login to AWS that is reached when an environment is opened.

    Attributes:
        login: What it asks for.
        chain: The names of the environments from the opened one to the one that holds the login, as imports spell them.
    """

    login: LoginBlock
    chain: tuple[str, ...]

    @property
    def holder(self) -> str:
        """The environment that holds it, as its import spells it: the current environment of its token."""
        return self.chain[-1]


@dataclass(frozen=True)
class Obstacle:
    """Why an environment can't be opened, or not be followed, before any login is asked for.

    Attributes:
        chain: Where: the environments from the opened one on.
        reason: Why, as a sentence.
        is_certain: Whether Pulumi Cloud refuses it for everybody. What this token may not read, another one may.
    """

    chain: tuple[str, ...]
    reason: str
    is_certain: bool


@dataclass
class Reached:
    """What opening an environment leads to.

    Attributes:
        logins: The logins, in the order of evaluation.
        obstacles: What stands in the way.
        environments: Every environment that is read on the way, ``PROJECT/ENV``.
    """

    logins: list[HeldLogin] = field(default_factory=list)
    obstacles: list[Obstacle] = field(default_factory=list)
    environments: set[str] = field(default_factory=set)


def named(text: str) -> tuple[str, str | None]:
    """The environment, ``PROJECT/ENV``, and the version that an import names."""
    name, _, version = text.partition("@")
    return (name if "/" in name else f"{LEGACY_PROJECT}/{name}"), version or None


class Environments:
    """The environments of an organization. Each definition is read once. May be used from any thread.

    Args:
        cloud: Where they are.
        organization: Whose they are.
        at_once: How many definitions are read at the same time.
    """

    def __init__(self, cloud: PulumiCloud, organization: str, at_once: int = 8) -> None:
        self._cloud, self.organization, self._at_once = cloud, organization, at_once
        self._answers = Answers()

    def text(self, name: str) -> str:
        """The definition of an environment, named as imports name it, as it is stored. Raises CloudError."""
        environment, version = named(name)
        return self._answers.once(name, lambda: self._cloud.definition(self.organization, environment, version))

    def definition(self, name: str) -> Definition:
        """The same, read. Raises CloudError, BadDefinition."""
        return self._answers.once(("read", name), lambda: read_definition(self.text(name)))

    def all(self, progress: Callable[[int, int], None] = lambda _done, _of: None) -> list[str]:
        """The names of all environments; their definitions are read, some at the same time. Raises CloudError.

        Args:
            progress: Called with how many are read, and of how many, from this thread.
        """
        names = self._cloud.environments(self.organization)
        for done, _ in enumerate(self.each(names, self._try), 1):
            progress(done, len(names))
        return names

    def each(self, names: Iterable[str], do: Callable[[str], T]) -> Iterator[T]:
        """Do something with each name, some at the same time; the results come in the order of the names."""
        with ThreadPoolExecutor(self._at_once) as pool:
            yield from pool.map(do, names)

    def reached_from(self, opened: str) -> Reached:
        """What opening an environment leads to, as ESC evaluates it: each import once, in its order."""
        return self._answers.once(("reached", opened), lambda: self._follow(opened))

    def _follow(self, opened: str) -> Reached:
        reached, under_way, done = Reached(), [], set[str]()

        def follow(name: str) -> None:
            under_way.append(name)
            chain = tuple(under_way)
            if len(chain) > _DEEPEST:
                reached.obstacles.append(Obstacle(chain, f"over {_DEEPEST} imports in a row are not followed.", False))
            elif name in chain[:-1]:
                circle = " → ".join(chain[chain.index(name) :])
                reached.obstacles.append(Obstacle(chain, f"the imports go in a circle: {circle}.", True))
            elif name not in done:
                read(name, chain)
                done.add(name)
            under_way.pop()

        def read(name: str, chain: tuple[str, ...]) -> None:
            reached.environments.add(named(name)[0])
            try:
                definition = self.definition(name)
            except (CloudError, BadDefinition) as error:
                reached.obstacles.append(_obstacle(chain, error))
                return
            for each in definition.imports:
                follow(each.name)
            for text in definition.unknown_imports:
                reason = f"the import {text!r} is known only when the environment is opened."
                reached.obstacles.append(Obstacle(chain, reason, False))
            for function in definition.unknown_functions:
                reason = f"{name} calls {function}, and what Pulumi Cloud makes of it is not known here."
                reached.obstacles.append(Obstacle(chain, reason, False))
            reached.logins += [HeldLogin(login, chain) for login in definition.logins]

        follow(opened)
        return reached

    def _try(self, name: str) -> None:
        try:
            self.definition(name)
        except (CloudError, BadDefinition):
            return  # whoever asks for this one is told


def _obstacle(chain: tuple[str, ...], error: Exception) -> Obstacle:
    name = chain[-1]
    if isinstance(error, BadDefinition):
        return Obstacle(chain, f"{name} can't be read, by Pulumi Cloud neither: {error}.", True)
    if getattr(error, "status", None) == 404 and len(chain) > 1:  # noqa: PLR2004 - not found
        reason = f"{chain[-2]} imports {name}, which does not exist, or this access token may not see it."
        return Obstacle(chain, reason, False)
    return Obstacle(chain, f"{name} can't be read: {error}", False)
