"""The sandbox's Pulumi Cloud, asked by pulumi-esc-sdk."""

import pytest
from pulumi_esc_sdk import Configuration, EscClient, exceptions, models

from esc_oidc.tokens import Opener


def test_a_definition_comes_back_as_it_was_written(client, make):
    """To the byte, with comments and empty lines."""
    yaml = "# why\nvalues:\n  environmentVariables: {A: '1'}\n\n"
    make(client, "read", "dev", yaml)
    definition, raw = client.get_environment("contoso", "read", "dev")
    assert raw.decode() == yaml
    assert definition.values.environment_variables == {"A": "1"}


def test_a_typed_definition_can_be_written_and_opened(client):
    """The definition is the SDK's own model."""
    client.create_environment("contoso", "typed", "dev")
    values = models.EnvironmentDefinitionValues(environment_variables={"A": "b"})
    client.update_environment("contoso", "typed", "dev", models.EnvironmentDefinition(values=values))
    assert client.open_and_read_environment("contoso", "typed", "dev")[1] == {"environmentVariables": {"A": "b"}}


def test_opened_values_have_the_sdks_shapes(client, make):
    """Texts, numbers, lists, objects and secrets."""
    yaml = "values: {t: x, n: 5, l: [1, {a: b}], o: {k: true}, s: {fn::secret: hush}, z: null}"
    make(client, "open", "dev", yaml)
    environment, values, _ = client.open_and_read_environment("contoso", "open", "dev")
    assert values == {"t": "x", "n": 5, "l": [1, {"a": "b"}], "o": {"k": True}, "s": "hush", "z": None}
    assert environment.properties["s"].secret is True


def test_one_property_can_be_read_by_its_path(client, make):
    """A path may have names, quoted names and indices; the SDK sends a double slash."""
    make(client, "property", "dev", 'values: {a: {"x.y": [1, {c: deep}]}}')
    identity = client.open_environment("contoso", "property", "dev").id
    read = client.read_open_environment_property
    assert read("contoso", "property", "dev", identity, 'a["x.y"][1].c')[1] == "deep"
    for path in ("a.b", "a[0]", "a.x[9]"):
        with pytest.raises(exceptions.NotFoundException):
            read("contoso", "property", "dev", identity, path)
    with pytest.raises(exceptions.BadRequestException):
        read("contoso", "property", "dev", identity, "a[")


def test_imports_can_be_pinned(client, make):
    """An environment opens with the values of those it imports, at the latest or a given revision."""
    make(client, "imports", "base", "values: {a: 1}")
    client.update_environment_yaml("contoso", "imports", "base", "values: {a: 2}")
    make(client, "imports", "dev", "imports: [imports/base]\nvalues: {b: '${a}'}")
    make(client, "imports", "pinned", "imports: [imports/base@2]")
    assert client.open_and_read_environment("contoso", "imports", "dev")[1] == {"a": 2, "b": 2}
    assert client.open_and_read_environment("contoso", "imports", "pinned")[1] == {"a": 1}


def test_a_definition_with_errors_is_not_stored(client, make):
    """The update fails with diagnostics, and the old definition stays."""
    make(client, "errors", "dev", "values: {a: 1}")
    for bad, words in (("values: {a: '${b}'}", "b"), ("imports: [errors/none]", "not found"), ("a: [", "")):
        with pytest.raises(exceptions.BadRequestException) as caught:
            client.update_environment_yaml("contoso", "errors", "dev", bad)
        assert words in caught.value.data.diagnostics[0].summary
    assert client.get_environment("contoso", "errors", "dev")[1] == b"values: {a: 1}"


def test_a_check_returns_values_or_diagnostics(client):
    """The SDK never raises an exception for them."""
    good = client.check_environment_yaml("contoso", "values: {a: {b: 1}, l: ['${a.b}'], s: {fn::secret: hush}}")
    assert good.diagnostics is None
    assert good.properties["s"].value == "[secret]"
    assert list(good.exprs["a"].object) == ["b"]
    bad = client.check_environment_yaml("contoso", "values: {a: '${nothing}'}")
    assert "nothing" in bad.diagnostics[0].summary
    assert bad.diagnostics[0].range.begin.line == 1


