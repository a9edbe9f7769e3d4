"""The provider, the role and its policies, as both components declare them."""

import hashlib
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

import pulumi
import pulumi_aws as aws

from .errors import InvalidInputs
from .inputs import SECRET, RolePlan, Violation, without
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


@dataclass(frozen=True)
class _Declaration(Generic[P]):
    owner: pulumi.ComponentResource
    name: str
    plan: Planned[P]
    child: pulumi.ResourceOptions

    def declared(self) -> DeclaredRole:
        adopts = "oidc_provider_arn" in self.plan.now.names
        provider_arn = self._adopted_provider() if adopts else self._created_provider()
        trust_policy = self._trust_policy(provider_arn)
        role = self._role(trust_policy)
        self._policies(role)
        # AWS takes tokens only through a provider of the role's own account and partition.
        arn = self.plan.combine(pulumi.Output.all(role.arn, provider_arn), self._same_account) if adopts else role.arn
        outputs = (provider_arn, trust_policy, role.name, arn)
        return DeclaredRole(*(cast("StrictOutput[str]", output) for output in outputs))

    def _created_provider(self) -> pulumi.Output[str]:
        plan = self.plan.seen
        keep = True if plan.retain_oidc_provider else None
        provider = aws.iam.OpenIdConnectProvider(
            f"{self.name}-provider",
            url=plan.issuer,
            client_id_lists=plan.client_ids,
            thumbprint_lists=self.plan.given.get("thumbprints") or None,
            tags=plan.tags or None,
            opts=pulumi.ResourceOptions(parent=self.owner, retain_on_delete=keep),
        )
        return provider.arn

    def _adopted_provider(self) -> pulumi.Output[str]:
        # The parent is what makes the component's AWS provider answer, the one that makes the role.
        found = aws.iam.get_open_id_connect_provider_output(
            arn=self.plan.seen.expected_provider_arn, opts=pulumi.InvokeOptions(parent=self.owner)
        )

        def check(plan: P, provider: aws.iam.GetOpenIdConnectProviderResult) -> str:
            arn, client_ids = plan.expected_provider_arn, provider.client_id_lists
            # Mocks answer without client IDs; then there is nothing to judge.
            if client_ids and plan.audience not in client_ids:
                self._refuse(
                    plan,
                    arn,
                    f"this provider takes tokens for {', '.join(sorted(client_ids))}; this role's are for "
                    f"{plan.audience}.",
                    "Register the audience: aws iam add-client-id-to-open-id-connect-provider "
                    f"--open-id-connect-provider-arn {arn} --client-id {plan.audience}",
                )
            return arn

        return self.plan.combine(found, check)

    def _trust_policy(self, provider_arn: pulumi.Output[str]) -> pulumi.Output[str]:
        """The trust policy, judged again where the provider's real ARN is longer than expected."""

        def policy(plan: P, arn: str) -> str:
            # What was expected has been judged; the real one may be of a partition with a longer name.
            # Mocks may answer without one.
            if arn and len(arn) > len(plan.expected_provider_arn):
                if violations := list(plan.policy_limit(arn)):
                    raise InvalidInputs(self.plan.title, violations)
                if not any(plan.size_warning(plan.expected_provider_arn)):
                    for warning in plan.size_warning(arn):
                        pulumi.log.warn(warning, resource=self.owner)
            return plan.policy(arn).text

        return self.plan.combine(provider_arn, policy)

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
        plan = self.plan.seen
        for index, arn in enumerate(self.plan.given.get("policy_arns") or ()):
            aws.iam.RolePolicyAttachment(
                f"{self.name}-policy-{_policy_name(index, arn)}",
                role=role.name,
                policy_arn=plan.policy_arns[index],
                opts=self.child,
            )
        for key in self.plan.given.get("inline_policies") or ():
            aws.iam.RolePolicy(
                f"{self.name}-inline-{key}",
                role=role.name,
                name=key,
                policy=plan.inline_policies[key],
                opts=self.child,
            )

    def _same_account(self, plan: P, arns: list[str]) -> str:
        role, provider = arns
        # Mocks may answer without ARNs; then there is nothing to judge.
        own, trusted = read_iam_arn(role or ""), read_iam_arn(provider)
        if own and trusted and (own.partition, own.account) != (trusted.partition, trusted.account):
            self._refuse(
                plan,
                provider,
                f"the role is in account {own.account} of partition {own.partition}, and AWS takes tokens only through "
                "a provider of the role's own account.",
                "Pass the ARN of that account's provider, or the other account's AWS provider in `opts`.",
            )
        return role

    def _refuse(self, plan: P, provider_arn: str, rule: str, fix: str) -> None:
        shown = SECRET if provider_arn in plan.secrets else provider_arn
        violation = Violation("oidc_provider_arn", shown, without(plan.secrets, rule), without(plan.secrets, fix))
        raise InvalidInputs(self.plan.title, [violation])


def _policy_name(index: int, arn: Any) -> str:
    """A name that does not change when the list is reordered, where the ARN is known when names are made."""
    if not isinstance(arn, str):
        return str(index)
    digest = hashlib.sha256(arn.encode()).hexdigest()[:8]
    return f"{arn.rpartition('/')[2]}-{digest}"
