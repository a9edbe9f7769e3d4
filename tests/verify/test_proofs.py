"""`prove`: every shape that the component can emit holds, and every change to one is refuted, as `decide` confirms."""
# ruff: noqa: E501 - tables of cases, one a line

import json
import pickle
import random
import re
from collections import Counter
from contextlib import suppress
from copy import deepcopy
from functools import cache
from itertools import product

import pytest

from esc_oidc.claims import (
    ATTRIBUTES,
    DRIFT_OPERATIONS,
    OPERATIONS,
    TEAM,
    TOKEN_TYPE,
    DefaultSubject,
    deployment_subject,
    subject,
)
from esc_oidc.claims import USER as USER_LOGIN
from esc_oidc.trust import Trust, trust_policy
from esc_oidc.verify import Request, UndefinedBehaviour, automata, compile_policy, decide, prove
from esc_oidc.verify.proofs import MAX_WORK
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
    """Each policy admits exactly its own declaration, and not that of another shape, of which every tenth is tried."""
    before = None
    for number, inputs in enumerate(shapes()):
        trust = plan(inputs).trust
        policy = trust_policy(trust, PROVIDER)
        assert prove(policy, trust).holds, inputs
        if before is not None and number % 10 == 0 and set(before.subjects) != set(trust.subjects):
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
        (conditions(like=[DEV, f"{DEV}:*"]), "aws:contoso", f"{DEV}:pulumi.user.login:a"),
        (conditions(like=f"{LOGIN}*"), "aws:contoso", f"{LOGIN}:pulumi.user.login:a"),
        (conditions(like=[DEV, "*:currentEnvironment.name:aws/dev"]), "aws:contoso", f"{LOGIN}:pulumi.user.login:a:currentEnvironment.name:aws/dev"),
        (conditions(like="*contoso"), "aws:contoso", "pulumi:cmk:pulumi.organization.login:contoso"),
        (conditions(aud="contoso"), "contoso", DEV),
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
    """Every documented token with very short names, shortest subject first."""
    names = ["a", "b"]
    tokens = []
    for org, cloud in product(names, ["", "aws:", "azure:", "gcp:", "doppler:", "infisical:", "snowflake:"]):
        named = ["a/a", "a/b", "b/a", *(names if not cloud else [])]
        subjects = [str(DefaultSubject(org, env)) for env in [*named, "<yaml>"]]
        shared = {
            ATTRIBUTES[0]: named,
            ATTRIBUTES[1]: ["a", "b", "a/a", "a/b", "b/a"],
            "pulumi.organization.login": [org],
        }
        for of_token in (
            {USER_LOGIN: names, TOKEN_TYPE: ["personal"]},
            {USER_LOGIN: [org], TOKEN_TYPE: ["team"], TEAM: names},
            {USER_LOGIN: [org], TOKEN_TYPE: ["organization"]},
        ):
            pairs = [(name, value) for name, values in (shared | of_token).items() for value in values]
            subjects += [subject(org, [pair]) for pair in pairs]
            subjects += [subject(org, two) for two in product(pairs, pairs) if two[0][0] != two[1][0]]
        tokens += [(f"{cloud}{org}", sub) for sub in subjects]
    tokens += [(org, deployment_subject(org, "a", stack, "update")) for org in names for stack in names]
    tokens += [(f"aws:{org}", f"pulumi:cmk:pulumi.organization.login:{org}") for org in names]
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
    compiled = compile_policy(policy)
    proof = prove(policy, Trust(ISSUER, "aws:none", ()))
    admitted = [
        sub for aud, sub in brief_tokens() if compiled.decide(Request({"aud": aud, "sub": sub}, ISSUER)).allowed
    ]
    if proof.holds or not proof.counterexample.documented:
        assert admitted == []
    else:
        assert refuted(policy, Trust(ISSUER, "aws:none", ()))[2]
        assert len(proof.counterexample.subject) == min(map(len, admitted))


