"""Environments, their revisions, their tags and their secrets."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from esc_oidc.sandbox.esc import (
    Conflict,
    EnvironmentRef,
    EnvironmentStore,
    InvalidRequest,
    NotFound,
    Vault,
    read_import,
)
from esc_oidc.sandbox.folder import Folder

DEV = EnvironmentRef("contoso", "aws", "dev")


@pytest.fixture
def store():
    """A store with one environment at revision 3."""
    store = EnvironmentStore(Folder())
    store.create(DEV, "alice")
    store.update(DEV, "values: {a: 1}\n\n", "alice")
    store.update(DEV, "values: {a: 2}", "bob")
    return store


def test_definitions_are_kept_verbatim(store):
    """Every revision comes back byte for byte, by its number and as the latest."""
    assert store.revision(DEV, "1").yaml == ""
    assert store.revision(DEV, "2").yaml == "values: {a: 1}\n\n"
    assert (store.revision(DEV).number, store.revision(DEV).creator) == (3, "bob")


@pytest.mark.parametrize("version", ["0", "4", "99999999999999999999", "stable", "²"])
def test_a_missing_revision_is_not_found(store, version):
    """Neither a number out of range nor an unknown tag names one."""
    with pytest.raises(NotFound):
        store.revision(DEV, version)


def test_an_edit_of_an_old_revision_is_refused(store):
    """The editor must read again, and nothing was written."""
    with pytest.raises(Conflict, match="at revision 3, not 2"):
        store.update(DEV, "values: {}", "carol", expected=2)
    assert store.update(DEV, "values: {}", "carol", expected=3) == 4


def test_names_are_taken_once(store):
    """A second environment of the same name is refused."""
    with pytest.raises(Conflict, match="contoso/aws/dev already exists"):
        store.create(DEV, "bob")


def test_a_protected_environment_cannot_be_deleted(store):
    """It stays until the protection is off."""
    with store.edit(DEV) as environment:
        environment.deletion_protected = True
    with pytest.raises(Conflict, match="protected from deletion"):
        store.delete(DEV)
    with store.edit(DEV) as environment:
        environment.deletion_protected = False
    store.delete(DEV)
    with pytest.raises(NotFound, match="contoso/aws/dev not found"):
        store.revision(DEV)


def test_a_recreated_environment_is_another(store):
    """Its identity changes, though its name doesn't."""
    with store.edit(DEV) as environment:
        before = environment.identity
    store.delete(DEV)
    store.create(DEV, "alice")
    with store.edit(DEV) as environment:
        assert environment.identity != before


def test_environments_are_listed_by_organization(store):
    """They come in the order of their names, without those of other organizations."""
    for ref in (EnvironmentRef("contoso", "app", "x"), EnvironmentRef("fabrikam", "aws", "dev")):
        store.create(ref, "alice")
    assert [str(each.ref) for each in store.list(("contoso",))] == ["contoso/app/x", "contoso/aws/dev"]


def test_a_revision_tag_can_be_moved_and_removed(store):
    """`latest` is always there."""
    with store.edit(DEV) as environment:
        environment.tag_revision("stable", 2, "alice")
        assert environment.revision("stable").number == 2
        environment.tag_revision("stable", 3, "bob", move=True)
        moved = environment.revision_tag("stable")
        assert (moved.value, moved.editor) == (3, "bob")
        assert environment.revision_tag("latest").value == 3
        environment.revision_tags.delete("stable")
        assert environment.revision_tags.page() == []


@pytest.mark.parametrize(
    ("name", "revision", "error"),
    [("latest", 1, InvalidRequest), ("7", 1, InvalidRequest), ("a/b", 1, InvalidRequest), ("ok", 9, NotFound)],
)
def test_impossible_revision_tags_are_refused(store, name, revision, error):
    """`latest`, numbers and bad names can't be tags, and a tag needs a revision."""
    with store.edit(DEV) as environment, pytest.raises(error):
        environment.tag_revision(name, revision, "alice")


def test_tags_are_paged_by_name(store):
    """They come in the order of their names, after the last one that was seen."""
    with store.edit(DEV) as environment:
        for name in "cab":
            environment.tag_revision(name, 1, "alice")
        assert [each.name for each in environment.revision_tags.page(after="a", count=1)] == ["b"]
        with pytest.raises(Conflict):
            environment.tag_revision("a", 1, "alice")


