"""The provider, the role and its policies, as both components declare them."""

import hashlib
import re
from dataclasses import dataclass
from typing import Final, Generic, TypeVar, cast
from uuid import uuid4
from weakref import WeakKeyDictionary

import pulumi
import pulumi_aws as aws
from pulumi.runtime.settings import get_monitor

from .inputs import CREATED_BY, RolePlan, Violation, attachment_name
from .planning import Planned, StrictOutput
from .trust import read_iam_arn

P = TypeVar("P", bound=RolePlan)


@dataclass(frozen=True)
class DeclaredRole:
    """A role, and the provider that it trusts."""

    provider_arn: StrictOutput[str]
    trust_policy: StrictOutput[str]
    name: StrictOutput[str]
    arn: StrictOutput[str]


def declare_role(owner: pulumi.ComponentResource, name: str, plan: Planned[P]) -> DeclaredRole:
    """Declare the provider, or adopt one, and the role with its permissions.

    Args:
        owner: The component, parent of everything.
        name: Its name, with which every child's begins.
        plan: What its inputs come to. Every resource takes at least one of its inputs from it, so that none is sent to
            a cloud before the check.
    """
    return _Declaration(owner, name, plan, pulumi.ResourceOptions(parent=owner)).declared()


Found = pulumi.Output[aws.iam.GetOpenIdConnectProviderResult]

_FOUND: Final[WeakKeyDictionary[object, dict[object, Found]]] = WeakKeyDictionary()
"""What AWS answered, by the engine that asked it: a hundred components that adopt one provider ask once."""


def _found_provider(arn: pulumi.Input[str], owner: pulumi.ComponentResource) -> Found:
    """The provider as AWS has it now, read by the owner's AWS provider, which is the one that makes the role."""

    def ask() -> Found:
        return aws.iam.get_open_id_connect_provider_output(arn=arn, opts=pulumi.InvokeOptions(parent=owner))

    if not isinstance(arn, str):
        # It may come from a resource that this program changes first.
        return ask()
    found = _FOUND.setdefault(get_monitor(), {})
    key = (arn, owner.get_provider("aws:iam/role:Role"))
    if key not in found:
        found[key] = ask()
    return found[key]


