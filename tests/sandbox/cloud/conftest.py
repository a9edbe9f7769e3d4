"""What the tests of the sandbox's Pulumi Cloud share."""

import pytest

E = "/api/esc/environments"


@pytest.fixture
def dev(ask, request):
    """The path of a new environment with a definition, at revision 2."""
    name = request.node.name.removeprefix("test_").translate({ord("["): "-", ord("]"): None})[:60]
    assert ask("POST", f"{E}/contoso", {"project": "aws", "name": name})[0] == 200
    assert ask("PATCH", f"{E}/contoso/aws/{name}", "values: {a: 1}")[0] == 200
    return f"{E}/contoso/aws/{name}"
