"""Environments, their revisions and tags, and who may see them."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from esc_oidc.sandbox.access_tokens import AccessTokens
from esc_oidc.sandbox.names import (
    AlreadyExists,
    EditConflict,
    InvalidRequest,
    NotFound,
    Protected,
    Reference,
)
from esc_oidc.sandbox.store import EnvironmentStore
from esc_oidc.sandbox.vault import Vault
from esc_oidc.tokens import Opener

DEV = Reference("contoso", "aws", "dev")


@pytest.fixture
def store():
    """A store with one environment at revision 3."""
    store = EnvironmentStore()
    store.create(DEV, "alice")
    store.update(DEV, "values: {a: 1}\n\n", "alice")
    store.update(DEV, "values: {a: 2}", "bob")
    return store


def test_definitions_are_kept_verbatim(store):
    """Every revision comes back to the byte, by number and as the latest."""
    assert store.revision(DEV, "1").yaml == ""
    assert store.revision(DEV, "2").yaml == "values: {a: 1}\n\n"
    assert (store.revision(DEV).number, store.revision(DEV).creator) == (3, "bob")


@pytest.mark.parametrize("version", ["0", "4", "99999999999999999999", "stable", "²"])
def test_a_revision_that_is_not_there(store, version):
    """A number out of range and an unknown tag are not found."""
    with pytest.raises(NotFound):
        store.revision(DEV, version)


def test_revisions_are_listed_from_newest_to_oldest(store):
    """In pages that end before a number."""
    assert [each.number for each in store.revisions(DEV)] == [3, 2, 1]
    assert [each.number for each in store.revisions(DEV, before=3, count=1)] == [2]
    assert store.revisions(DEV, before=1) == []


def test_an_edit_of_an_old_revision_is_refused(store):
    """Whoever expected another revision must read again, and nothing was written."""
    with pytest.raises(EditConflict, match="at revision 3, not 2"):
        store.update(DEV, "values: {}", "carol", expected=2)
    assert store.update(DEV, "values: {}", "carol", expected=3) == 4


def test_names_are_taken_once(store):
    """A second environment of the same name is refused."""
    with pytest.raises(AlreadyExists, match="contoso/aws/dev already exists"):
        store.create(DEV, "bob")


def test_deletion_protection(store):
    """A protected environment stays until the protection is off."""
    store.protect(DEV, protected=True)
    with pytest.raises(Protected):
        store.delete(DEV)
    store.protect(DEV, protected=False)
    store.delete(DEV)
    with pytest.raises(NotFound, match="contoso/aws/dev not found"):
        store.revision(DEV)


def test_a_recreated_environment_is_another(store):
    """Its identity changes though the name does not."""
    before = store.summary(DEV).identity
    store.delete(DEV)
    store.create(DEV, "alice")
    assert store.summary(DEV).identity != before


def test_environments_are_listed_by_organization(store):
    """In the order of their names, nobody else's among them."""
    for reference in (Reference("contoso", "app", "x"), Reference("fabrikam", "aws", "dev")):
        store.create(reference, "alice")
    assert [str(each.reference) for each in store.summaries(("contoso",))] == ["contoso/app/x", "contoso/aws/dev"]


def test_revision_tags(store):
    """A tag names a revision, moves, and goes; `latest` is always there."""
    store.tag_revision(DEV, "stable", 2, "alice")
    assert store.revision(DEV, "stable").number == 2
    store.move_revision_tag(DEV, "stable", 3, "bob")
    assert (store.revision_tag(DEV, "stable").value, store.revision_tag(DEV, "stable").editor) == (3, "bob")
    assert store.revision_tag(DEV, "latest").value == 3
    store.untag_revision(DEV, "stable")
    assert store.revision_tags(DEV) == []


@pytest.mark.parametrize(
    ("name", "revision", "error"),
    [("latest", 1, InvalidRequest), ("7", 1, InvalidRequest), ("a/b", 1, InvalidRequest), ("ok", 9, NotFound)],
)
def test_revision_tags_that_cannot_be(store, name, revision, error):
    """`latest`, numbers and bad names are taken, and a tag needs its revision."""
    with pytest.raises(error):
        store.tag_revision(DEV, name, revision, "alice")


def test_labels_page_by_name(store):
    """Tags come in the order of their names, after the one that was seen last."""
    for name in "cab":
        store.tag_revision(DEV, name, 1, "alice")
    assert [each.name for each in store.revision_tags(DEV, after="a", count=1)] == ["b"]
    with pytest.raises(AlreadyExists):
        store.tag_revision(DEV, "a", 1, "alice")


