"""What can be recovered from what exists, and why the rest can't."""

import json
import os
import random
import re
from dataclasses import replace

import pytest
import yaml

from esc_oidc.environment import environment_definition
from esc_oidc.live import (
    Adoption,
    Existing,
    LiveProvider,
    LiveRole,
    NotAdoptable,
    RoleDetails,
    Wishes,
    adopt,
    find_login,
    provider_arn_of,
    role_arn_of,
)
from esc_oidc.live import adoption as room
from esc_oidc.verify import Proof, UndefinedBehaviour, prove
from tests.support.adopting import CASES, PROVIDER_ARN, ROLE_ARN, adopted, case_of, existing, parse
from tests.support.policies import BAD, conditions, example
from tests.support.shapes import ANY, ANY_IN_PROJECT, ANY_STACK, CURRENT, OMIT, USER, shapes

# tests/conftest.py chooses a new seed for each run, and prints it when a test fails; set it to repeat that run.
SEED = int(os.environ["ESC_OIDC_SEED"])

ADOPTED = [case for case in CASES if "inputs" in case]
REFUSED = [case for case in CASES if "refused" in case]


def named(case):
    return case["name"] if case["name"] not in {"the same, narrowed", "the same, with consent"} else None


@pytest.mark.parametrize("case", ADOPTED, ids=named)
def test_a_set_up_is_said_with_the_inputs_of_the_component(case):
    """Those that a person would write, and what the first update changes for whom."""
    found = adopted(case)
    project, environment = case.get("environment", "aws/dev").split("/")
    base = {"organization": "contoso", "project": project, "environment": environment, "role_name": "esc"}
    expected = {**base, "oidc_provider_arn": PROVIDER_ARN, **case["inputs"]}
    assert found.inputs == {name: value for name, value in expected.items() if value is not None}
    environment = found.environment
    changes = {
        "role": found.rewrites_policy,
        "layout": environment.new_layout and not environment.changes,
        "login": bool(environment.changes),
    }
    assert [name for name, changed in changes.items() if changed] == case.get("next", [])
    assert environment.comments == case.get("comments", 0)
    assert list(environment.more) == case.get("left", [])
    for name in ("gained", "respelled", "lost"):
        subjects, patterns = getattr(found, name), case.get(name, [])
        assert len(subjects) == len(patterns), (name, subjects)
        for subject, pattern in zip(subjects, patterns, strict=True):
            assert re.fullmatch(pattern, subject)
    assert found.closes_audiences == case.get("closes_audiences", False)
    assert set(case.get("rules", [])) <= set(found.rules)


@pytest.mark.parametrize("case", REFUSED, ids=named)
def test_what_can_not_be_said_is_refused_with_every_reason(case):
    """In the order in which they were found, each with what to do instead."""
    with pytest.raises(NotAdoptable) as raised:
        adopted(case)
    whats = [each.what for each in raised.value.reasons]
    for pattern in case["refused"]:
        assert any(re.search(pattern, what) for what in whats), (pattern, whats)
    assert len(whats) == len(case["refused"]), whats
    assert all(each.offer.endswith((".", "contoso")) for each in raised.value.reasons)


def test_the_table_is_long_enough():
    """Twenty set-ups and more, each with where it comes from."""
    assert len(CASES) >= 20
    assert all(case["source"] for case in CASES)


def made_by(inputs):
    """What exists once a component with these inputs is deployed."""
    plan = parse({**inputs, "role_name": "esc"}).plan
    text = environment_definition(plan.login, ROLE_ARN)
    details = RoleDetails(
        plan.role_description or "",
        plan.permissions_boundary_arn or "",
        plan.tags,
        plan.policy_arns,
        plan.inline_policies,
    )
    return Existing(
        plan.organization,
        plan.project,
        plan.environment,
        text,
        find_login(text),
        LiveRole(ROLE_ARN, plan.policy(PROVIDER_ARN).text, plan.max_session_seconds),
        details,
        LiveProvider(PROVIDER_ARN, (plan.audience,), ()),
    )