@pytest.mark.parametrize(
    "elements",
    [
        {"Action": None, "NotAction": "sts:AssumeRole"},
        {"Condition": {"StringEqualsIgnoreCase": {SUB: DEV}}},
        {"Condition": {"ForAllValues:Null": {SUB: "false"}}},
        {"Condition": {"StringEquals": {f"{SUB[:-3]}amr": "a"}}},
        {"Condition": {"StringEquals": {f"https://{SUB}": DEV}}},
        conditions(f"{DEV}${{aws:username}}"),
        conditions([]),
        {"Principal": {"Federated": [PROVIDER, PROVIDER.replace("1234", "9999")]}},
        {"Resource": "*"},
    ],
    ids=str,
)
def test_other_elements_are_not_proved(elements):
    """Only string operators on `aud` and `sub`, and conditions on the request, are."""
    policy = example(elements)
    policy["Statement"] = [{name: value for name, value in policy["Statement"][0].items() if value is not None}]
    with pytest.raises(UndefinedBehaviour):
        prove(policy, TRUST)


ROLE = f"{LOGIN}:currentEnvironment.name:aws/"
DEPLOY = "pulumi:deploy:org:contoso:project:shop:stack:dev:operation"


ALL_OPERATIONS = Trust(
    ISSUER, "contoso", tuple(f"{DEPLOY}:{each}:scope:write" for each in (*OPERATIONS, *DRIFT_OPERATIONS))
)


@pytest.mark.parametrize(
    ("elements", "trust", "audience", "sub"),
    [
        (conditions(like=[DEV, f"{DEV}@*"]), TRUST, "aws:contoso", f"{DEV}@a"),
        (conditions(like=[DEV, f"{DEV}:pulumi.token.team:"]), TRUST, "aws:contoso", f"{DEV}:pulumi.token.team:"),
        (conditions(like=[DEV, f"{DEV}:pulumi.token.type:"]), TRUST, "aws:contoso", f"{DEV}:pulumi.token.type:"),
        (conditions(like=[DEV, LOGIN]), TRUST, "aws:contoso", LOGIN),
        (conditions(like=[DEV, f"{DEV}:*:pulumi.token.type:team:*:pulumi.token.type:team"]), TRUST, "aws:contoso", None),
    ],
)  # fmt: skip
def test_what_is_only_not_ruled_out_is_said_to_be(elements, trust, audience, sub):
    """Nothing is proved that an undocumented token could refute, and none is shown as if it were documented."""
    found_audience, found_subject, admitted = refuted(example(elements), trust)
    assert (found_audience, admitted) == (audience, True)
    assert sub in {None, found_subject}
    proof = prove(example(elements), trust)
    assert not proof.counterexample.documented
    assert proof.counterexample.invented == ()
    assert "Pulumi documents no such token" in proof.reason


@pytest.mark.parametrize(
    ("elements", "trust", "part", "value"),
    [
        (conditions(like=f"{DEPLOY}:*:scope:write", aud="contoso"), ALL_OPERATIONS, "operation", "a"),
        (conditions(like=[*ALL_OPERATIONS.subjects, f"{DEPLOY}:re?resh:scope:write"], aud="contoso"), ALL_OPERATIONS, "operation", "rearesh"),
        (conditions(aud=["aws:contoso", "vault-2:contoso"]), TRUST, "product in the audience", "vault-2"),
        (conditions(like=[DEV, f"{DEV}:pulumi.token.type:m*"]), TRUST, "pulumi.token.type", "m"),
        (conditions(like=[DEV, f"{DEV}:pulumi.organization.login:f*"]), TRUST, "pulumi.organization.login", "f"),
        (conditions([DEV, "pulumi:environments:org:contoso:env:<baml>"]), TRUST, "subject", "pulumi:environments:org:contoso:env:<baml>"),
        (conditions([DEV, "repo:contoso/app"]), Trust(ISSUER, "aws:contoso", (DEV, "*?")), "subject", "*?"),
        (conditions(aud="contoso"), Trust(ISSUER, "contoso", (DEV,), (f"{DEPLOY}:b*:scope:write",)), "operation", "b"),
    ],
)  # fmt: skip
def test_an_invented_part_is_said_to_be_one(elements, trust, part, value):
    """Where only a word refutes that nobody documents, the counterexample names it, and is no token that exists."""
    refuted(example(elements), trust)
    proof = prove(example(elements), trust)
    (invented,) = proof.counterexample.invented
    assert (invented.part, invented.value) == (part, value)
    assert not proof.counterexample.documented
    assert f"Pulumi documents no {part} {value!r}" in proof.reason
    assert part == "subject" or "admits a token" not in proof.reason


