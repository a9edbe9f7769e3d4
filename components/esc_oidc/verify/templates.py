"""What templates leave open: functions of CloudFormation, expressions of Terraform, and placeholders for the rest.

Sources: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html and
https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

# No policy has these brackets: IAM takes nothing above U+00FF.
MARK: Final = re.compile("\u27e6([^\u27e7]*)\u27e7")
"""A placeholder in a policy, and its name."""
_EXPRESSION: Final = re.compile(r"\$\$\{|\$\{((?:[^{}]|\{[^{}]*\})*)\}")

_NO_VALUE: Final = "AWS::NoValue"
_VARIABLE: Final = re.compile(r"\$\{(!?)([^}]*)\}")
_PAIR: Final = 2
_NAMING: Final = {"Fn::FindInMap", "Fn::If"}
"""What begins with the name of a mapping or a condition."""


def placeholder(name: str) -> str:
    """What stands in a policy for a value that the document does not say."""
    # Quotes would end the text of a policy that is JSON in itself.
    return "\u27e6" + re.sub(r'[\u27e6\u27e7"\\]', "", name) + "\u27e7"


def placeholders_in(value: object) -> tuple[str, ...]:
    """The names of the placeholders in a policy, each once."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return tuple(dict.fromkeys(MARK.findall(text)))


POLICY_DOCUMENT: Final = "aws_iam_policy_document"
OIDC_PROVIDER: Final = "aws_iam_openid_connect_provider"

# As text: `re` compiles it when it is first used, and few files have such a reference.
_POLICY_REFERENCE: Final = rf"\$\{{\s*data\.{POLICY_DOCUMENT}\.([\w-]+)(?:\[[^\]]*\])?\.(?:minified_)?json\s*\}}"
_PROVIDER_REFERENCE: Final = rf"{OIDC_PROVIDER}\.([\w-]+)(?:\[[^\]]*\])?\.(?:arn|id)"
_OF_DOCUMENTS: Final = {"//", "count", "depends_on", "for_each", "policy_id", "provider", "statement", "version"}
_OF_STATEMENTS: Final = {"//", "actions", "condition", "effect", "not_actions", "principals", "resources", "sid"}


class TerraformFile:
    """A `.tf.json` file, in which `${...}` is an expression and `$${` a plain `${`."""

    def __init__(
        self, documents: Mapping[str, Mapping[str, object]], providers: Mapping[str, Mapping[str, object]]
    ) -> None:
        """Take the blocks of its policy documents and identity providers, by their names."""
        self._documents, self._providers = documents, providers

    def resolve(self, value: object) -> object:
        """A policy without expressions: what only a plan knows is a placeholder."""
        if not isinstance(value, str):
            return value
        named = re.fullmatch(_POLICY_REFERENCE, value.strip())
        block = self._documents.get(named[1]) if named else None
        if block is None or not _OF_DOCUMENTS.issuperset(block):
            return self._text(value)
        statements = [self._statement(each) for each in _blocks(block.get("statement", []))]
        if None in statements:
            return self._text(value)
        return {"Version": self._texts(block.get("version", "2012-10-17")), "Statement": statements}

    def _statement(self, block: object) -> Mapping[str, object] | None:
        """A statement; None if something else than its blocks makes it, such as a `dynamic` one."""
        if not isinstance(block, Mapping) or not _OF_STATEMENTS.issuperset(block):
            return None
        principals: dict[str, list[object]] = {}
        conditions: dict[str, dict[str, list[object]]] = {}
        for each in _blocks(block.get("principals", [])):
            if not isinstance(each, Mapping):
                return None
            principals.setdefault(str(self._texts(each.get("type"))), []).extend(
                _blocks(self._texts(each.get("identifiers", [])))
            )
        for each in _blocks(block.get("condition", [])):
            if not isinstance(each, Mapping):
                return None
            operator, key = str(self._texts(each.get("test"))), str(self._texts(each.get("variable")))
            conditions.setdefault(operator, {}).setdefault(key, []).extend(_blocks(self._texts(each.get("values", []))))
        statement = {
            "Sid": self._texts(block.get("sid")),
            "Effect": self._texts(block.get("effect", "Allow")),
            "Principal": "*" if principals == {"*": ["*"]} else principals,
            "Action": self._texts(block.get("actions")),
            "NotAction": self._texts(block.get("not_actions")),
            "Resource": self._texts(block.get("resources")),
            "Condition": conditions,
        }
        return {name: value for name, value in statement.items() if value}

    def _texts(self, value: object) -> object:
        if isinstance(value, list):
            return [self._texts(each) for each in value]
        # In this data source, `&{...}` is a policy variable.
        return self._text(value).replace("&{", "${") if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        return _EXPRESSION.sub(lambda match: "${" if match[1] is None else self._value(match[1].strip()), text)

    def _value(self, expression: str) -> str:
        named = re.fullmatch(_PROVIDER_REFERENCE, expression)
        url = self._providers.get(named[1], {}).get("url") if named else None
        return _provider_arn(self._text(url)) if isinstance(url, str) else placeholder(expression)