BASE = {"organization": "contoso", "project": "aws", "environment": "dev"}
DOCUMENT = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}'
MORE = [
    {**BASE, ANY: True},
    {**BASE, ANY_IN_PROJECT: True, "allowed_environments": ["gcp/dev"], "allowed_users": ["alice"]},
    {**BASE, "subject_attributes": [], OMIT: True, "allowed_environments": ["aws/qa", "gcp/x"]},
    {**BASE, "subject_attributes": [], OMIT: True, ANY_STACK: True},
    {**BASE, "subject_attributes": [USER], OMIT: True, "allowed_users": ["alice", "bob"]},
    {**BASE, "subject_attributes": [USER, CURRENT], "allowed_users": ["alice"]},
    {
        **BASE,
        "role_description": "x",
        "permissions_boundary_arn": "arn:aws:iam::aws:policy/ReadOnlyAccess",
        "policy_arns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        "max_session_duration": "8h",
        "duration": "90m",
        "session_name": "${context.pulumi.user.login}",
        "session_policy_arns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        "tags": {"a": "b", "c": ""},
        "inline_policies": {"x": json.loads(DOCUMENT)},
    },
    {
        **BASE,
        "export_environment_variables": False,
        "region": "eu-west-1",
        "environment_variables": {
            "A": "$$ ${aws.login.accessKeyId}",
            "AWS_ACCESS_KEY_ID": "x${context.rootEnvironment.name}",
        },
        "pulumi_config": {"app:a": "1", 'app:m["x.\\"y"].z': "yes", "app:l[0]": "a", "app:l[1].b": "c"},
        "imports": ["aws/base@3", "aws/more"],
    },
    {**BASE, "environment_variables": {"AWS_REGION": "eu-west-1"}, "pulumi_config": {"aws:region": "us-east-1"}},
]


SAMPLE = [each for each in random.Random(SEED).sample(list(shapes()), 120) if not parse(each).violations]


@pytest.mark.parametrize("given", [*MORE, *SAMPLE], ids=lambda _: "")
def test_what_the_component_made_is_recovered(given):
    """Its inputs come back, the policy and the definition stay as they are, letter by letter."""
    found = made_by(given)
    back = adopt(found, Wishes(), parse)
    described = dict(back.inputs)
    assert described.pop("oidc_provider_arn") == PROVIDER_ARN
    assert described.pop("role_name") == "esc"
    assert described == given
    assert (back.rewrites_policy, back.gained, back.respelled, back.lost) == (False, (), (), ())
    assert back.environment.is_imported
    assert not back.environment.new_layout


def test_a_policy_that_can_not_be_proved_is_refused(monkeypatch):
    """A guess alone is never written."""

    def unproved(*_):
        raise UndefinedBehaviour("AWS does not define it.")

    monkeypatch.setattr(room, "prove", unproved)
    with pytest.raises(NotAdoptable, match=r"who gets in can't be proved: AWS does not define it\."):
        adopted(CASES[0])


def test_a_proof_that_says_nothing_more_is_a_refusal(monkeypatch):
    """Nothing is written that is not the same, even if no token shows the difference."""
    monkeypatch.setattr(room, "prove", lambda *_: Proof(False, None, "It differs.", ()))
    with pytest.raises(NotAdoptable, match=r"the component would admit others: It differs\."):
        adopted(CASES[0])


def test_a_role_that_the_login_refers_to_may_be_known():
    """The user has named it; the login stays its owner's."""
    text = existing(CASES[0]).definition.replace(ROLE_ARN, "${imports.x.role}")
    found = replace(existing(CASES[0]), definition=text, login=find_login(text))
    assert adopt(found, Wishes(), parse).inputs["create_environment"] is False


def test_a_provider_that_was_not_read_is_not_imported():
    """Otherwise it is said, and no more."""
    found = replace(existing(CASES[0]), provider=None)
    assert adopt(found, Wishes(), parse).notes
    with pytest.raises(NotAdoptable, match="so it can't be imported"):
        adopt(found, Wishes(import_provider=True), parse)


def test_a_policy_that_narrows_nothing_is_written_as_it_is():
    """With or without --narrow the exact lists stay."""
    case = case_of("Pulumi's guide, the environment and the user")
    narrow = adopt(existing(case), Wishes(narrow=True), parse)
    assert narrow.inputs == adopted(case).inputs
    assert (narrow.gained, narrow.lost) == ((), ())