@pytest.mark.parametrize("cloud", ["aws:", "azure:", "gcp:", "doppler:", "infisical:", "snowflake:", ""])
def test_each_guides_audience_is_documented(cloud):
    """Vault's guide writes the organization alone, for an environment in whichever project."""
    policy = example(conditions(aud=["gitlab:contoso", f"{cloud}contoso"]))
    found = prove(policy, Trust(ISSUER, "gitlab:contoso", (DEV,))).counterexample
    assert (found.audience, found.subject, found.documented) == (f"{cloud}contoso", DEV, True)


def test_a_known_operation_is_shown_before_an_invented_one():
    """Pulumi's API names two operations more than the guide: they refute a wildcard, but are not called documented."""
    declared = Trust(ISSUER, "contoso", tuple(f"{DEPLOY}:{each}:scope:write" for each in OPERATIONS))
    for pattern, operation in ((f"{DEPLOY}:*", "detect-drift"), (f"{DEPLOY}:?e*:scope:write", "detect-drift"),
                               (f"{DEPLOY}:*ate*:scope:write", "remediate-drift")):  # fmt: skip
        policy = example(conditions(like=[*declared.subjects, pattern], aud="contoso"))
        assert refuted(policy, declared) == ("contoso", f"{DEPLOY}:{operation}:scope:write", True)
        counterexample = prove(policy, declared).counterexample
        assert not counterexample.documented
        assert counterexample.invented == ()


def test_a_value_that_nobody_can_have_is_not_shown():
    """Of two counterexamples the one that Pulumi documents, though another is as short."""
    yaml, baml = (f"pulumi:environments:org:contoso:env:<{name}>" for name in ("yaml", "baml"))
    assert refuted(example(conditions(baml)), Trust(ISSUER, "aws:contoso", (yaml,)))[1:] == (yaml, False)
    refresh, rebresh = (f"{DEPLOY}:{each}:scope:write" for each in ("refresh", "rebresh"))
    declared = Trust(ISSUER, "contoso", (refresh,))
    assert refuted(example(conditions(rebresh, aud="contoso")), declared) == ("contoso", refresh, False)


UNLESS_AUD = {"Effect": "Deny", "Condition": {"StringNotEquals": {AUD: "aws:contoso"}}}
SESSION = {"StringLike": {"sts:RoleSessionName": "esc-*"}}


