"""Definitions, revisions and tags, as the pulumi CLI and the pulumiservice provider ask for them."""

E = "/api/esc/environments"


def test_the_lists_show_what_the_caller_may_see(ask, dev):
    """In all organizations or in one; the last page says that it is the last."""
    name = dev.rsplit("/", 1)[1]
    for path in (E, f"{E}/contoso?continuationToken="):
        listed = ask("GET", path)[2]
        assert name in [each["name"] for each in listed["environments"] if each["organization"] == "contoso"]
        assert listed["nextToken"] == ""
    assert ask("GET", f"{E}/fabrikam")[2] == {"environments": [], "nextToken": ""}


def test_an_environment_without_project_is_in_default(ask):
    """Clients older than projects create it; both ways to read a two-part name work."""
    ask("POST", f"{E}/contoso", {"name": "old"})
    assert ask("GET", f"{E}/contoso/default/old")[0] == 200


def test_a_definition_is_read_with_its_revision(ask, dev):
    """It is raw YAML; a header has the revision, and the ETag is to be sent back."""
    status, headers, body = ask("GET", dev)
    assert (status, body) == (200, "values: {a: 1}")
    assert (headers["Pulumi-ESC-Revision"], headers["ETag"]) == ("2", "2")
    assert headers["Content-Type"] == "application/x-yaml"
    for version in ("2", "latest"):
        assert ask("GET", f"{dev}/versions/{version}")[2] == "values: {a: 1}"


def test_an_outdated_etag_writes_nothing(ask, dev):
    """If the revision is no longer the latest, the answer is 409."""
    status, headers, body = ask("PATCH", dev, "values: {a: 2}", Etag="2")
    assert (status, headers["Pulumi-ESC-Revision"], body) == (200, "3", {})
    status, _, body = ask("PATCH", dev, "values: {a: 3}", Etag="2")
    assert (status, body["code"]) == (409, 409)
    assert ask("PATCH", dev, "values: {}", Etag="x")[0] == 400
    assert ask("GET", dev)[2] == "values: {a: 2}"


def test_a_definition_with_errors_is_not_written(ask, dev):
    """The CLI and the provider report the diagnostics of the 400; the old revision stays."""
    status, _, body = ask("PATCH", dev, "values:\n  a: ${b}\n")
    assert (status, body["code"]) == (400, 400)
    (diagnostic,) = body["diagnostics"]
    assert diagnostic["severity"] == "error"
    assert diagnostic["range"]["begin"]["line"] == 2
    assert f"{E}/contoso/{diagnostic['range']['environment']}" == dev
    assert ask("GET", dev)[1]["Pulumi-ESC-Revision"] == "2"


def test_a_diagnostic_may_have_no_place(ask):
    """Unreadable text has no range, rather than half of one."""
    body = ask("POST", f"{E}/contoso/yaml/check", "a: \x07")[2]
    assert "range" not in body["diagnostics"][0]


def test_unreadable_bodies_are_refused(ask, dev):
    """Definitions must be UTF-8, and settings JSON objects of the right types."""
    assert ask("PATCH", dev, b"values: \xff")[0] == 400
    assert ask("PATCH", f"{dev}/settings", "[]")[0] == 400
    assert ask("PATCH", f"{dev}/settings", {"deletionProtected": "yes"})[0] == 400
    assert ask("POST", f"{dev}/versions/tags", {"name": "x", "revision": True})[0] == 400
    assert ask("GET", f"{dev}/versions?count=many")[0] == 400


def test_the_version_history_comes_in_pages(ask, dev):
    """The client asks again from the last number on until a page is empty."""
    assert [each["number"] for each in ask("GET", f"{dev}/versions?before=0&count=500")[2]] == [2, 1]
    assert ask("GET", f"{dev}/versions?before=1&count=500")[2] == []
    (newest,) = ask("GET", f"{dev}/versions?before=3&count=1")[2]
    assert newest["created"].endswith("Z")


def test_revision_tags_can_be_written_moved_read_and_deleted(ask, dev):
    """`version tag` tries PATCH first and POSTs on 404."""
    tag = f"{dev}/versions/tags/prod"
    assert ask("PATCH", tag, {"revision": 2})[0] == 404
    assert ask("POST", f"{dev}/versions/tags", {"name": "prod", "revision": 2})[0] == 204
    assert ask("PATCH", tag, {"revision": 1})[0] == 204
    assert (ask("GET", tag)[2]["name"], ask("GET", tag)[2]["revision"]) == ("prod", 1)
    assert len(ask("GET", f"{dev}/versions/tags?after=&count=500")[2]["tags"]) == 1
    assert ask("GET", f"{dev}/versions/tags?after=prod&count=500")[2]["tags"] == []
    assert ask("DELETE", tag)[0] == 204


def test_an_outdated_tag_is_a_conflict(ask, dev):
    """`env tag` reads, then POSTs or PATCHes with the old value."""
    tag = f"{dev}/tags/owner"
    assert ask("GET", tag)[0] == 404
    assert ask("POST", f"{dev}/tags", {"name": "owner", "value": "ops"})[2]["value"] == "ops"
    change = {"currentTag": {"name": "", "value": "ops"}, "newTag": {"name": "owner", "value": "dev"}}
    assert ask("PATCH", tag, change)[2]["value"] == "dev"
    assert ask("PATCH", tag, change)[0] == 409
    listed = ask("GET", f"{dev}/tags?after=&count=500")[2]
    assert (list(listed["tags"]), listed["nextToken"]) == (["owner"], "0")
    assert ask("DELETE", tag)[0] == 204


def test_a_protected_environment_cannot_be_deleted(ask, dev):
    """The CLI hints at the protection that the message names."""
    assert ask("GET", f"{dev}/settings")[2] == {"deletionProtected": False}
    assert ask("PATCH", f"{dev}/settings", {"deletionProtected": True})[0] == 204
    status, _, body = ask("DELETE", dev)
    assert (status, "protect" in body["message"]) == (409, True)
    ask("PATCH", f"{dev}/settings", {"deletionProtected": False})
    assert ask("DELETE", dev)[0] == 204


def test_a_clone_stays_in_its_project_by_default(ask, dev):
    """A name that is taken is a conflict."""
    assert ask("POST", f"{dev}/clone", {"name": "cloned", "preserveHistory": True})[0] == 204
    assert ask("GET", f"{E}/contoso/aws/cloned")[1]["Pulumi-ESC-Revision"] == "2"
    assert ask("POST", f"{dev}/clone", {"project": "aws", "name": "cloned"})[0] == 409


def test_the_metadata_has_the_environments_id(ask, dev):
    """The provider reads it after every write."""
    identity = ask("GET", f"{dev}/metadata")[2]["id"]
    ask("PATCH", dev, "values: {}")
    assert ask("GET", f"{dev}/metadata")[2]["id"] == identity
