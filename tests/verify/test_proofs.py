"""`prove`: every shape that the component can emit holds, and every change to one is refuted, as `decide` confirms."""
# ruff: noqa: E501 - tables of cases, one a line

import builtins
import pickle
import re
from copy import deepcopy
from functools import cache
from itertools import product

import pytest

from esc_oidc.claims import ATTRIBUTES, default_subject, deployment_subject, subject
from esc_oidc.trust import Trust, trust_policy
from esc_oidc.verify import Request, UndefinedBehaviour, decide, prove
from tests.support.inputs import check, plan
from tests.support.policies import AUD, DEV, LOGIN, PROVIDER, STATEMENT, SUB, conditions, example
from tests.support.shapes import ANY, ANY_IN_PROJECT, ANY_STACK, OMIT, ROOT, USER, shapes

BASE = {"organization": "contoso", "project": "aws", "environment": "dev"}
ISSUER = "https://api.pulumi.com/oidc"
TRUST = Trust(ISSUER, "aws:contoso", (DEV,))
DANGEROUS = [
    {ANY: True},
    {ANY: True, "project": "default"},
    {ANY_IN_PROJECT: True},
    {ANY_IN_PROJECT: True, "allowed_environments": ["gcp/dev", "aws/x"]},
    {ANY_IN_PROJECT: True, "allowed_users": ["alice", "bob"], "allowed_teams": ["ops"]},
    {ANY_IN_PROJECT: True, "allowed_root_environments": ["aws/prod", "default/prod"]},
    {OMIT: True, "subject_attributes": [ROOT]},
    {OMIT: True, "subject_attributes": [USER], "allowed_users": ["alice"]},
    {OMIT: True, "subject_attributes": []},
    {OMIT: True, ANY_STACK: True, "subject_attributes": []},
]


def refuted(policy, trust=TRUST):
    """The counterexample, after `decide` has confirmed it and the declaration has contradicted it."""
    proof = prove(policy, trust)
    assert not proof.holds
    example_ = proof.counterexample
    claims = {"aud": example_.audience, "sub": example_.subject}
    assert decide(policy, Request(claims, trust.issuer)).allowed is example_.admitted
    patterns = [re.escape(pattern).replace(r"\*", ".*") for pattern in trust.patterns]
    declared = example_.audience == trust.audience and (
        example_.subject in trust.subjects or any(re.fullmatch(pattern, example_.subject) for pattern in patterns)
    )
    assert declared is not example_.admitted
    assert repr(example_.subject) in proof.reason
    return example_.audience, example_.subject, example_.admitted


def test_every_shape_that_the_component_emits_holds():
    """Each policy admits exactly its own declaration, and not that of another shape."""
    before = None
    for inputs in shapes():
        trust = plan(inputs).trust
        policy = trust_policy(trust, PROVIDER)
        assert prove(policy, trust).holds, inputs
        if before is not None and set(before.subjects) != set(trust.subjects):
            assert not prove(policy, before).holds
        before = trust


@pytest.mark.parametrize("inputs", DANGEROUS, ids=str)
def test_every_dangerous_shape_holds(inputs):
    """Patterns, too, admit exactly what is declared, and none is the default policy."""
    assert check("esc", BASE | inputs) == []
    trust = plan(BASE | inputs).trust
    policy = trust_policy(trust, PROVIDER)
    assert prove(policy, trust).holds
    refuted(policy)
    refuted(trust_policy(TRUST, PROVIDER), trust)