def test_tags_are_renamed_and_keep_their_age(store):
    """A renamed tag is the same tag; a name that is taken is refused."""
    with store.tags(DEV) as tags:
        created = tags.create("owner", "ops", "alice").created
        tags.create("stage", "dev", "alice")
        renamed = tags.change("owner", "bob", value="dev-ops", new_name="team")
        assert (renamed.name, renamed.value, renamed.editor, renamed.created) == ("team", "dev-ops", "bob", created)
        with pytest.raises(AlreadyExists):
            tags.change("team", "bob", value="x", new_name="stage")
        tags.delete("team")
        with pytest.raises(NotFound):
            tags.get("team")


def test_a_clone_takes_along_what_it_is_told_to(store):
    """The definition alone becomes revision 2; history and tags come when asked for."""
    with store.tags(DEV) as tags:
        tags.create("owner", "ops", "alice")
    store.tag_revision(DEV, "stable", 2, "alice")
    bare, full = Reference("contoso", "aws", "bare"), Reference("contoso", "aws", "full")
    store.clone(DEV, bare, "bob")
    store.clone(DEV, full, "bob", {"history", "tags", "revision tags"})
    assert (store.revision(bare).number, store.revision(bare).yaml) == (2, "values: {a: 2}")
    assert store.revision(full, "stable").yaml == "values: {a: 1}\n\n"
    with store.tags(bare) as none, store.tags(full) as some:
        assert ([each.name for each in none.page()], [each.value for each in some.page()]) == ([], ["ops"])
    with pytest.raises(InvalidRequest, match="preserve the history"):
        store.clone(DEV, Reference("contoso", "aws", "x"), "bob", {"revision tags"})


def test_updates_from_many_threads_lose_nothing(store):
    """Every update gets a number of its own."""
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda number: store.update(DEV, str(number), "alice"), range(200)))
    assert sorted(numbers) == list(range(4, 204))


@pytest.mark.parametrize(
    ("text", "path", "version"),
    [("aws/dev", "aws/dev", "latest"), ("dev", "default/dev", "latest"), ("aws/dev@3", "aws/dev", "3")],
)
def test_the_text_of_an_import(text, path, version):
    """The project is `default` and the version the latest unless it says otherwise."""
    reference, read = Reference.parse("contoso", text)
    assert (reference.path, read) == (path, version)


@pytest.mark.parametrize("text", ["", "a/b/c", "a/", "/b", "a b", "a/b@", "..", "a/.", "<yaml>", "é/x", "a/b\n"])
def test_text_that_cannot_be_an_import(text):
    """Anything else is refused."""
    with pytest.raises(InvalidRequest):
        Reference.parse("contoso", text)


def test_access_tokens_know_their_caller():
    """A token is good for its organizations; one that nobody issued is nobody's."""
    access = AccessTokens()
    alice = access.issue(Opener("alice"), ["contoso", "fabrikam"])
    ops = access.issue(Opener("contoso", "team", "ops"))
    assert access.caller(alice).organizations == ("contoso", "fabrikam")
    assert access.caller(ops).organizations == ("contoso",)
    assert access.caller("pul-0") is None


@pytest.mark.parametrize(
    ("opener", "organizations"), [(Opener("alice"), ()), (Opener("contoso", "organization"), ("fabrikam",))]
)
def test_access_tokens_that_cannot_be(opener, organizations):
    """A person needs an organization; an organization's token is good for that one only."""
    with pytest.raises(InvalidRequest, match="token"):
        AccessTokens().issue(opener, organizations)


@pytest.mark.parametrize(
    "definition",
    [
        "values:\n  # why\n  p:\n    fn::secret: s3cr3t\n  q: {fn::secret: 'it''s'}\n",
        'values:\n  p:\n    fn::secret: |\n      two\n      lines\n  q:\n    - fn::secret: "x"\n',
        "values: {}\n",
        "values: {p: {fn::secret: {not: text}}}\n",
        "values: [unclosed, fn::secret: x",
    ],
)
def test_secrets_leave_as_ciphertext_and_come_back(definition):
    """The plain text is gone from what goes out, all else is as it was, and the way back gives the same values."""
    vault = Vault()
    concealed = vault.conceal(definition)
    assert "s3cr3t" not in concealed
    assert "lines" not in concealed
    assert ("# why" in concealed) == ("# why" in definition)
    assert vault.conceal(definition) == concealed
    assert vault.conceal(vault.reveal(concealed)) == concealed


def test_a_block_of_ciphertext_comes_back_too():
    """The form in which Pulumi Cloud writes ciphertext is read; somebody else's ciphertext stays."""
    vault = Vault()
    mine = vault.encrypt("s3cr3t")
    block = f"values:\n  p:\n    fn::secret:\n      ciphertext: {mine}\n  q: 1\n"
    assert vault.reveal(block) == 'values:\n  p:\n    fn::secret:\n      "s3cr3t"\n  q: 1\n'
    assert vault.reveal(block.replace(mine, "AAAA")) == block.replace(mine, "AAAA")