@pytest.mark.parametrize(
    "hardening",
    [
        UNLESS_AUD,
        UNLESS_AUD | {"Principal": "*"},
        {"Effect": "Deny", "Condition": {"StringNotLike": {AUD: "aws:con*"}}},
        {"Effect": "Deny", "Condition": {"StringNotEqualsIfExists": {AUD: "aws:contoso", SUB: DEV}}},
        {"Effect": "Deny", "Condition": {"ForAnyValue:StringNotEquals": {SUB: DEV}}},
        {"Effect": "Deny", "Condition": {"Null": {SUB: "true"}}},
        {"Effect": "Deny", "Condition": {"StringNotLike": {SUB: f"{LOGIN}:*"}, "Null": {AUD: "false"}}},
    ],
    ids=str,
)
def test_customary_hardening_is_proved(hardening):
    """A Deny of whatever is not declared changes nothing; a Deny that also meets the declared is found."""
    assert prove({"Statement": [STATEMENT, STATEMENT | hardening]}, TRUST) == prove(example({}), TRUST)
    narrow = json.loads(json.dumps(hardening).replace("contoso", "fabrikam").replace("con*", "fab*"))
    narrow["Condition"].get("Null", {}).pop(SUB, None) and narrow["Condition"].update({"StringEquals": {SUB: DEV}})
    narrow["Condition"] = {name: keys for name, keys in narrow["Condition"].items() if keys}
    assert refuted({"Statement": [STATEMENT, STATEMENT | narrow]}) == ("aws:contoso", DEV, False)


def test_a_deny_that_leaves_only_the_declared_is_proved():
    """A wide Allow and a Deny of all else come to exactly the declaration."""
    wide = STATEMENT | conditions(like="pulumi:*", aud=["aws:contoso", "contoso"])
    denies = [STATEMENT | UNLESS_AUD, STATEMENT | {"Effect": "Deny", "Condition": {"StringNotEquals": {SUB: [DEV]}}}]
    assert prove({"Statement": [wide, *denies]}, TRUST).holds
    assert refuted({"Statement": [wide, denies[1]]}) == ("contoso", DEV, True)
    not_like = {
        "Condition": {
            "StringLike": {SUB: f"{ROLE}*"},
            "StringNotLike": {SUB: f"{ROLE}?*"},
            "StringEquals": {AUD: "aws:contoso"},
        }
    }
    assert not prove(example(not_like), Trust(ISSUER, "aws:contoso", (), (f"{ROLE}*",))).holds


def test_a_condition_on_the_request_only_narrows():
    """Nobody else gets in, and what is declared only under that condition: both are said."""
    condition = conditions(DEV)["Condition"] | SESSION
    proof = prove(example({"Condition": condition}), TRUST)
    assert proof.holds
    assert proof.provided == ("if StringLike on `sts:RoleSessionName` ('esc-*') in statement 0 holds",)
    assert proof.reason.startswith("The policy admits nobody but what is declared")
    assert proof.reason.endswith(f"gets in {proof.provided[0]}.")
    network = {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}, "Bool": {"aws:SecureTransport": "true"}}
    proof = prove({"Statement": [STATEMENT, STATEMENT | {"Effect": "Deny", "Condition": network}]}, TRUST)
    assert proof.holds
    assert proof.provided[0].startswith("unless NotIpAddress on `aws:SourceIp`")
    assert proof.provided[0].endswith("in statement 1 hold")


def test_a_condition_on_the_request_does_not_excuse():
    """What gets in under it and is not declared is a counterexample, and what never gets in is one too."""
    condition = conditions(like=f"{DEV}*")["Condition"]
    condition = condition | {"StringLike": condition["StringLike"] | SESSION["StringLike"]}
    proof = prove(example({"Condition": condition}), TRUST)
    assert proof.counterexample.subject == f"{DEV}a"
    assert "is not declared if StringLike on `sts:RoleSessionName` ('esc-*') in statement 0 holds:" in proof.reason
    never = [
        STATEMENT | {"Condition": conditions(DEV)["Condition"] | SESSION},
        STATEMENT | UNLESS_AUD | {"Condition": {"StringEquals": {SUB: DEV}}},
    ]
    assert refuted({"Statement": never}) == ("aws:contoso", DEV, False)


def test_a_condition_that_another_statement_makes_needless_is_not_named():
    """What is declared gets in by the statement without it, and a Deny of others doesn't touch it."""
    asking = STATEMENT | {"Condition": conditions(DEV)["Condition"] | SESSION}
    others = STATEMENT | {"Effect": "Deny", "Condition": {"StringNotEquals": {SUB: DEV}} | SESSION}
    assert prove({"Statement": [STATEMENT, asking, others]}, TRUST) == prove(example({}), TRUST)