@pytest.mark.parametrize(
    ("elements", "audience", "sub"),
    [
        (conditions([DEV, f"{LOGIN}:currentEnvironment.name:aws/prod"]), "aws:contoso", f"{LOGIN}:currentEnvironment.name:aws/prod"),
        (conditions(aud=["aws:contoso", "contoso"]), "contoso", DEV),
        (conditions(aud=["aws:contoso", "azure:contoso"]), "azure:contoso", DEV),
        (conditions(like=[DEV, f"{LOGIN}:currentEnvironment.name:aws/d?v"]), "aws:contoso", None),
        (conditions(like=f"{LOGIN}:currentEnvironment.name:aws/*"), "aws:contoso", None),
        (conditions(like=f"{DEV}*"), "aws:contoso", None),
        (conditions(like=[DEV, f"{DEV}:*"]), "aws:contoso", f"{DEV}:pulumi.token.team:"),
        (conditions(like=f"{LOGIN}*"), "aws:contoso", f"{LOGIN}:pulumi.token.team:"),
        (conditions(like=[DEV, "*:currentEnvironment.name:aws/dev"]), "aws:contoso", f"{LOGIN}:pulumi.token.team::currentEnvironment.name:aws/dev"),
        (conditions([DEV, "pulumi:environments:org:contoso:env:<yaml>"]), "aws:contoso", "pulumi:environments:org:contoso:env:<yaml>"),
        (conditions(like="pulumi:*"), "aws:contoso", None),
        ({"Condition": {"StringEquals": {AUD: "aws:contoso"}}}, "aws:contoso", None),
        ({"Condition": {}}, None, None),
        ({"Principal": "*", "Condition": {"StringEquals": {AUD: "aws:contoso"}}}, "aws:contoso", None),
        ({"Condition": {"StringEquals": {SUB: [DEV]}, "StringLike": {AUD: "*:contoso"}}}, None, DEV),
    ],
)  # fmt: skip
def test_a_widened_policy_is_refuted(elements, audience, sub):
    """The counterexample is admitted, with the right audience and the shortest subject."""
    found_audience, found_subject, admitted = refuted(example(elements))
    assert admitted
    assert audience in {None, found_audience}
    assert sub in {None, found_subject}


@pytest.mark.parametrize(
    "elements",
    [
        conditions([f"{LOGIN}:currentEnvironment.name:aws/prod"]),
        conditions(like="pulumi:deploy:*"),
        conditions(aud="contoso"),
        {"Action": "sts:AssumeRole"},
        {"Principal": {"Federated": PROVIDER.replace("api.", "app.")}},
        {"Effect": "Deny"},
        {"Statement": [STATEMENT, {**STATEMENT, "Effect": "Deny", **conditions(like="*aws/d*")}]},
    ],
)
def test_a_narrowed_policy_is_refuted(elements):
    """The counterexample is a declared subject that the policy refuses."""
    trust = Trust(ISSUER, "aws:contoso", (DEV, f"{DEV}:pulumi.user.login:alice"))
    _, sub, admitted = refuted(example(elements), trust)
    assert not admitted
    assert sub == DEV


def test_a_deny_is_part_of_the_proof():
    """A project without one environment isn't the project's pattern; a Deny of others changes nothing."""
    wide = {**STATEMENT, **conditions(like=f"{LOGIN}:currentEnvironment.name:aws/*")}
    deny = {**STATEMENT, "Effect": "Deny", **conditions(f"{LOGIN}:currentEnvironment.name:aws/prod")}
    pattern = Trust(ISSUER, "aws:contoso", (), (f"{LOGIN}:currentEnvironment.name:aws/*",))
    assert prove({"Statement": [wide]}, pattern).holds
    assert refuted({"Statement": [wide, deny]}, pattern)[1:] == (f"{LOGIN}:currentEnvironment.name:aws/prod", False)
    other = {**STATEMENT, "Effect": "Deny", **conditions(like=f"{LOGIN}:currentEnvironment.name:b*")}
    assert prove({"Statement": [wide, other]}, pattern).holds


@cache
def brief_tokens():
    """Every token with very short names, shortest subject first."""
    names, people = ["a", "b"], ["a", "b"]
    environments = ["a", "b", "a/a", "a/b", "b/a"]
    values = {ATTRIBUTES[0]: environments, ATTRIBUTES[1]: environments, ATTRIBUTES[2]: people, ATTRIBUTES[3]: ["a"]}
    values[ATTRIBUTES[4]] = ["", *people]
    logins = [default_subject(name, "default", env) for name, env in product(names, [*environments, "<yaml>"])]
    for name in names:
        for first in ATTRIBUTES:
            for value in values[first]:
                logins.append(subject(name, [(first, value)]))
                for second in set(ATTRIBUTES) - {first}:
                    logins += [subject(name, [(first, value), (second, more)]) for more in values[second]]
    tokens = [(f"{cloud}{sub.split(':')[3]}", sub) for sub in logins for cloud in ("aws:", "", "azure:", "gcp:")]
    tokens += [(name, deployment_subject(name, "a", stack, "update")) for name in names for stack in names]
    return sorted(tokens, key=lambda token: len(token[1]))