def test_narrowing_admits_nobody_who_is_kept_out_today():
    """An environment that the policy lacks needs consent all the same."""
    case = case_of("the policy lacks this environment")
    with pytest.raises(NotAdoptable, match="lacks this environment"):
        adopt(existing(case), Wishes(narrow=True), parse)
    named = {**case, "login": [{"sessionName": "pulumi-esc"}, {"duration": "1h"}]}
    with pytest.raises(NotAdoptable, match="lacks this environment"):
        adopt(existing(named), Wishes(narrow=True), parse)


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        ("", None, "holds no login of its own"),
        ("imports: [aws/login, aws/x]", None, "holds no login of its own"),
        ("values: {aws: {fn::open::aws-login: {static: {}}}}", None, "at aws has static credentials"),
        (
            "values: {a: {fn::open::aws-login: {oidc: {}}}, b: {fn::open::aws-login: {oidc: {}}}}",
            None,
            "the environment has 2 logins: a, b",
        ),
        ("values: {a: {fn::open::aws-login: {oidc: {}}}}", "b", "there is no login at b"),
    ],
)
def test_an_environment_without_one_login_is_refused(text, path, said):
    """The message says which there are, and where the login may be."""
    with pytest.raises(NotAdoptable, match=said):
        find_login(text, path)


def test_a_login_is_found_by_its_path():
    """Its role is known if the definition says it."""
    text = "values: {a: {fn::open::aws-login: {oidc: {roleArn: x}}}, b: {fn::open::aws-login: {oidc: {}}}}"
    assert role_arn_of(find_login(text, "a")) == "x"
    assert role_arn_of(find_login(text, "b")) is None


def test_the_provider_is_the_one_that_may_be_pulumis():
    """None if there are none, or several."""
    assert provider_arn_of(json.dumps(CASES[0]["policy"])) == PROVIDER_ARN
    assert provider_arn_of("no policy") is None
    assert provider_arn_of(json.dumps(case_of("several providers of Pulumi Cloud")["policy"])) is None


def test_no_value_of_a_secret_is_said():
    """Neither of one that Pulumi Cloud keeps, nor of one that only looks like it."""
    for name in ("more than the login, with secrets", "a variable that looks like a credential"):
        said = repr(adopted(case_of(name)))
        assert not re.search("ciphertext|hunter2|AKIA", said)


WEBHOOKS = ["hooks.slack.com/services/T0/B0/x", "discord.com/api/webhooks/1/x", "x.webhook.office.com/webhookb2/x"]
PASSWORDS = [
    "postgres://u:hunter2@h",
    "redis://:hunter2@h:6379/0",
    "https://u:${aws.login.accessKeyId}hunter2@h",
    "http://u@x:hun/t:er@2@h",
]
QUERIES = ["token=x", "a=b&access_token=x", "api-key=x", "sig=x", "X-Amz-Signature=x", "key=x", "password=x", "code=x"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("DBURL", each) for each in PASSWORDS),
        *(("POST_TO", f"https://{each}") for each in WEBHOOKS),
        *(("LINK", f"https://h/p?{each}") for each in QUERIES),
        ("CALLBACK", "https://hooks.example.com/1"),
        ("BOT", "https://api.telegram.org/bot1:x/send"),
        ("ERRORS", "https://0123456789abcdef0123456789abcdef@o1.ingest.sentry.io/1"),
        ("CLONE", "git+https://u:hunter2@github.com/a/b"),
        ("JDBC", "jdbc:postgresql://h/db?user=u&password=hunter2"),
        ("SQL", "Server=h;User Id=u;Password=hunter2;"),
        ("LIBPQ", "host=h password=hunter2"),
        ("STORAGE", "AccountName=a;AccountKey=hunter2=="),
        ("SETTINGS", '{"user": "u", "password": "hunter2"}'),
        ("HEADER", "Authorization: Bearer 0123456789abcdef"),
        ("JWT", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x"),
        ("CI", "glpat-0123456789abcdef"),
        ("CHAT", "xoxb-0123456789-abcdef"),
        ("PAY", "sk_live_0123456789abcdef"),
        ("DB_PWD", "hunter2"),
        ("DB_PASS", "hunter2"),
        ("SIGNING_KEY", "hunter2"),
        ("SENTRY_DSN", "https://k@h/1"),
        ("CONNECTION_STRING", "hunter2"),
        ("SLACK_WEBHOOK", "T0/B0/x"),
    ],
)
def test_what_looks_like_a_credential_is_not_copied(name, value):
    """The environment stays its owner's, and the value is said nowhere."""
    for place in ("environmentVariables", "pulumiConfig"):
        found = holding(place, {f"app:{name}" if place == "pulumiConfig" else name: value})
        assert len(found.environment.more) == 1
        assert found.environment.more[0].endswith(f"{name}, which looks like a credential")
        assert value not in repr(found)


