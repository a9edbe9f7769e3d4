"""An evaluator of ESC environments, for what environments that log in to AWS contain.

A port of eval/eval.go of github.com/pulumi/esc v0.26.0: values, references, imports, the execution context,
`fn::secret` with plain text and `fn::open::aws-login`. Everything else is refused with a diagnostic. It does
no I/O: environments and credentials come through callables.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..claims import STACK_CONFIGURATION
from .aws_login import Login, LoginFailed
from .definition import has_errors
from .definition import load as load_definition
from .document import Diagnostic, Place, Position
from .environment_evaluation import EnvironmentEvaluation, Session
from .values import Value

__all__ = ["Evaluation", "Login", "LoginFailed", "evaluate"]


@dataclass(frozen=True)
class Evaluation:
    """What an environment evaluates to.

    Attributes:
        properties: The values on the top level, those of imports included.
        diagnostics: What is wrong, in the order in which it was found.
    """

    properties: Mapping[str, Value]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def failed(self) -> bool:
        """Whether there are errors. Then values may be unknown or absent."""
        return has_errors(self.diagnostics)

    def properties_json(self, *, show_secrets: bool = True) -> dict[str, Any]:
        """The `properties` of Pulumi's REST API; without secrets they read `[secret]`."""
        # pulumi-esc-sdk refuses values on the top level that have no trace.
        return {
            key: {**value.wrapped(show_secrets=show_secrets), "trace": {}} for key, value in self.properties.items()
        }

    def expressions_json(self) -> dict[str, Any]:
        """The `exprs` of Pulumi's REST API: which paths there are, as `pulumi env get ENV PATH` asks."""
        return {key: _expression_json(value) for key, value in self.properties.items()}

    def diagnostics_json(self) -> list[dict[str, Any]]:
        """The `diagnostics` of Pulumi's REST API."""
        return [
            {
                "summary": diagnostic.summary,
                "severity": diagnostic.severity,
                "range": _range_json(diagnostic.place) if diagnostic.place else {"environment": diagnostic.environment},
            }
            for diagnostic in self.diagnostics
        ]


def evaluate(
    name: str,
    yaml_text: str,
    *,
    load: Callable[[str], str],
    context: Mapping[str, Any],
    login: Callable[[Login], Mapping[str, Any]] | None,
) -> Evaluation:
    """Evaluate the definition of an environment.

    Args:
        name: The environment, ``PROJECT/ENV``, or `STACK_CONFIGURATION`.
        yaml_text: Its definition.
        load: Gives the definition of an imported environment, by the text of the import. Raises LookupError or
            PermissionError, whose message becomes a diagnostic at the import.
        context: What definitions find under `context`, such as ``{"pulumi": {"user": {"login": "alice"}}}``.
            The evaluator adds `currentEnvironment` and `rootEnvironment`.
        login: Gives the outputs of `aws-login`, or raises LoginFailed. None only checks the environment: then
            logins are unknown, and secret.

    Raises:
        ValueError: The context has one of the two names that the evaluator gives.
    """
    if reserved := {"currentEnvironment", "rootEnvironment"} & set(context):
        raise ValueError(f"reserved context key: {', '.join(sorted(reserved))}")
    session = Session(load=load, context=context, login=login)
    try:
        properties = _properties(session, name, yaml_text)
    except RecursionError:
        properties = {}
        session.diagnostics.append(Diagnostic("nested too deeply for the sandbox", name))
    return Evaluation(properties, tuple(session.diagnostics))


def _properties(session: Session, name: str, yaml_text: str) -> dict[str, Value]:
    definition, diagnostics = load_definition(name, yaml_text)
    session.diagnostics.extend(diagnostics)
    if definition is None:
        return {}
    root = EnvironmentEvaluation(session, name, STACK_CONFIGURATION, definition).evaluate()
    return dict(zip(root.keys(), root.nested(), strict=True))


def _expression_json(value: Value) -> dict[str, Any]:
    if value.is_map:
        inner = zip(value.keys(), value.nested(), strict=True)
        return {"object": {key: _expression_json(nested) for key, nested in inner}}
    if isinstance(value.content, list):
        return {"list": [_expression_json(item) for item in value.content]}
    return {}


def _range_json(place: Place) -> dict[str, Any]:
    return {
        "environment": place.environment,
        "begin": _position_json(place.begin),
        "end": _position_json(place.end),
    }


def _position_json(position: Position) -> dict[str, int]:
    return {"line": position.line, "column": position.column, "byte": position.byte}