@pytest.mark.parametrize("audience", ["a", "aws:a", "aws:*", "*a", "?"])
@pytest.mark.parametrize(
    "pattern",
    ["*", "*:a", "*a/*", "pulumi:environments:*:a:currentEnvironment.name:a/?", "pulumi:environments:org:*:env:b",
     "pulumi:deploy:*", "*pulumi.token.team:", "*pulumi.user.login:b*", "*name:a/a:*name:b/*", "*:env:<*"],
)  # fmt: skip
def test_the_counterexample_is_the_shortest(audience, pattern):
    """Of all tokens with short names, none that the policy admits is shorter."""
    policy = example({"Condition": {"StringLike": {AUD: audience, SUB: pattern}}})
    proof = prove(policy, Trust(ISSUER, "aws:none", ()))
    admitted = [sub for aud, sub in brief_tokens() if decide(policy, Request({"aud": aud, "sub": sub}, ISSUER)).allowed]
    if proof.holds:
        assert admitted == []
    else:
        assert refuted(policy, Trust(ISSUER, "aws:none", ()))[2]
        assert len(proof.counterexample.subject) == min(map(len, admitted))


@pytest.mark.parametrize(
    "elements",
    [
        {"Action": None, "NotAction": "sts:AssumeRole"},
        {"Condition": {"StringNotEquals": {SUB: DEV}}},
        {"Condition": {"StringEqualsIfExists": {SUB: DEV}}},
        {"Condition": {"ForAnyValue:StringEquals": {SUB: DEV}}},
        {"Condition": {**conditions()["Condition"], "IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}},
        {"Condition": {"StringEquals": {f"https://{SUB}": DEV}}},
        conditions(f"{DEV}${{aws:username}}"),
        conditions([]),
        {"Principal": {"Federated": [PROVIDER, PROVIDER.replace("1234", "9999")]}},
        {"Resource": "*"},
    ],
    ids=str,
)
def test_other_elements_are_not_proved(elements):
    """Only Allow and Deny with StringEquals and StringLike on `aud` and `sub` are."""
    policy = example(elements)
    policy["Statement"] = [{name: value for name, value in policy["Statement"][0].items() if value is not None}]
    with pytest.raises(UndefinedBehaviour):
        prove(policy, TRUST)


def test_statements_for_others_do_not_matter():
    """A statement for another provider or action may have any conditions."""
    other = {**STATEMENT, "Principal": {"Service": "ec2.amazonaws.com"}, "Condition": {"Bool": {"aws:x": "true"}}}
    assert prove({"Statement": [STATEMENT, other, {**STATEMENT, "Action": "sts:AssumeRole"}]}, TRUST).holds


def test_without_interegular_the_error_says_what_to_install(monkeypatch):
    """Only patterns need automata; exact policies are proved without the extra."""
    real = builtins.__import__

    def without(name, *arguments, **keywords):
        if name.startswith("interegular"):
            raise ModuleNotFoundError(name)
        return real(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
    assert prove(example({}), TRUST).holds
    with pytest.raises(ModuleNotFoundError, match=re.escape("pip install 'esc-oidc[cli]'")):
        prove(example(conditions(like=f"{DEV}:*")), TRUST)


def test_changing_one_character_anywhere_is_refuted():
    """With any character of a condition's value changed, the policy isn't the declared one."""
    policy = trust_policy(TRUST, PROVIDER)
    for key in (AUD, SUB):
        value = policy["Statement"][0]["Condition"]["StringEquals"][key]
        for place in range(len(value)):
            changed = deepcopy(policy)
            changed["Statement"][0]["Condition"]["StringEquals"][key] = value[:place] + "~" + value[place + 1 :]
            assert refuted(changed) == ("aws:contoso", DEV, False)


def test_a_character_that_no_token_has_admits_nobody():
    """A pattern that contains one is refuted as too narrow, without a crash."""
    policy = {"Version": "2012-10-17", "Statement": [{**STATEMENT, **conditions(like=f"{DEV}*€")}]}
    proof = prove(policy, Trust(ISSUER, "aws:contoso", (DEV,)))
    assert proof.counterexample is not None
    assert proof.counterexample.subject == DEV
    assert not proof.counterexample.admitted


def test_a_proof_is_data():
    """It compares by content and can be pickled, with its counterexample."""
    proof = prove(example(conditions(f"{DEV}x")), TRUST)
    assert pickle.loads(pickle.dumps(proof)) == proof  # noqa: S301 - our own bytes
    assert proof != prove(example({}), TRUST)