def test_a_renamed_tag_keeps_its_age(store):
    """A name that is taken is refused."""
    with store.edit(DEV) as environment:
        tags = environment.tags
        created = tags.create("owner", "ops", "alice").created
        tags.create("stage", "dev", "alice")
        renamed = tags.change("owner", "bob", value="dev-ops", new_name="team")
        assert (renamed.name, renamed.value, renamed.editor, renamed.created) == ("team", "dev-ops", "bob", created)
        with pytest.raises(Conflict):
            tags.change("team", "bob", value="x", new_name="stage")
        tags.delete("team")
        with pytest.raises(NotFound):
            tags.get("team")


def test_a_clone_copies_what_is_asked_for(store):
    """The definition alone becomes revision 2; history and tags come on request."""
    with store.edit(DEV) as environment:
        environment.tags.create("owner", "ops", "alice")
        environment.tag_revision("stable", 2, "alice")
    bare, full = EnvironmentRef("contoso", "aws", "bare"), EnvironmentRef("contoso", "aws", "full")
    store.clone(DEV, bare, "bob")
    store.clone(DEV, full, "bob", {"history", "tags", "revision tags"})
    assert (store.revision(bare).number, store.revision(bare).yaml) == (2, "values: {a: 2}")
    assert store.revision(full, "stable").yaml == "values: {a: 1}\n\n"
    with store.edit(bare) as one, store.edit(full) as other:
        assert ([each.name for each in one.tags.page()], [each.value for each in other.tags.page()]) == ([], ["ops"])
    with pytest.raises(InvalidRequest, match="preserve the history"):
        store.clone(DEV, EnvironmentRef("contoso", "aws", "x"), "bob", {"revision tags"})


def test_updates_from_many_threads_lose_nothing(store):
    """Every update gets its own number."""
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda number: store.update(DEV, str(number), "alice"), range(200)))
    assert sorted(numbers) == list(range(4, 204))


@pytest.mark.parametrize(
    ("text", "path", "version"),
    [("aws/dev", "aws/dev", "latest"), ("dev", "default/dev", "latest"), ("aws/dev@3", "aws/dev", "3")],
)
def test_an_import_names_project_environment_and_version(text, path, version):
    """Without them the project is `default` and the version the latest."""
    ref, read = read_import("contoso", text)
    assert (ref.path, read) == (path, version)


@pytest.mark.parametrize("text", ["", "a/b/c", "a/", "/b", "a b", "a/b@", "..", "a/.", "<yaml>", "é/x", "a/b\n"])
def test_any_other_text_is_no_import(text):
    """It is refused."""
    with pytest.raises(InvalidRequest):
        read_import("contoso", text)


@pytest.mark.parametrize(
    "definition",
    [
        "values:\n  # why\n  p:\n    fn::secret: s3cr3t\n  q: {fn::secret: 'it''s'}\n",
        'values:\n  p:\n    fn::secret: |\n      two\n      lines\n  q:\n    - fn::secret: "x"\n',
        "values: {}\n",
        "values: {p: {fn::secret: {not: text}}}\n",
        "values: {p: {fn::secret: {ciphertext: [a]}}}\n",
        "values: [unclosed, fn::secret: x",
    ],
)
def test_secrets_leave_as_ciphertext_and_come_back(definition):
    """Nothing else changes on the way out, and the way back gives the same values."""
    vault = Vault()
    concealed = vault.conceal(definition)
    assert "s3cr3t" not in concealed
    assert "lines" not in concealed
    assert ("# why" in concealed) == ("# why" in definition)
    assert vault.conceal(definition) == concealed
    assert vault.conceal(vault.reveal(concealed)) == concealed


def test_pulumi_clouds_form_of_ciphertext_is_read():
    """Ciphertext of somebody else stays as it is."""
    vault = Vault()
    mine = vault.encrypt("s3cr3t")
    block = f"values:\n  p:\n    fn::secret:\n      ciphertext: {mine}\n  q: 1\n"
    assert vault.reveal(block) == 'values:\n  p:\n    fn::secret:\n      "s3cr3t"\n  q: 1\n'
    assert vault.reveal(block.replace(mine, "AAAA")) == block.replace(mine, "AAAA")
