"""Inline policies by IAM's grammar."""

import json

import pulumi
import pytest

from tests.support.deploying import deploy
from tests.support.environment_refusals import BASE
from tests.support.inputs import check, plan
from tests.support.programs import INLINE, esc_login

STATEMENT = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def policy(**changed):
    """A policy of one statement with some elements changed; `...` leaves one out."""
    return {"Statement": [{key: value for key, value in (STATEMENT | changed).items() if value is not ...}]}


ACCEPTED = [
    {"Statement": STATEMENT},
    {"Version": "2008-10-17", "Id": "a b", "Statement": [STATEMENT, STATEMENT]},
    policy(Sid="", Effect="Deny", Action=["*", "iam:Get*"], Resource=["arn:aws:s3:::a/${aws:username}"]),
    policy(Action=..., NotAction="iam:*", Resource=..., NotResource=["arn:aws:s3:::a"]),
    policy(Condition={}),
    policy(Condition={"Bool": {"aws:SecureTransport": True}, "NumericLessThan": {"a:b": [1, 2.5]}}),
    policy(Condition={"StringLike": {"aws:x": ["é", "a\tb"]}}),
]
REFUSED = [
    ({"Statement": {"a"}}, "Object of type set is not JSON serializable"),
    ("[]", "it must be a JSON object with a `Statement`"),
    ('"Allow"', "it must be a JSON object with a `Statement`"),
    ({"Version": "2012-10-17"}, "it must be a JSON object with a `Statement`"),
    ({"Statement": []}, "must have at least one statement"),
    ({"Statement": ["a"]}, "`Statement[0]` must be a JSON object"),
    ({"Statement": STATEMENT, "Version": "2012-10-18"}, "`2012-10-17` and `2008-10-17`"),
    ({"Statement": STATEMENT, "Version": []}, "`2012-10-17` and `2008-10-17`"),
    ({"Statement": STATEMENT, "Id": 1}, "`Id` must be a string"),
    (
        {"Statement": STATEMENT, "version": "2012-10-17"},
        "must not have the element 'version' (did you mean `Version`?)",
    ),
    ({"Statement": STATEMENT, "X": 1}, "must not have the element 'X'"),
    ({"Statement": [STATEMENT | {"Sid": "a"}] * 2}, "must not have the `Sid` of another statement"),
    (policy(Effect="allow"), "`Effect` in `Statement[0]` must be `Allow` or `Deny`, exactly so"),
    (policy(Effect=...), "`Allow` or `Deny`"),
    (policy(Effect=[]), "`Allow` or `Deny`"),
    (policy(Principal="*"), "must not have a `Principal`"),
    (policy(NotPrincipal={"AWS": "*"}), "must not have a `NotPrincipal`"),
    (policy(action="*"), "must not have the element 'action' (did you mean `Action`?)"),
    (policy(Action=...), "must have either `Action` or `NotAction`"),
    (policy(NotAction="*"), "must have either `Action` or `NotAction`"),
    (policy(Resource=...), "must have either `Resource` or `NotResource`"),
    (policy(Action=[]), "`Action` in `Statement[0]` must be one string or a list"),
    (policy(Action="GetObject"), "written like `s3:GetObject`"),
    (policy(Action=[1]), "written like `s3:GetObject`"),
    (policy(Resource="bucket"), "`*` or ARNs"),
    (policy(Resource="arn:aws:s3"), "`*` or ARNs"),
    (policy(Condition={"StringEqual": {"a": "b"}}), "must not have 'StringEqual', which is no condition operator"),
    (json.dumps(policy()).replace('"*"', "1e999"), "1e999 is too large a number"),
    (policy(Resource=None), "`*` or ARNs"),
    (policy(Sid="a b"), "letters and digits only"),
    (policy(Sid=1), "letters and digits only"),
    (policy(Condition=[]), "`Condition` in `Statement[0]` must be a JSON object of operators"),
    (policy(Condition={"Bool": "x"}), "`Condition` in `Statement[0]` must be a JSON object of operators"),
    (policy(Condition={"Bool": {"a:b": None}}), "'a:b' in `Condition`"),
    (policy(Condition={"Bool": {"a:b": []}}), "'a:b' in `Condition`"),
    (policy(Condition={"Bool": {"a:b": "\u0141"}}), "only Latin-1"),
    (INLINE.replace("*", "arn:\\u0141"), "only Latin-1"),
    (INLINE.replace("*", "arn:\\ud800"), "only Latin-1"),
    (INLINE.replace("*", "arn:\x7f\u2028"), "only Latin-1"),
    ('{"Statement":[],' + INLINE[1:], "the key 'Statement' stands twice"),
    (INLINE.replace('"*"', '"*","Resource":"arn:a"'), "the key 'Resource' stands twice"),
    (INLINE.replace('"*"', "NaN"), "NaN is not a number"),
    (INLINE.replace('"*"', "-Infinity"), "-Infinity is not a number"),
    (INLINE + INLINE, "It is not JSON"),
    ("\ufeff" + INLINE, "It is not JSON"),
    ("9" * 5000, "It is not JSON"),
]


