"""Who gets in to the role of Pulumi Deployments: stack by stack and operation by operation."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ...claims import CURRENT_ENVIRONMENT, LEGACY_PROJECT, OPERATIONS, DeploymentSubject, read_subject
from ...sessions import seconds
from ...tokens import Opener, Opening, deployment_claims, login_claims
from ..clients import CloudRefused, call_cloud
from ..servers import Sandbox
from .outcomes import Attempt, Declared, assume_role, present, too_long

_ANY: Final = "esc-oidc-try-any"
"""Stands for a stack that nobody named, where a pattern admits every one."""


@dataclass(frozen=True)
class _Run:
    """An operation that Pulumi Deployments runs on a stack."""

    organization: str
    project: str
    stack: str
    operation: str

    def __str__(self) -> str:
        return f"Pulumi Deployments, {self.operation} of {self.organization}/{self.project}/{self.stack}"


def deployment_attempts(sandbox: Sandbox, declared: Declared) -> Iterator[Attempt]:
    """Try every stack and operation that a PulumiDeploymentsOidc declares, and those that it must refuse."""
    runs = list(dict.fromkeys(run for subject in declared.subjects for run in _declared_runs(subject)))
    first = runs[0]
    stacks = dict.fromkeys(run.stack for run in runs)
    others = (replace(first, stack=stack, operation=operation) for stack in stacks for operation in OPERATIONS)
    for run in dict.fromkeys([*runs, *others]):
        yield _attempt(sandbox, declared, run)
    strangers = {
        "a stack that is not named": replace(first, stack="esc-oidc-try-stranger"),
        "another project": replace(first, project=f"{first.project}-stranger"),
        "another organization": replace(first, organization=f"{first.organization}-stranger"),
    }
    tried = (_attempt(sandbox, declared, run, remark) for remark, run in strangers.items())
    yield from (attempt for attempt in tried if not attempt.expected)
    yield from _other_tokens(sandbox, declared, first)
    yield too_long(sandbox, declared, str(first), _claims(sandbox, first))


def _declared_runs(text: str) -> Iterator[_Run]:
    """The operations that a subject stands for; a pattern for one stack that nobody named."""
    subject = read_subject(text)
    if not isinstance(subject, DeploymentSubject):
        raise TypeError(f"{text!r} is no subject of Pulumi Deployments")
    fields = dict(subject.fields)
    stack = fields.get("stack", "*").replace("*", _ANY)
    operation = fields.get("operation", "*")
    for each in OPERATIONS if operation == "*" else (operation,):
        yield _Run(subject.organization, fields["project"], stack, each)


def _attempt(sandbox: Sandbox, declared: Declared, run: _Run, remark: str = "") -> Attempt:
    """Run an operation as Pulumi Deployments does: the settings say which role, a signed token says what it is for."""
    settings = _settings(sandbox, declared, run)
    claims = _claims(sandbox, run)
    role_arn, name = settings.get("roleArn") or settings["roleARN"], _session_name(settings["sessionName"], run)
    outcome = assume_role(sandbox, role_arn, claims, seconds(settings["duration"]), name)
    return declared.attempt(str(run), claims, outcome, remark)


def _settings(sandbox: Sandbox, declared: Declared, run: _Run) -> Mapping[str, Any]:
    """The stack's login to AWS: its deployment settings, or what the component says they must contain."""
    token = sandbox.access_token(Opener("deployer"), [run.organization])
    path = f"/api/stacks/{run.organization}/{run.project}/{run.stack}/deployments/settings"
    try:
        settings = call_cloud(sandbox.cloud_url, token, "GET", path)["operationContext"]
    except CloudRefused:
        settings = declared.outputs["operationContext"]
    aws: Mapping[str, Any] = settings["oidc"]["aws"]
    return aws


def _session_name(template: str, run: _Run) -> str:
    """Pulumi fills its own templates in, such as ${organization.name}."""
    known = {"organization": run.organization, "project": run.project, "stack": run.stack}
    filled = re.sub(r"\$\{(\w+)[^}]*\}", lambda match: known.get(match[1], match[1]), template)
    return filled[:64]


def _claims(sandbox: Sandbox, run: _Run) -> dict[str, str]:
    return deployment_claims(run.organization, run.project, run.stack, run.operation, issuer=sandbox.issuer_url)


def _other_tokens(sandbox: Sandbox, declared: Declared, run: _Run) -> Iterator[Attempt]:
    """Tokens of the same organization with the same audience, and of another."""
    opening = Opening(run.organization, f"{LEGACY_PROJECT}/{run.stack}", Opener("member"))
    for project, what in ((LEGACY_PROJECT, "the legacy project `default`"), (run.project, f"project {run.project}")):
        environment = f"{project}/{run.stack}"
        claims = login_claims(
            opening,
            current_environment=environment,
            root_environment=environment,
            subject_attributes=[CURRENT_ENVIRONMENT],
            issuer=sandbox.issuer_url,
        )
        yield present(sandbox, declared, f"an ESC login in {what}", claims)
    azure = f"azure:{run.organization}"
    claims = {**_claims(sandbox, run), "aud": azure}
    yield present(sandbox, declared, f"{run}, with a token for {azure}", claims, "another cloud's token")