def test_a_credential_may_be_anywhere_under_its_name():
    """In an object, or in a list."""
    for value in ({"value": "hunter2"}, ["hunter2"], [{"a": "hunter2"}]):
        assert holding("pulumiConfig", {"app:dbPassword": value}).environment.more


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DBURL", "postgres://h:5432/db"),
        ("DBURL", "postgres://u@h/db"),
        ("DBURL", "postgres://u:${db.password}@h/db"),
        ("REGISTRY", "https://h:5000/image@sha256:0"),
        ("LINK", "https://h/p?page=2&monkey=1"),
        ("LINK", "https://h/p?token=${app.token}"),
        ("CLONE", "git@github.com:contoso/app.git"),
        ("DB_PASSWORD", "${db.password}"),
        ("PATH", "/usr/bin:/bin"),
        ("COMPASS", "north"),
        ("NOTE", "Basic setup, see https://example.com/hooks, or passing: yes"),
        ("DB_PASSWORD", ""),
    ],
)
def test_what_is_no_credential_is_adopted(name, value):
    """A place without a password, a reference to one, and what only sounds like it."""
    values = {"app": {"token": "${context.pulumi.user.login}"}, "db": {"password": "${context.pulumi.user.login}"}}
    found = holding("environmentVariables", {name: value}, values)
    assert not [each for each in found.environment.more if "credential" in each]


def holding(place, content, values=None):
    """The adoption of an environment that holds this besides its login."""
    text = existing(CASES[0]).definition
    document = yaml.safe_load(text)
    document["values"].setdefault(place, {}).update(content)
    document["values"].update(values or {})
    text = yaml.safe_dump(document)
    return adopt(replace(existing(CASES[0]), definition=text, login=find_login(text)), Wishes(), parse)


LOGINS = [[], [{"subjectAttributes": [CURRENT]}], [{"subjectAttributes": [USER]}]]


@pytest.mark.parametrize(("elements", "rule"), [(elements, rule) for _, elements, rule in BAD])
@pytest.mark.parametrize("login", LOGINS, ids=["by name", "current", "user"])
def test_bad_policies_are_refused_or_said_as_they_are(elements, rule, login):
    """Whatever `lint` reports: either there is a reason, or a proof; narrowed, nobody gets in who does not today."""
    policy = example(elements)
    case = {"login": [{"sessionName": "pulumi-esc"}, {"duration": "1h"}, *login], "policy": policy}
    found = outcome(case)
    if isinstance(found, Adoption):
        proof = prove(policy, found.plan.trust)
        assert proof.holds or (found.notes and not proof.counterexample.documented) or "cmk" in found.notes[0]
        assert (found.gained, found.lost) == ((), ())
    narrow = outcome({**case, "wishes": {"narrow": True}})
    if isinstance(narrow, Adoption):
        assert not narrow.gained or narrow.plan.attributes != found_attributes(login)
        assert not any(name.startswith("dangerously_") for name in narrow.inputs), rule


def outcome(case):
    """What becomes of a case, or the reasons, of which there is at least one."""
    try:
        return adopted(case)
    except NotAdoptable as refusal:
        return refusal.reasons[0]


def found_attributes(login):
    return tuple(login[0]["subjectAttributes"]) if login else ()


OWN = "pulumi:environments:pulumi.organization.login:contoso:currentEnvironment.name"


@pytest.mark.parametrize(
    "like",
    [
        f"{OWN}:aws/dev:*:pulumi.user.login:alice",
        f"{OWN}:*:rootEnvironment.name:aws/app:pulumi.user.login:al*",
        [
            f"{OWN}:aws/dev:rootEnvironment.name:aws/dev:pulumi.user.login:alice",
            "pulumi:environments:org:contoso:env:*",
        ],
    ],
)
def test_narrowing_opens_to_nobody_else(like):
    """Where a pattern keeps some out, and the narrower inputs would not, that needs consent."""
    listed = [CURRENT, "rootEnvironment.name", USER]
    case = {
        "login": [{"sessionName": "pulumi-esc"}, {"duration": "1h"}, {"subjectAttributes": listed}],
        "policy": example(conditions(like=like)),
        "wishes": {"narrow": True},
    }
    with pytest.raises(NotAdoptable, match="some do not get in today who would: the component would add"):
        adopted(case)
    assert adopted({**case, "wishes": {"narrow": True, "accept_widening": True}}).gained
