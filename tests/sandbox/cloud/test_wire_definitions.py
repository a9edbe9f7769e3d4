"""Definitions, revisions and tags, as the pulumi CLI and the pulumiservice provider ask for them."""

E = "/api/esc/environments"


def test_lists(ask, dev):
    """Everything the caller may see, and one organization's; the last page says so."""
    name = dev.rsplit("/", 1)[1]
    for path in (E, f"{E}/contoso?continuationToken="):
        listed = ask("GET", path)[2]
        assert name in [each["name"] for each in listed["environments"] if each["organization"] == "contoso"]
        assert listed["nextToken"] == ""
    assert ask("GET", f"{E}/fabrikam")[2] == {"environments": [], "nextToken": ""}


def test_an_environment_without_project_is_in_default(ask):
    """As clients older than projects make it; both ways to read a two-part name answer."""
    ask("POST", f"{E}/contoso", {"name": "old"})
    assert ask("GET", f"{E}/contoso/default/old")[0] == 200


def test_reading_a_definition(ask, dev):
    """Raw YAML with the revision in a header, and as the ETag to send back."""
    status, headers, body = ask("GET", dev)
    assert (status, body) == (200, "values: {a: 1}")
    assert (headers["Pulumi-ESC-Revision"], headers["ETag"]) == ("2", "2")
    assert headers["Content-Type"] == "application/x-yaml"
    for version in ("2", "latest"):
        assert ask("GET", f"{dev}/versions/{version}")[2] == "values: {a: 1}"


def test_writing_with_an_etag(ask, dev):
    """The revision that was read must be the latest; otherwise 409 and nothing is written."""
    status, headers, body = ask("PATCH", dev, "values: {a: 2}", Etag="2")
    assert (status, headers["Pulumi-ESC-Revision"], body) == (200, "3", {})
    status, _, body = ask("PATCH", dev, "values: {a: 3}", Etag="2")
    assert (status, body["code"]) == (409, 409)
    assert ask("PATCH", dev, "values: {}", Etag="x")[0] == 400
    assert ask("GET", dev)[2] == "values: {a: 2}"


def test_writing_a_definition_with_errors(ask, dev):
    """400 with diagnostics, which both the CLI and the provider report; the old revision stays."""
    status, _, body = ask("PATCH", dev, "values:\n  a: ${b}\n")
    assert (status, body["code"]) == (400, 400)
    (diagnostic,) = body["diagnostics"]
    assert diagnostic["severity"] == "error"
    assert diagnostic["range"]["begin"]["line"] == 2
    assert f"{E}/contoso/{diagnostic['range']['environment']}" == dev
    assert ask("GET", dev)[1]["Pulumi-ESC-Revision"] == "2"


def test_diagnostics_without_a_place(ask):
    """Text that can't be read at all has no range, rather than half of one."""
    body = ask("POST", f"{E}/contoso/yaml/check", "a: \x07")[2]
    assert "range" not in body["diagnostics"][0]


def test_bodies_that_cannot_be_read(ask, dev):
    """Definitions must be UTF-8, settings JSON objects of the right types."""
    assert ask("PATCH", dev, b"values: \xff")[0] == 400
    assert ask("PATCH", f"{dev}/settings", "[]")[0] == 400
    assert ask("PATCH", f"{dev}/settings", {"deletionProtected": "yes"})[0] == 400
    assert ask("POST", f"{dev}/versions/tags", {"name": "x", "revision": True})[0] == 400
    assert ask("GET", f"{dev}/versions?count=many")[0] == 400


def test_the_version_history(ask, dev):
    """Asked for again from the last number on until the list is empty."""
    assert [each["number"] for each in ask("GET", f"{dev}/versions?before=0&count=500")[2]] == [2, 1]
    assert ask("GET", f"{dev}/versions?before=1&count=500")[2] == []
    (newest,) = ask("GET", f"{dev}/versions?before=3&count=1")[2]
    assert newest["created"].endswith("Z")


def test_revision_tags(ask, dev):
    """`version tag` tries PATCH first and POSTs on 404; the provider writes, moves, reads and deletes."""
    tag = f"{dev}/versions/tags/prod"
    assert ask("PATCH", tag, {"revision": 2})[0] == 404
    assert ask("POST", f"{dev}/versions/tags", {"name": "prod", "revision": 2})[0] == 204
    assert ask("PATCH", tag, {"revision": 1})[0] == 204
    assert (ask("GET", tag)[2]["name"], ask("GET", tag)[2]["revision"]) == ("prod", 1)
    assert len(ask("GET", f"{dev}/versions/tags?after=&count=500")[2]["tags"]) == 1
    assert ask("GET", f"{dev}/versions/tags?after=prod&count=500")[2]["tags"] == []
    assert ask("DELETE", tag)[0] == 204


def test_tags(ask, dev):
    """`env tag` reads, then POSTs or PATCHes; an old value that is not the present one is a conflict."""
    tag = f"{dev}/tags/owner"
    assert ask("GET", tag)[0] == 404
    assert ask("POST", f"{dev}/tags", {"name": "owner", "value": "ops"})[2]["value"] == "ops"
    change = {"currentTag": {"name": "", "value": "ops"}, "newTag": {"name": "owner", "value": "dev"}}
    assert ask("PATCH", tag, change)[2]["value"] == "dev"
    assert ask("PATCH", tag, change)[0] == 409
    listed = ask("GET", f"{dev}/tags?after=&count=500")[2]
    assert (list(listed["tags"]), listed["nextToken"]) == (["owner"], "0")
    assert ask("DELETE", tag)[0] == 204


def test_deletion_protection(ask, dev):
    """The message names the protection, at which the CLI hints."""
    assert ask("GET", f"{dev}/settings")[2] == {"deletionProtected": False}
    assert ask("PATCH", f"{dev}/settings", {"deletionProtected": True})[0] == 204
    status, _, body = ask("DELETE", dev)
    assert (status, "protect" in body["message"]) == (409, True)
    ask("PATCH", f"{dev}/settings", {"deletionProtected": False})
    assert ask("DELETE", dev)[0] == 204


def test_cloning(ask, dev):
    """Into the same project when none is given; a name that is taken is a conflict."""
    assert ask("POST", f"{dev}/clone", {"name": "cloned", "preserveHistory": True})[0] == 204
    assert ask("GET", f"{E}/contoso/aws/cloned")[1]["Pulumi-ESC-Revision"] == "2"
    assert ask("POST", f"{dev}/clone", {"project": "aws", "name": "cloned"})[0] == 409


def test_metadata(ask, dev):
    """The provider reads the environment's id after every write."""
    identity = ask("GET", f"{dev}/metadata")[2]["id"]
    ask("PATCH", dev, "values: {}")
    assert ask("GET", f"{dev}/metadata")[2]["id"] == identity