def test_what_nobody_mints_counts_if_it_is_declared():
    """A declared subject of no known form must be admitted all the same, with certainty or on the condition."""
    odd = Trust(ISSUER, "aws:contoso", ("*?",))
    assert prove(example(conditions("*?")), odd).holds
    assert refuted(example({}), odd)[2]
    asking = {"Condition": conditions("*?")["Condition"] | SESSION}
    assert prove(example(asking), odd).provided
    assert refuted(example({"Effect": "Deny"}), odd) == ("aws:contoso", "*?", False)


def test_custom_audiences_are_not_proved():
    """Tokens of the second issuer have any audience, and subjects of identifiers: nothing is claimed about them."""
    with pytest.raises(UndefinedBehaviour, match="custom audiences"):
        prove(example({}), Trust(f"{ISSUER}/v2", "aws:contoso", (DEV,)))


def test_a_proof_has_a_limit(monkeypatch):
    """Beyond it the answer is that there is none, unless a documented token refutes the policy at once."""
    wide = example(conditions(like=[f"{ROLE}a*", f"{ROLE}*b"]))
    almost = Trust(ISSUER, "aws:contoso", (), (f"{ROLE}a*", f"{ROLE}*a?b", f"{ROLE}*b?b", f"{ROLE}b", f"{ROLE}?b"))
    monkeypatch.setattr("esc_oidc.verify.proofs.MAX_WORK", 150)
    with pytest.raises(UndefinedBehaviour, match="Not proved within 150 steps"):
        prove(wide, almost)


MULTI = [f"{ROLE[:-4]}*{letter}*{letter}x*{letter}y*z*" for letter in "abcdefghijklmnop"]
HOSTILE = [
    ("8 of many wildcards", MULTI[:8], MULTI[:7]),
    ("16 of many wildcards", MULTI, MULTI[:15]),
    ("one letter", [f"*{'a*' * 119}b", f"*{'a*' * 118}c"], [f"*{'a*' * 120}b"]),
    ("question marks", [f"*a{'?' * 100}"], [f"*b{'?' * 100}"]),
    ("letters", [f"*{'*'.join('aeiosx'[n % 6 :] + str(n))}?{'?' * n}*" for n in range(20)], ["*a*e*?*", "*?e*a*"]),
]


