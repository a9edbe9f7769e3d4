"""What an environment holds, as the component's inputs, and what it holds besides."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from ..definitions import LoginBlock, compose, scalar
from ..environment import CREDENTIALS, REGION_CONFIG, REGION_VARIABLE, environment_definition
from ..inputs import EnvironmentPlan, printable

# What nobody should write into a program, even if it is no secret to Pulumi Cloud.
# Too many is no harm: the environment then stays its owner's. A reference, ${...}, is no value.
_WORDS: Final = (
    "secret|passw|passphrase|pwd|token|credential|signature|webhook|connection.?string"
    "|(?:private|api|access|account|signing|encryption|master|shared).?key"
)
_CREDENTIAL: Final = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bpul-[0-9a-f]{40}\b|-----BEGIN |\beyJ[\w-]{8,}\.eyJ"
    r"|\b(?:gh[pousr]_|github_pat_|glpat-|npm_|xox[a-z]-|xapp-|[sr]k_live_|hvs\.|AIza)[\w-]{10,}"
)
_CREDENTIAL_PARTS: Final = re.compile(
    # A user and a password before the host; a password may have any sign, and digits alone may be a port.
    r"://[^\s/:]{0,200}:(?!\$\{[^}]*\}@|\d{1,5}(?:[/?#]|$))\S{1,500}@"
    # A token in the place of both, as in https://TOKEN@host and Sentry's DSN.
    r"|\bhttps?://(?!\$\{[^}]*\}@)[^\s/:@]{16,500}@"
    # Whoever knows the URL of a webhook may post there.
    r"|://(?:[^\s/]{0,200}[./-])?hooks?\.|://\S{0,200}?webhook|://api\.telegram\.org/bot"
    # Parts of a query, of a connection string, or of JSON.
    rf"|(?:^|[?&;#,{{\s\"'])[\w.-]{{0,40}}(?:{_WORDS})[\w.-]{{0,40}}[\"']?\s*[=:]\s*[\"']?(?!\$\{{)[^\s&;\"']"
    r"|[?&](?:key|sig|code|auth|pat|pass|jwt)=(?!\$\{)[^\s&]"
    r"|\b(?:Bearer|Basic)\s+[\w.~+/=-]{16,}",
    re.IGNORECASE,
)
_CREDENTIAL_NAME: Final = re.compile(rf"{_WORDS}|(?:^|[_.-])(?:pass|pat|dsn)(?:$|[_.-])", re.IGNORECASE)


@dataclass(frozen=True)
class Change:
    """A value of the login that the first update changes.

    Attributes:
        name: Its key in the definition.
        before: As a text; empty where nothing stood.
        after: As a text.
    """

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class AdoptedEnvironment:
    """What becomes of the environment.

    Attributes:
        is_imported: Whether the component owns it from now on.
        changes: What the first update changes in its login.
        new_layout: Whether the text changes.
        comments: How many comments go.
        more: Why it is left to its owner: what it holds besides the login, by its places, without any value.
    """

    is_imported: bool
    changes: tuple[Change, ...] = ()
    new_layout: bool = False
    comments: int = 0
    more: tuple[str, ...] = ()


class Contents:
    """What an environment holds.

    Args:
        definition: Its text, as Pulumi Cloud stores it. It has a login.
        login: The login in there that is adopted.
    """

    def __init__(self, definition: str, login: LoginBlock) -> None:
        self._text = definition
        self._login = login
        self._data = _data(definition)

    def inputs(self) -> dict[str, Any]:
        """The inputs for what stands beside the login, as far as there are any."""
        values = self._data["values"]
        variables = _texts(values.get("environmentVariables"))
        config = dict(_paths(values.get("pulumiConfig")))
        imports = self._data.get("imports") or []
        content: dict[str, Any] = {}
        if all(variables.get(name) == text for name, text in CREDENTIALS.items()):
            variables = {name: text for name, text in variables.items() if name not in CREDENTIALS}
        else:
            content["export_environment_variables"] = False
        region = variables.get(REGION_VARIABLE)
        if region and config.get(REGION_CONFIG) == region and "$" not in region:
            content["region"] = region
            del variables[REGION_VARIABLE], config[REGION_CONFIG]
        listed = {
            "environment_variables": variables,
            "pulumi_config": config,
            "imports": [each for each in imports if isinstance(each, str)],
        }
        return content | {name: value for name, value in listed.items() if value}

    def adopted(self, plan: EnvironmentPlan, role_arn: str, wrong: Iterable[str]) -> AdoptedEnvironment:
        """What becomes of the environment: it is imported only if the component writes all that it holds.

        Args:
            plan: What its inputs come to.
            role_arn: The role's.
            wrong: What the component's inputs don't take.
        """
        written = environment_definition(plan.login, role_arn)
        more = [*_missing(self._data, _data(written), ()), *wrong, *_credentials(self._data, ())]
        if more:
            return AdoptedEnvironment(False, more=tuple(dict.fromkeys(printable(each) for each in more)))
        if self._text.strip() == written:
            return AdoptedEnvironment(True)
        login = self._login
        changes = (
            Change("sessionName", login.session_name or "", plan.session_name),
            Change("duration", login.duration or "", plan.duration),
            Change("subjectAttributes", ", ".join(login.subject_attributes or ()), ", ".join(plan.attributes)),
        )
        changed = tuple(each for each in changes if each.before != each.after)
        return AdoptedEnvironment(True, changed, True, _comments(self._text))


_OIDC: Final = ("values", "aws", "login", "fn::open::aws-login", "oidc")
_MAY_DIFFER: Final = {(*_OIDC, name) for name in ("sessionName", "duration", "subjectAttributes")}
"""What the component may write other than it stands there: only these, and each is said."""


def _data(text: str) -> Any:
    """The values that ESC reads in a definition, both forms of a login alike."""
    root = compose(text)
    return _plain(root) if root else {}


def _plain(node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item) for item in node.value]
    found = {str(key.value): _plain(value) for key, value in node.value}
    if len(found) == 1:
        ((key, value),) = found.items()
        if key.lower() == "fn::open" and isinstance(value, dict) and value.keys() == {"provider", "inputs"}:
            return {f"fn::open::{value['provider']}": value["inputs"]}
        if key.lower().startswith("fn::open::"):
            return {key.lower(): value}
    return found


def _missing(found: Any, written: Any, path: tuple[str, ...]) -> Iterator[str]:
    """The places whose values the component would not write as they are."""
    if isinstance(found, dict) and isinstance(written, dict):
        for key, value in found.items():
            if key in written:
                yield from _missing(value, written[key], (*path, key))
            elif value not in (None, {}, []):
                yield ".".join((*path, key))
    elif (type(found), found) != (type(written), written) and path not in _MAY_DIFFER:
        yield ".".join(path)


def _credentials(data: Any, path: tuple[str, ...]) -> Iterator[str]:
    """The places of texts that nobody should copy into a program."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key.lower() != "fn::secret":  # ciphertext, and never copied
                yield from _credentials(value, (*path, key))
    elif isinstance(data, list):
        for item in data:
            yield from _credentials(item, path)
    elif isinstance(data, str) and (
        _CREDENTIAL.search(data)
        or _CREDENTIAL_PARTS.search(data)
        or (data and "${" not in data and any(map(_CREDENTIAL_NAME.search, path[2:])))
    ):
        yield f"{'.'.join(path)}, which looks like a credential"


def _texts(values: Any) -> dict[str, str]:
    return {key: text for key, text in values.items() if isinstance(text, str)} if isinstance(values, dict) else {}


def _paths(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The texts in a configuration, by their paths as `pulumi config set --path` has them."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not path:
                step = key
            elif re.fullmatch("[A-Za-z0-9_-]+", key):
                step = f".{key}"
            else:
                quoted = key.replace('"', '\\"')
                step = f'["{quoted}"]'
            yield from _paths(item, path + step)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _paths(item, f"{path}[{index}]")
    elif isinstance(value, str):
        yield path, value


def _comments(definition: str) -> int:
    """How many comments a definition has; a `#` inside a text begins none."""
    signs = list(definition)
    for token in yaml.scan(definition):
        if isinstance(token, yaml.ScalarToken):
            for index in range(token.start_mark.index, token.end_mark.index):
                signs[index] = signs[index].replace("#", " ")
    return len(re.findall(r"(?:^|(?<=\s))#", "".join(signs), re.MULTILINE))