def _blocks(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _provider_arn(url: str) -> str:
    """The ARN of the identity provider for this URL, in an account that only a deployment knows."""
    arn = f"arn:{placeholder('AWS::Partition')}:iam::{placeholder('AWS::AccountId')}:oidc-provider/"
    return arn + url.removeprefix("https://")


class Template:
    """A template, whose functions are replaced by what they give; what only a deployment knows is a placeholder."""

    def __init__(self, document: Mapping[str, object]) -> None:
        resources = document.get("Resources")
        self._resources: Mapping[str, object] = resources if isinstance(resources, Mapping) else {}

    def resolve(self, value: object) -> object:
        """A value without functions.

        In a list, both branches of an `Fn::If` stand side by side: the template can be deployed with either.
        """
        if isinstance(value, list):
            return [item for each in value for item in self._items(each)]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref" or str(name).startswith("Fn::"):
                return self._call(str(name), argument)
        return {str(key): self.resolve(each) for key, each in value.items() if each != {"Ref": _NO_VALUE}}

    def _items(self, value: object) -> Iterator[object]:
        branches = value.get("Fn::If") if isinstance(value, Mapping) else None
        if isinstance(branches, list):
            for branch in branches[1:]:
                yield from self._items(branch)
        elif value != {"Ref": _NO_VALUE}:
            resolved = self.resolve(value)
            # `Fn::Split` and the like give lists, which are flattened nowhere: a list in a list is no policy.
            yield resolved

    def _call(self, name: str, argument: object) -> object:
        if name == "Ref":
            return self._reference(str(argument))
        if name == "Fn::Sub":
            return self._substituted(argument)
        if name == "Fn::GetAtt":
            parts = argument.split(".", 1) if isinstance(argument, str) else argument
            parts = [str(part) for part in parts] if isinstance(parts, list) else [str(parts)]
            return self._reference(parts[0]) if parts[1:] == ["Arn"] else placeholder(".".join(parts))
        if name == "Fn::Join" and isinstance(argument, list) and len(argument) == _PAIR:
            parts = self.resolve(argument[1])
            if isinstance(parts, list) and all(isinstance(part, str) for part in parts):
                return str(argument[0]).join(map(str, parts))
        if name == "Fn::ToJsonString":
            return self.resolve(argument)
        named = argument[0] if isinstance(argument, list) and name in _NAMING and argument else argument
        return placeholder(f"{name} {named if isinstance(named, str) else ''}".strip())

    def _reference(self, name: str) -> str:
        """A parameter or a resource. Only the ARN of an identity provider can be foretold."""
        resource = self._resources.get(name)
        kind = str(resource.get("Type")).lower() if isinstance(resource, Mapping) else ""
        if isinstance(resource, Mapping) and ("oidcprovider" in kind or "openidconnectprovider" in kind):
            properties = resource.get("Properties")
            url = self.resolve(properties.get("Url")) if isinstance(properties, Mapping) else None
            if isinstance(url, str):
                return _provider_arn(url)
        return placeholder(name)

    def _substituted(self, argument: object) -> str:
        text, variables = argument, {}
        if isinstance(argument, list) and len(argument) == _PAIR and isinstance(argument[1], Mapping):
            text, variables = argument

        def value_of(match: re.Match[str]) -> str:
            literal, name = match[1], match[2].strip()
            if literal:
                return f"${{{match[2]}}}"
            if name in variables:
                value = self.resolve(variables[name])
                return value if isinstance(value, str) else placeholder(name)
            return str(self._call("Fn::GetAtt", name)) if "." in name else self._reference(name)

        return _VARIABLE.sub(value_of, text) if isinstance(text, str) else placeholder("Fn::Sub")
