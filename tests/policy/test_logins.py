"""Logins, as the pack finds them in a definition."""

import pytest
from policy.esc_oidc_policy.logins import Login, find_logins

CURRENT, ROOT, USER = "currentEnvironment.name", "rootEnvironment.name", "pulumi.user.login"
SHORT = """\
values:
  aws:
    login:
      fn::open::aws-login:
        oidc: {roleArn: ROLE, sessionName: esc, duration: 1h, subjectAttributes: [currentEnvironment.name]}
"""
LONG = """\
values:
  accounts:
    - fn::open:
        provider: aws-login
        inputs:
          oidc: {roleArn: ROLE, sessionName: esc, duration: 1h, subjectAttributes: [currentEnvironment.name]}
"""


@pytest.mark.parametrize(("definition", "place"), [(SHORT, "aws.login"), (LONG, "accounts[0]")])
def test_logins_are_found_in_both_forms(definition, place):
    """It finds `fn::open::aws-login`, and `fn::open` with a provider, at any place."""
    assert find_logins(definition) == [Login(place, "ROLE", (CURRENT,), "1h", "esc")]


def test_a_short_login_has_escs_defaults():
    """No duration means 2h, no attributes mean none, and `$$` is a dollar."""
    text = "values: {a: {fn::open::aws-login: {oidc: {roleArn: 'R$${x}', sessionName: 'a${b}'}}}}"
    assert find_logins(text) == [Login("a", "R${x}", (), "2h", None)]


@pytest.mark.parametrize(
    "definition",
    [
        "",
        "values: [",
        "values: 1",
        "- values",
        "values: {a: {fn::open::aws-login: {static: {accessKeyId: a}}}}",
        "values: {a: {fn::open::aws-login: 1}}",
        "values: {a: {fn::open::aws-login: {oidc: {sessionName: a}}}}",
        "values: {a: {fn::open::aws-login: {oidc: {roleArn: '${b}'}}}}",
        "values: {a: {fn::open::aws-login: {oidc: {roleArn: '${'}}}}",
        "values: {a: {fn::open::aws-login: {oidc: {roleArn: R, subjectAttributes: '${b}'}}}}",
        "values: {a: {fn::open::aws-login: {oidc: {roleArn: R, subjectAttributes: ['${b}']}}}}",
        "values: {a: {fn::open::gcp-login: {oidc: {roleArn: R}}}}",
        "values: {a: {fn::open: {provider: gcp-login, inputs: {oidc: {roleArn: R}}}}}",
        "values: {a: {fn::open: 1}}",
        "values: {a: &a [*a]}",
        f"values: {'[' * 2000}",
    ],
)
def test_anything_but_a_known_login_over_oidc_is_skipped(definition):
    """Other functions, references and definitions that Pulumi Cloud would refuse are not judged."""
    assert find_logins(definition) == []