@dataclass(frozen=True)
class _Declaration(Generic[P]):
    owner: pulumi.ComponentResource
    name: str
    plan: Planned[P]
    child: pulumi.ResourceOptions

    def declared(self) -> DeclaredRole:
        adopts = "oidc_provider_arn" in self.plan.now.names
        provider_arn = self._adopted_provider() if adopts else self._created_provider()
        role = self._role(self.plan.combine(provider_arn, lambda plan, arn: plan.policy(arn).text))
        self._policies(role)
        # AWS takes tokens only through a provider of the role's own account and partition.
        arn = (
            self.plan.gated(role.arn, self.plan.seen.expected_provider_arn, self._same_account) if adopts else role.arn
        )
        # The role's own policy: after `pulumi up --target`, it may differ from what is declared.
        outputs = (provider_arn, role.assume_role_policy, role.name, arn)
        return DeclaredRole(*(cast("StrictOutput[str]", output) for output in outputs))

    def _created_provider(self) -> pulumi.Output[str]:
        plan = self.plan.seen
        keep = True if plan.retain_oidc_provider else None
        provider = aws.iam.OpenIdConnectProvider(
            f"{self.name}-provider",
            url=plan.issuer,
            client_id_lists=plan.client_ids,
            thumbprint_lists=self.plan.given.get("thumbprints") or None,
            tags=plan.tags or None if keep else self.plan.read(lambda plan: {**plan.tags, CREATED_BY: self._creator}),
            opts=pulumi.ResourceOptions(parent=self.owner, retain_on_delete=keep, hooks=self._explain_existing()),
        )
        return provider.arn

    def _explain_existing(self) -> pulumi.ResourceHookBinding | None:
        if pulumi.runtime.is_dry_run():
            return None

        async def explain(failed: pulumi.ErrorHookArgs) -> bool:
            if failed.failed_operation == "create" and "EntityAlreadyExists" in failed.errors[0]:
                pulumi.log.error(
                    f"AWS has an identity provider for {self.plan.now.issuer} already, and allows one per account. "
                    "To use it here, pass its ARN in `oidc_provider_arn`; `aws iam list-open-id-connect-providers` "
                    f"shows it. To make it this stack's own, run `pulumi import {failed.type} {failed.name} ARN "
                    f"--parent {self.name}={await self.owner.urn.future()}`.",
                    resource=self.owner,
                )
            return False

        # The engine wants a name that no other hook has, in this process or in the plugin's.
        hook = pulumi.ErrorHook(f"{self.name}-provider-exists-{uuid4().hex}", explain)
        return pulumi.ResourceHookBinding(on_error=[hook])

    @property
    def _creator(self) -> str:
        """Which component this is, as the value of a tag."""
        creator = f"{pulumi.get_project()}/{pulumi.get_stack()}/{type(self.owner).__name__}/{self.name}"
        if re.fullmatch(r"[\w .:/=+@-]{1,256}", creator, re.ASCII):
            return creator
        return f"{pulumi.get_project()}/{pulumi.get_stack()}/{hashlib.sha256(creator.encode()).hexdigest()}"

    def _adopted_provider(self) -> pulumi.Output[str]:
        expected = self.plan.seen.expected_provider_arn
        found = _found_provider(expected, self.owner)

        def check(plan: P, arn: str, provider: aws.iam.GetOpenIdConnectProviderResult) -> None:
            client_ids, audience = provider.client_id_lists, plan.known("audience")
            # Mocks answer without tags and client IDs; then there is nothing to judge.
            if (provider.tags or {}).get(CREATED_BY) == self._creator:
                self._judge(
                    arn,
                    f"this component made this provider, as its tag `{CREATED_BY}` says. Adopting it deletes it, and "
                    "every login of the account goes with it.",
                    "Take it out of the component first. To leave it to nobody: set `retain_oidc_provider` instead of "
                    "this input, run `pulumi up`, then adopt it. To keep it in this program: declare an "
                    "aws.iam.OpenIdConnectProvider without this tag and with an alias of this component's, and pass "
                    "its ARN. To move it to another stack: run `pulumi state move`, and `pulumi up` there.",
                )
            if client_ids and audience and audience not in client_ids:
                self._judge(
                    arn,
                    f"this provider takes tokens for {', '.join(sorted(client_ids))}; this role's are for {audience}.",
                    "Register the audience: aws iam add-client-id-to-open-id-connect-provider "
                    f"--open-id-connect-provider-arn {arn} --client-id {audience}",
                )

        return self.plan.gated(expected, found, check)

    def _judge(self, provider_arn: str, rule: str, fix: str) -> None:
        """Refuse an adopted provider; but in a preview, only warn if this program may still change it."""
        violation = Violation("oidc_provider_arn", provider_arn, rule, fix)
        if pulumi.runtime.is_dry_run() and self.plan.is_from_resource("oidc_provider_arn"):
            self.plan.log(self.owner, f"{violation} This preview passes, since the update may change the provider.")
        else:
            self.plan.refuse(violation)

    def _role(self, trust_policy: pulumi.Output[str]) -> aws.iam.Role:
        plan = self.plan.seen
        return aws.iam.Role(
            f"{self.name}-role",
            name=plan.role_name,
            path=plan.role_path,
            description=plan.role_description,
            permissions_boundary=plan.permissions_boundary_arn,
            assume_role_policy=trust_policy,
            max_session_duration=plan.max_session_seconds,
            force_detach_policies=self.plan.given.get("force_detach_policies"),
            tags=plan.tags or None,
            opts=self.child,
        )

    def _policies(self, role: aws.iam.Role) -> None:
        for arn in self.plan.given.get("policy_arns") or ():
            self._attachment(role, attachment_name(arn), arn, self.child)
        for key in self.plan.given.get("named_policy_arns") or ():
            named = self.plan.item("named_policy_arns", key)
            # An ARN that moves here from `policy_arns` keeps its attachment.
            before = pulumi.Output.from_input(named).apply(self._attachment_alias)
            opts = pulumi.ResourceOptions(parent=self.owner, aliases=[before])
            self._attachment(role, key, named, opts)
        for key in self.plan.given.get("inline_policies") or ():
            aws.iam.RolePolicy(
                f"{self.name}-inline-{key}",
                role=role.name,
                name=key,
                policy=self.plan.item("inline_policies", key),
                opts=self.child,
            )

    def _attachment(
        self, role: aws.iam.Role, key: str, arn: pulumi.Input[str], opts: pulumi.ResourceOptions
    ) -> aws.iam.RolePolicyAttachment:
        return aws.iam.RolePolicyAttachment(f"{self.name}-policy-{key}", role=role.name, policy_arn=arn, opts=opts)

    def _attachment_alias(self, arn: str) -> pulumi.Alias:
        return pulumi.Alias(name=f"{self.name}-policy-{attachment_name(arn)}")

    def _same_account(self, _: P, role: object, provider: object) -> None:
        # Mocks may answer with anything; then there is nothing to judge.
        own, trusted = (read_iam_arn(arn) if isinstance(arn, str) else None for arn in (role, provider))
        if own and trusted and (own.partition, own.account) != (trusted.partition, trusted.account):
            rule = (
                f"the role is in account {own.account} of partition {own.partition}, and AWS takes tokens only through "
                "a provider of the role's own account."
            )
            fix = "Pass the ARN of that account's provider, or the other account's AWS provider in `opts`."
            self.plan.refuse(Violation("oidc_provider_arn", provider, rule, fix))
