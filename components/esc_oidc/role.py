"""The provider, the role and its policies, as both components declare them."""

import hashlib
import re
from dataclasses import dataclass
from typing import Final, Generic, TypeVar, cast
from uuid import uuid4
from weakref import WeakKeyDictionary

import pulumi
import pulumi_aws as aws
from pulumi.runtime.proto.resource_pb2_grpc import ResourceMonitorStub
from pulumi.runtime.settings import get_monitor

from .inputs import CREATED_BY, ChildNames, RolePlan, Violation, attachment_name
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
    return _Declaration(owner, ChildNames(name), plan, pulumi.ResourceOptions(parent=owner)).declared()


_CREATING: Final[WeakKeyDictionary[object, set[str]]] = WeakKeyDictionary()
"""The components of this program that declare a provider, by the engine that runs it."""


def _stack() -> str:
    """This stack, as the tag of a provider begins that it made."""
    return f"{pulumi.get_project()}/{pulumi.get_stack()}/"


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
    names: ChildNames
    plan: Planned[P]
    child: pulumi.ResourceOptions

    def declared(self) -> DeclaredRole:
        adopts = "oidc_provider_arn" in self.plan.now.names
        provider_arn = self._adopted_provider() if adopts else self._created_provider()
        role = self._role(self.plan.combine(provider_arn, self._trust_policy))
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
        _CREATING.setdefault(get_monitor(), set()).add(self._creator)
        provider = aws.iam.OpenIdConnectProvider(
            self.names.provider,
            url=plan.issuer,
            client_id_lists=[plan.audience, *plan.additional_audiences],
            thumbprint_lists=self.plan.given.get("thumbprints") or None,
            tags=self._tags or None if keep else {**self._tags, CREATED_BY: self._creator},
            opts=pulumi.ResourceOptions(parent=self.owner, retain_on_delete=keep, hooks=self._explain_existing()),
        )
        return provider.arn

    def _explain_existing(self) -> pulumi.ResourceHookBinding | None:
        engine = get_monitor()
        # Mocks create nothing; and a program with a hook may crash in gRPC when it ends under them.
        if pulumi.runtime.is_dry_run() or not isinstance(engine, ResourceMonitorStub):
            return None

        async def explain(failed: pulumi.ErrorHookArgs) -> bool:
            urn = await self.owner.urn.future()
            if failed.failed_operation == "create" and "EntityAlreadyExists" in failed.errors[0]:
                self.plan.explain(
                    self.owner,
                    f"AWS has an identity provider for {self.plan.now.issuer} already, and allows one per account. If "
                    "this component had another name before, give it an alias of that name. Otherwise, to use the "
                    "provider here, pass its ARN in `oidc_provider_arn`; `aws iam list-open-id-connect-providers` "
                    "shows it. To make it this stack's own, list its other client IDs in `additional_audiences`, "
                    "because all others are removed, and run "
                    f"`pulumi import {failed.type} {failed.name} ARN --parent {self.names.component}={urn}`.",
                )
            return False

        # The engine wants a name that no other hook has, in this process or in the plugin's.
        hook = pulumi.ErrorHook(f"{self.names.provider}-exists-{uuid4().hex}", explain)
        return pulumi.ResourceHookBinding(on_error=[hook])

    @property
    def _tags(self) -> dict[str, pulumi.Input[str]]:
        return {key: self.plan.item("tags", key) for key in self.plan.given.get("tags") or ()}

    def _trust_policy(self, plan: P, provider: str) -> str:
        # A plain ARN of another partition than the provider's: only now is it known, and the role is not yet made.
        if isinstance(provider, str):
            self.plan.refuse(*self.plan.now.of_another_partition(provider, "the provider"))
        return plan.policy(provider).text

    @property
    def _creator(self) -> str:
        """Which component this is, as the value of a tag."""
        creator = f"{_stack()}{type(self.owner).__name__}/{self.names.component}"
        if re.fullmatch(r"[\w .:/=+@-]{1,256}", creator, re.ASCII):
            return creator
        return f"{_stack()}{hashlib.sha256(creator.encode()).hexdigest()[:32]}"

    def _adopted_provider(self) -> pulumi.Output[str]:
        expected = self.plan.seen.expected_provider_arn
        found = _found_provider(expected, self.owner)

        def check(plan: P, arn: str, provider: aws.iam.GetOpenIdConnectProviderResult) -> None:
            client_ids, audience = provider.client_id_lists, plan.known("audience")
            # Mocks answer without tags and client IDs; then there is nothing to judge.
            if self._would_delete((provider.tags or {}).get(CREATED_BY, "")):
                self._judge(
                    arn,
                    f"a component of this very stack made this provider, as its tag `{CREATED_BY}` says, and no "
                    "longer declares it: `pulumi up` would delete it, and every login of the account with it.",
                    "If you have renamed the component, give it an alias and leave this input out. Otherwise take the "
                    "provider out of that component first. To leave it to nobody, set `retain_oidc_provider` there, "
                    "run `pulumi up`, then adopt it. To keep it in this program, declare an "
                    "aws.iam.OpenIdConnectProvider without this tag and with an alias of that component's, and pass "
                    "its ARN. To move it to another stack, run `pulumi state move`, and `pulumi up` there.",
                )
            if client_ids and audience and audience not in client_ids:
                self._judge(
                    arn,
                    f"this provider takes tokens for {', '.join(sorted(client_ids))}; this role's are for {audience}.",
                    "Register the audience: aws iam add-client-id-to-open-id-connect-provider "
                    f"--open-id-connect-provider-arn {arn} --client-id {audience}",
                )

        return self.plan.gated(expected, found, check)

    def _would_delete(self, made_by: str) -> bool:
        """Whether this stack has a provider with this tag that its program does not declare any more."""
        if self.plan.is_from_resource("oidc_provider_arn"):
            # The program declares it, unless this very component has just ceased to.
            return made_by == self._creator
        return made_by.startswith(_stack()) and made_by not in _CREATING.get(get_monitor(), ())

    def _judge(self, provider_arn: str, rule: str, fix: str) -> None:
        """Refuse an adopted provider; but in a preview, only warn if this program may still change it."""
        violation = Violation("oidc_provider_arn", provider_arn, rule, fix)
        if pulumi.runtime.is_dry_run() and self.plan.is_from_resource("oidc_provider_arn"):
            self.plan.doubt(self.owner, violation, "This preview passes, since the update may change the provider.")
        else:
            self.plan.refuse(violation)

    def _role(self, trust_policy: pulumi.Output[str]) -> aws.iam.Role:
        plan = self.plan.seen
        return aws.iam.Role(
            self.names.role,
            name=plan.role_name,
            path=plan.role_path,
            description=plan.role_description,
            permissions_boundary=plan.permissions_boundary_arn,
            assume_role_policy=trust_policy,
            max_session_duration=plan.max_session_seconds,
            force_detach_policies=self.plan.given.get("force_detach_policies"),
            tags=self._tags or None,
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
                self.names.inline(key),
                role=role.name,
                name=key,
                policy=self.plan.item("inline_policies", key),
                opts=self.child,
            )

    def _attachment(
        self, role: aws.iam.Role, key: str, arn: pulumi.Input[str], opts: pulumi.ResourceOptions
    ) -> aws.iam.RolePolicyAttachment:
        return aws.iam.RolePolicyAttachment(self.names.attachment(key), role=role.name, policy_arn=arn, opts=opts)

    def _attachment_alias(self, arn: str) -> pulumi.Alias:
        return pulumi.Alias(name=self.names.attachment(attachment_name(arn)))

    def _same_account(self, _: P, role: object, provider: object) -> None:
        # Mocks may answer with anything; then there is nothing to judge.
        own, trusted = (read_iam_arn(arn) if isinstance(arn, str) else None for arn in (role, provider))
        if (
            own
            and trusted
            and own.is_of_an_account
            and (own.partition, own.account) != (trusted.partition, trusted.account)
        ):
            rule = (
                f"the role is in account {own.account} of partition {own.partition}, and AWS takes tokens only through "
                "a provider of the role's own account."
            )
            fix = "Pass the ARN of that account's provider, or the other account's AWS provider in `opts`."
            self.plan.refuse(Violation("oidc_provider_arn", provider, rule, fix))