@pytest.mark.parametrize("document", ACCEPTED, ids=str)
def test_a_policy_of_the_grammar_is_accepted(document):
    """As JSON and as a dict, which comes to the same."""
    for given in (document, json.dumps(document)):
        assert check("esc", BASE | {"inline_policies": {"a": given}}) == []
        assert json.loads(plan(BASE | {"inline_policies": {"a": given}}).inline_policies["a"]) == document


@pytest.mark.parametrize(("document", "said"), REFUSED, ids=lambda each: str(each)[:40])
def test_what_the_grammar_does_not_have_is_refused(document, said):
    """The first thing wrong is named, with its place."""
    (violation,) = check("esc", BASE | {"inline_policies": {"a": document}})
    assert violation.input == "inline_policies['a']"
    assert said in str(violation)


def with_output(resource):
    """A program whose policy has an Output for a resource."""
    return esc_login(inline_policies=lambda: {"a": policy(Resource=[pulumi.Output.from_input(resource)])})


def test_outputs_may_stand_in_a_dict():
    """The document is written when they are known."""
    deployed = deploy(with_output("arn:aws:s3:::bucket"))
    assert deployed.error is None
    assert json.loads(deployed.one("RolePolicy").inputs["policy"]) == policy(Resource=["arn:aws:s3:::bucket"])


@pytest.mark.parametrize(("resource", "said"), [("bucket", "ARNs"), (float("inf"), "can't be written as JSON")])
def test_a_dict_with_outputs_is_judged_when_they_are_known(resource, said):
    """Nothing is sent before."""
    deployed = deploy(with_output(resource))
    assert "inline_policies['a'] = " in str(deployed.error)
    assert said in str(deployed.error)
    assert deployed.of("Role") == []


@pytest.mark.parametrize("wrap", [pulumi.Output.from_input, pulumi.Output.secret])
def test_an_output_may_come_to_a_dict(wrap):
    """It reaches AWS as JSON, as a plain dict does."""
    deployed = deploy(esc_login(inline_policies=lambda: {"extra": wrap(json.loads(INLINE))}))
    assert deployed.error is None
    plain = deploy(esc_login(inline_policies={"extra": json.loads(INLINE)})).one("RolePolicy").inputs["policy"]
    assert plain in str(deployed.one("RolePolicy").inputs["policy"])


def test_a_condition_has_the_operators_of_aws():
    """In any case, with `IfExists` and the set operators, as AWS takes them."""
    operators = ["StringNotEqualsIgnoreCase", "ForAllValues:StringLikeIfExists", "bool", "NotIpAddress", "Null"]
    operators += ["NumericLessThanEquals", "DateGreaterThan", "BinaryEquals", "ArnNotLike"]
    assert (
        check("esc", BASE | {"inline_policies": {"a": policy(Condition={name: {"k": "v"} for name in operators})}})
        == []
    )
