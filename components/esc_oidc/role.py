"""The provider, the role and its policies, as every component of this package declares them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pulumi
import pulumi_aws as aws

from .claims import ISSUER
from .errors import InvalidInputs
from .inputs import SECRET, RolePlan, Violation, policy_limit, provider_arn_parts, size_warning, without
from .planning import Planned, title
from .trust import render, trust_policy

P = TypeVar("P", bound=RolePlan)


@dataclass(frozen=True)
class RoleDeclaration(Generic[P]):
    """Declares the provider and the role of a component.

    Args:
        owner: The component, parent of everything.
        name: Its name, with which every child's begins.
        given: Its inputs as they were passed: they decide which resources there are.
        planned: What they come to: every resource takes at least one of its inputs from here, so that none is sent
            to a cloud before the check.
    """

    owner: pulumi.ComponentResource
    name: str
    given: Mapping[str, Any]
    planned: Planned[P]

    def provider_arn(self) -> pulumi.Output[str]:
        """The ARN of the identity provider: adopted when the inputs name one, else created."""
        if self._adopts:
            return self._adopted()
        provider = aws.iam.OpenIdConnectProvider(
            f"{self.name}-provider",
            url=self.given.get("issuer") or ISSUER,
            client_id_lists=self.planned.take(lambda plan: list(plan.client_ids)),
            thumbprint_lists=self.given.get("thumbprints") or None,
            tags=self._input("tags"),
            opts=pulumi.ResourceOptions(
                parent=self.owner, retain_on_delete=True if self.given.get("retain_oidc_provider") else None
            ),
        )
        return provider.arn

    @property
    def _adopts(self) -> bool:
        return self.given.get("oidc_provider_arn") is not None

    def _adopted(self) -> pulumi.Output[str]:
        # The parent is what makes the component's AWS provider answer, the one that makes the role.
        found = aws.iam.get_open_id_connect_provider_output(
            arn=self._input("oidc_provider_arn"), opts=pulumi.InvokeOptions(parent=self.owner)
        )

        def check(plan: P, provider: aws.iam.GetOpenIdConnectProviderResult) -> str:
            arn: str = plan.inputs["oidc_provider_arn"]
            audience, client_ids = plan.trust.audience, provider.client_id_lists
            # Mocks answer without client IDs; then there is nothing to judge.
            if client_ids and audience not in client_ids:
                self._refuse(
                    plan,
                    "oidc_provider_arn",
                    arn,
                    f"this provider takes tokens for {', '.join(sorted(client_ids))}; this role's are for {audience}.",
                    "Register the audience: aws iam add-client-id-to-open-id-connect-provider "
                    f"--open-id-connect-provider-arn {arn} --client-id {audience}",
                )
            return arn

        return self.planned.combine(found, check)

    def trust_policy(self, provider_arn: pulumi.Output[str]) -> pulumi.Output[str]:
        """The trust policy, as JSON, measured again now that the provider's real ARN is known."""

        def policy(plan: P, arn: str) -> str:
            if violations := list(policy_limit(plan.inputs, plan.trust, arn)):
                raise InvalidInputs(title(type(self.owner), self.name), violations)
            for warning in set(size_warning(plan.trust, arn)) if not plan.over_quota else ():
                pulumi.log.warn(warning, resource=self.owner)
            return render(trust_policy(plan.trust, arn))

        return self.planned.combine(provider_arn, policy)

    def role(self, policy: pulumi.Output[str]) -> aws.iam.Role:
        """The role with this trust policy, and its permissions."""
        role = aws.iam.Role(
            f"{self.name}-role",
            name=self.given.get("role_name"),
            path=self.given.get("role_path"),
            description=self._input("role_description"),
            permissions_boundary=self._input("permissions_boundary_arn"),
            assume_role_policy=policy,
            max_session_duration=self.planned.take(lambda plan: plan.max_session_seconds),
            force_detach_policies=self.given.get("force_detach_policies"),
            tags=self._input("tags"),
            opts=self._child,
        )
        for index, arn in enumerate(self.given.get("policy_arns") or ()):
            aws.iam.RolePolicyAttachment(
                f"{self.name}-policy-{_policy_name(index, arn)}",
                role=role.name,
                policy_arn=self.planned.item("policy_arns", index),
                opts=self._child,
            )
        for key in self.given.get("inline_policies") or ():
            aws.iam.RolePolicy(
                f"{self.name}-inline-{key}",
                role=role.name,
                name=key,
                policy=self.planned.item("inline_policies", key),
                opts=self._child,
            )
        return role

    def role_arn(self, role: aws.iam.Role, provider_arn: pulumi.Output[str]) -> pulumi.Output[str]:
        """The role's ARN; an adopted provider has to be of the role's account and partition."""
        if not self._adopts:
            return role.arn

        def check(plan: P, arns: Mapping[str, str]) -> str:
            # Mocks may answer without ARNs; then there is nothing to judge.
            if not arns["role"]:
                return arns["role"]
            partition, account, _ = provider_arn_parts(arns["role"])
            if provider_arn_parts(arns["provider"])[:2] != (partition, account):
                self._refuse(
                    plan,
                    "oidc_provider_arn",
                    arns["provider"],
                    f"the role is in account {account} of partition {partition}, and AWS takes tokens only through a "
                    "provider of the role's own account.",
                    "Pass the ARN of that account's provider, or the other account's AWS provider in `opts`.",
                )
            return arns["role"]

        return self.planned.combine(pulumi.Output.all(role=role.arn, provider=provider_arn), check)

    @property
    def _child(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self.owner)

    def _input(self, key: str) -> Any:
        # An Output may turn out None, which is "not given".
        return self.planned.take(lambda plan: plan.inputs.get(key)) if self.given.get(key) else None

    def _refuse(self, plan: P, name: str, value: str, rule: str, fix: str) -> None:
        shown = SECRET if value in plan.secrets else value
        violation = Violation(name, shown, without(plan.secrets, rule), without(plan.secrets, fix))
        raise InvalidInputs(title(type(self.owner), self.name), [violation])


def _policy_name(index: int, arn: Any) -> str:
    """A name that does not change when the list is reordered, where the ARN is known when names are made."""
    if not isinstance(arn, str):
        return str(index)
    digest = hashlib.sha256(arn.encode()).hexdigest()[:8]
    return f"{arn.rpartition('/')[2]}-{digest}"