@pytest.mark.parametrize(("allowed", "declared"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_a_proof_is_bounded_in_what_it_does(allowed, declared, monkeypatch):
    """However patterns overlap, what it does stays near its limit: comparisons and derivatives are counted."""
    done = Counter()

    def counted(name, step):
        def counting(*arguments):
            done[name] += 1
            return step(*arguments)

        return counting

    for name in ("_after", "_includes", "_is_less", "_told_apart", "_at_the_end"):
        monkeypatch.setattr(automata, name, counted(name, getattr(automata, name)))
    policy = example(conditions(like=allowed))
    assert len(json.dumps(policy, separators=(",", ":"))) <= 4096
    with suppress(UndefinedBehaviour):
        assert not prove(policy, Trust(ISSUER, "aws:contoso", (), tuple(declared))).holds
    assert 1000 < done.total() < 2 * MAX_WORK


@pytest.mark.parametrize("length", [255, 256, 400])
def test_a_declared_subject_longer_than_aws_takes_is_refuted(length):
    """AWS refuses it whatever the policy says, so the policy does not admit what is declared."""
    long = f"{DEV}:pulumi.user.login:".ljust(length, "a")
    trust = Trust(ISSUER, "aws:contoso", (DEV, long))
    if length == 255:
        assert prove(example(conditions([DEV, long])), trust).holds
        return
    assert refuted(example(conditions([DEV, long])), trust) == ("aws:contoso", long, False)
    reason = prove(example(conditions([DEV, long])), trust).reason
    assert reason.endswith(f"it has {length} characters, and AWS takes subjects of at most 255.")


def test_no_counterexample_is_longer_than_aws_takes():
    """What a policy lists beyond that lets nobody in, be it a value or a pattern."""
    long = f"{DEV}:pulumi.user.login:{'a' * 250}"
    for also in (long, f"{DEV}:*{'a' * 250}", f"{DEV}:{'?' * 250}"):
        assert prove(example(conditions(like=[DEV, also])), TRUST).holds


@pytest.mark.parametrize(
    ("written", "is_documented", "invented"),
    [(f"{ROLE}prod", True, 0), (f"{ROLE}prod@1", False, 0), ("pulumi:environments:org:contoso:env:<baml>", False, 1)],
)
def test_beyond_its_limit_what_somebody_wrote_is_still_judged(monkeypatch, written, is_documented, invented):
    """A token that stands in the policy refutes it, and is called documented if it is, whatever no search found."""
    monkeypatch.setattr("esc_oidc.verify.proofs._search", unsearched)
    found = prove(example(conditions([DEV, written])), TRUST).counterexample
    assert (found.subject, found.documented, len(found.invented)) == (written, is_documented, invented)


def unsearched(*_):
    """A search that reaches its limit."""
    raise UndefinedBehaviour("Not proved")


@pytest.mark.parametrize("seed", range(4))
def test_random_policies_are_judged_as_decide_judges_them(seed):
    """A proof holds for random tokens and their near misses; a refutation is confirmed, and documented ones exist."""
    chance = random.Random(seed)
    for _ in range(25):
        policy, trust = random_policy(chance), random_trust(chance)
        proof = prove(policy, trust)
        compiled = compile_policy(policy)
        if not proof.holds:
            refuted(policy, trust)
            if proof.counterexample.documented:
                assert is_documented(proof.counterexample.audience, proof.counterexample.subject), proof
        for _ in range(60):
            aud, sub = random_token(chance)
            admitted = compiled.decide(Request({"aud": aud, "sub": sub}, ISSUER)).allowed
            declared = aud == trust.audience and (
                sub in trust.subjects
                or any(re.fullmatch(re.escape(each).replace(r"\*", ".*"), sub) for each in trust.patterns)
            )
            if admitted is not declared:
                assert not proof.holds, (policy, trust, aud, sub)
                if not re.search("^x:|type:machine|operation:b:", f"{aud} {sub}"):
                    assert not proof.counterexample.invented, (policy, trust, aud, sub)
                if is_documented(aud, sub):
                    assert proof.counterexample.documented, (policy, trust, aud, sub)
                    assert len(proof.counterexample.subject) <= len(sub), (policy, trust, aud, sub)


def random_token(chance):
    """A token of two small organizations: of every form, and of some that only a larger reading has."""
    org = chance.choice("ab")
    env = chance.choice(["a", "b", "a/a", "a/b", "b/a", "a/a@b"])
    values = {
        "currentEnvironment.name": env, "rootEnvironment.name": env, "pulumi.user.login": chance.choice("ab"),
        "pulumi.token.type": chance.choice(["personal", "team", "machine"]), "pulumi.token.team": chance.choice(["", "a"]),
        "pulumi.organization.login": org,
    }  # fmt: skip
    pairs = [(name, values[name]) for name in chance.choices([*values], k=chance.randint(0, 3))]
    operation = chance.choice(["update", "preview", "detect-drift", "b"])
    deployment = deployment_subject(org, chance.choice("ab"), "a", operation)
    sub = chance.choice([
        subject(org, pairs), str(DefaultSubject(org, chance.choice([env, "<yaml>"]))), deployment,
        f"pulumi:cmk:pulumi.organization.login:{org}",
    ])  # fmt: skip
    return (org if sub == deployment else f"{chance.choice(['', 'aws:', 'gcp:', 'x:'])}{org}"), sub


def random_pattern(chance, value):
    """A value with pieces replaced by wildcards."""
    for _ in range(chance.randint(0, 3)):
        start = chance.randint(0, len(value))
        value = value[:start] + chance.choice("**?") + value[start + chance.choice([0, 1, 1, 5, 30]) :]
    return value


def random_trust(chance):
    """A declaration of a few subjects and patterns."""
    subjects = [random_token(chance)[1] for _ in range(chance.randint(0, 2))]
    patterns = [random_pattern(chance, random_token(chance)[1]).replace("?", "*") for _ in range(chance.randint(0, 2))]
    return Trust(ISSUER, random_token(chance)[0], tuple(subjects), tuple(each for each in patterns if "*" in each))


def random_policy(chance):
    """One to four statements, with every operator that can be proved."""
    statements = []
    for effect in ["Allow", *chance.choices(["Allow", "Allow", "Deny"], k=chance.randint(0, 3))]:
        condition = {}
        for key, claim in ((AUD, 0), (SUB, 1)):
            for operator in chance.sample(
                ["StringEquals", "StringLike", "StringNotEquals", "StringNotLike"], k=chance.choice([0, 1, 1, 1, 2])
            ):
                values = [random_token(chance)[claim] for _ in range(chance.randint(1, 2))]
                values = [random_pattern(chance, each) for each in values] if "Like" in operator else values
                condition.setdefault(operator, {})[key] = values
        statements.append(STATEMENT | {"Effect": effect, "Condition": condition})
    return {"Version": "2012-10-17", "Statement": statements}


def is_documented(audience, sub):
    """Whether Pulumi documents such a token: the grammar once more, as expressions."""
    cloud, _, org = f"{':' * (':' not in audience)}{audience}".partition(":")
    name, person, who = r"[\w.-]+", r"[\w.@+-]+", re.escape(org)
    if cloud not in {"", "aws", "azure", "gcp", "doppler", "infisical", "snowflake"}:
        return False
    environment = f"{name}/{name}" if cloud else f"(?:{name}/)?{name}"
    if sub.startswith(f"{LOGIN.rpartition(':')[0]}:{org}:") and (pairs := sub.split(":")[4:]):
        values = dict(zip(pairs[::2], pairs[1::2], strict=True))
        team = values.get("pulumi.token.team")
        kinds = {"personal": person, "team": who, "organization": who}
        return len(values) == len(pairs) / 2 and any(
            (team is None or (kind == "team" and re.fullmatch(person, team)))
            and values.get("pulumi.token.type", kind) == kind
            and re.fullmatch(login, values.get("pulumi.user.login", org))
            and re.fullmatch(environment, values.get("currentEnvironment.name", "a/a"))
            and re.fullmatch(f"(?:{name}/)?{name}", values.get("rootEnvironment.name", "a"))
            and values.get("pulumi.organization.login", org) == org
            for kind, login in kinds.items()
        )
    operations = "preview|update|refresh|destroy"
    deployment = rf"pulumi:deploy:org:{who}:project:{name}:stack:{name}:operation:(?:{operations}):scope:write"
    return bool(
        re.fullmatch(rf"pulumi:environments:org:{who}:env:(?:{environment}|<yaml>)", sub)
        or (not cloud and re.fullmatch(deployment, sub))
        or (cloud == "aws" and sub == f"pulumi:cmk:pulumi.organization.login:{org}")
    )


def test_statements_for_others_do_not_matter():
    """A statement for another provider or action may have any conditions."""
    other = {**STATEMENT, "Principal": {"Service": "ec2.amazonaws.com"}, "Condition": {"Bool": {"aws:x": "true"}}}
    assert prove({"Statement": [STATEMENT, other, {**STATEMENT, "Action": "sts:AssumeRole"}]}, TRUST).holds


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