def test_secrets_are_encrypted_at_rest(client, make):
    """A definition is read as ciphertext or decrypted; writing ciphertext back keeps the secret."""
    make(client, "secret", "dev", "values:\n  s:\n    fn::secret: hush\n")
    raw = client.get_environment("contoso", "secret", "dev")[1].decode()
    assert "hush" not in raw
    assert "ciphertext" in raw
    client.update_environment_yaml("contoso", "secret", "dev", raw + "  t: 1\n")
    assert "hush" in client.decrypt_environment("contoso", "secret", "dev")[1]
    assert client.open_and_read_environment("contoso", "secret", "dev")[1] == {"s": "hush", "t": 1}


def test_the_sdk_lists_reads_opens_and_tags_revisions(client, make):
    """A tag names a revision."""
    make(client, "revisions", "dev", "values: {a: 1}")
    client.update_environment_yaml("contoso", "revisions", "dev", "values: {a: 2}")
    at = ("contoso", "revisions", "dev")
    client.create_environment_revision_tag(*at, "stable", 2)
    listed = client.list_environment_revisions(*at)
    assert [(each.number, each.tags, each.creator_login) for each in listed] == [
        (3, [], "alice"),
        (2, ["stable"], "alice"),
        (1, [], "alice"),
    ]
    assert [each.number for each in client.list_environment_revisions(*at, before=3, count=1)] == [2]
    assert client.get_environment_at_version(*at, "stable")[1] == b"values: {a: 1}"
    assert client.open_and_read_environment_at_version(*at, "stable")[1] == {"a": 1}
    client.update_environment_revision_tag(*at, "stable", 3)
    assert client.get_environment_revision_tag(*at, "stable").revision == 3
    assert [each.name for each in client.list_environment_revision_tags(*at).tags] == ["stable"]
    client.delete_environment_revision_tag(*at, "stable")
    with pytest.raises(exceptions.NotFoundException):
        client.get_environment_revision_tag(*at, "stable")


def test_the_sdk_creates_lists_renames_and_deletes_tags(client):
    """These are tags of the environment."""
    client.create_environment("contoso", "tags", "dev")
    at = ("contoso", "tags", "dev")
    assert client.create_environment_tag(*at, "owner", "ops").editor_login == "alice"
    assert client.get_environment_tag(*at, "owner").value == "ops"
    assert client.update_environment_tag(*at, "owner", "ops", "team", "dev").name == "team"
    listed = client.list_environment_tags(*at)
    assert ({name: tag.value for name, tag in listed.tags.items()}, listed.next_token) == ({"team": "dev"}, "0")
    client.delete_environment_tag(*at, "team")
    with pytest.raises(exceptions.NotFoundException):
        client.get_environment_tag(*at, "team")


def test_a_clone_is_listed_until_it_is_deleted(client, make):
    """The original stays beside it."""
    make(client, "clone", "dev", "values: {a: 1}")
    client.create_environment_tag("contoso", "clone", "dev", "owner", "ops")
    options = {"preserve_history": True, "preserve_environment_tags": True}
    client.clone_environment("contoso", "clone", "dev", "clone", "copy", options)
    assert client.get_environment_tag("contoso", "clone", "copy", "owner").value == "ops"
    listed = client.list_environments("contoso")
    assert [each.name for each in listed.environments if each.project == "clone"] == ["copy", "dev"]
    assert listed.next_token == ""
    client.delete_environment("contoso", "clone", "copy")
    with pytest.raises(exceptions.NotFoundException):
        client.get_environment("contoso", "clone", "copy")


def test_an_environment_that_exists_cannot_be_created(client):
    """The second creation is a conflict."""
    client.create_environment("contoso", "twice", "dev")
    with pytest.raises(exceptions.ApiException) as caught:
        client.create_environment("contoso", "twice", "dev")
    assert caught.value.status == 409


def test_strangers_find_nothing(sandbox):
    """An unknown token is unauthorized, and a member of another organization sees nothing."""
    stranger = EscClient(Configuration(host=sandbox.cloud_url, access_token="pul-0"))
    with pytest.raises(exceptions.UnauthorizedException):
        stranger.list_environments("contoso")
    token = sandbox.access_token(Opener("eve"), ["fabrikam"])
    with pytest.raises(exceptions.NotFoundException):
        EscClient(Configuration(host=sandbox.cloud_url, access_token=token)).list_environments("contoso")
