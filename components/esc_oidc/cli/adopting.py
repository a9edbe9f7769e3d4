"""`esc-oidc adopt`: brings an existing role and environment under a PulumiEscOidc, without making them anew."""

import json
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from .. import inputs
from ..definitions import BadDefinition, LoginBlock
from ..inputs import printable
from ..live import (
    Adoption,
    AwsAccounts,
    BadImportFile,
    CloudError,
    Existing,
    LiveProvider,
    LiveRole,
    NotAdoptable,
    PulumiCloud,
    Reason,
    RoleDetails,
    Unreadable,
    Wishes,
    access_of,
    adopt,
    check_depth,
    filled_in,
    find_login,
    project_files,
    provider_arn_of,
    replace_file,
    resources,
    role_arn_of,
    write_folder,
)
from .output import Style, console, fail, print_json
from .reading import text_of
from .verdicts import Verdicts

_PARTS: Final = 3
_CODE: Final = "     "
"""What begins a line of a step that is to be pasted."""

_SHOWN: Final = 3
"""How many subjects and places are named without --verbose."""


@dataclass(frozen=True)
class Request:
    """What to adopt, and how.

    Attributes:
        reference: The environment, ``ORG/PROJECT/ENV``.
        role: The role's name or ARN, where the login doesn't say it.
        login: The path of the login, where there are several.
        name: The component's name.
        out: The folder to write.
        import_file: A file of `pulumi preview --import-file`, to fill in instead.
        wishes: What else differs from the default.
        definition: A file with the definition, to read nothing from Pulumi Cloud.
        role_json: A file with the role, to read nothing from AWS.
        profiles: Profiles of the AWS configuration.
        api_url: Where Pulumi Cloud is.
    """

    reference: str
    role: str | None
    login: str | None
    name: str
    out: Path | None
    import_file: Path | None
    wishes: Wishes
    definition: str | None
    role_json: str | None
    profiles: Sequence[str]
    api_url: str | None


def adopt_environment(request: Request, style: Style) -> int:
    """Write the program and the import file, or say every reason why not. Gives the exit status, 1 if there are any."""
    parts = _parts(request.reference)
    if bool(request.definition) != bool(request.role_json):
        fail("--definition and --role-json go together: without them, both are read from where they are.")
    if request.out and request.import_file:
        fail("--out writes a new program, and --import-file fills in the file of one that exists: give one of them.")
    parsed = inputs.parse_environment(_arguments(), request.name, _base(parts))
    if parsed.violations:
        fail(str(parsed.violations[0]))
    folder = request.out or Path(f"{parts[1]}-{parts[2]}")
    if not request.import_file and os.path.lexists(folder):
        fail(f"{folder} exists already, and nothing is overwritten: name a new folder with --out.")
    try:
        existing, revision = _existing(request, parts)
        adoption = _adopted(existing, request, request.wishes)
    except NotAdoptable as refusal:
        _print_reasons(request.reference, refusal.reasons, style)
        return 1
    except (BadDefinition, CloudError, Unreadable) as error:
        fail(printable(f"{request.reference}: {error}"))
    report = _Report(request, existing, revision, adoption, folder)
    try:
        report.write()
    except OSError as error:
        fail(f"{error.filename or folder}: {error.strerror or error}.")
    except BadImportFile as error:
        fail(f"{request.import_file}: {error}")
    if not style.is_text:
        print_json(report.as_json())
    else:
        report.print(style)
    return 0


def _arguments() -> type:
    from ..component import PulumiEscOidcArgs  # noqa: PLC0415 - imports Pulumi

    return PulumiEscOidcArgs


def _parts(reference: str) -> tuple[str, str, str]:
    parts = reference.split("/")
    if len(parts) != _PARTS:
        fail(f"{printable(reference)}: write ORG/PROJECT/ENV.")
    return parts[0], parts[1], parts[2]


def _base(parts: tuple[str, str, str]) -> dict[str, str]:
    # With a role's name, so that the component's needs to be none.
    return dict(zip(("organization", "project", "environment"), parts, strict=True), role_name="x")


def _adopted(existing: Existing, request: Request, wishes: Wishes) -> Adoption:
    return adopt(existing, wishes, partial(inputs.parse_environment, _arguments(), request.name))


# What there is


def _existing(request: Request, parts: tuple[str, str, str]) -> tuple[Existing, str]:
    """What there is, and the environment's revision; empty if it is not known."""
    organization, project, environment = parts
    if request.definition and request.role_json:
        text, revision = text_of(request.definition), ""
    else:
        cloud = PulumiCloud(*access_of(os.environ, request.api_url))
        revision = cloud.revision(organization, f"{project}/{environment}")
        text = cloud.definition(organization, f"{project}/{environment}", revision)
    login = find_login(text, request.login)
    read = _from_file if request.role_json else _from_aws
    return read(request, Existing(*parts, text, login, LiveRole("", "", 0), _NOTHING)), revision


_NOTHING: Final = RoleDetails("", "", {}, (), {})


def _from_aws(request: Request, found: Existing) -> Existing:
    accounts = AwsAccounts(request.profiles)
    arn = _role_arn(request, found.login)
    if arn == request.role and not arn.startswith("arn:"):
        arn = accounts.role_arn(arn) or fail(f"--role {printable(arn)}: there is no such role in this account.")
    role, details = accounts.role(arn), accounts.details(arn)
    if role is None or details is None:
        fail(f"{printable(arn)}: there is no such role.")
    provider_arn = provider_arn_of(role.policy)
    provider = accounts.provider(provider_arn) if provider_arn else None
    if provider_arn and provider is None:
        what = f"the role trusts a provider that does not exist, {provider_arn}: nobody gets in."
        raise NotAdoptable(Reason(printable(what), "Mend that first, or let the component make all of it anew."))
    tags = accounts.provider_tags(provider_arn) if provider_arn and request.wishes.import_provider else {}
    return replace(found, role=role, details=details, provider=provider, provider_tags=tags)


def _role_arn(request: Request, login: LoginBlock) -> str:
    """The role's ARN; or its name, if that is all there is."""
    arn, named = role_arn_of(login), request.role
    if arn is None and named is None:
        what = f"the login {login.path} names its role by a reference, whose value is not known."
        raise NotAdoptable(Reason(printable(what), "Name the role with --role."))
    if arn and named and named not in {arn, arn.rpartition("/")[2]}:
        fail(f"--role {printable(named)}: the login {printable(login.path)} assumes {printable(arn)}.")
    return arn or named or ""


_COMMANDS: Final = "`aws iam get-role`, `list-attached-role-policies`, `list-role-policies`"


def _from_file(request: Request, found: Existing) -> Existing:
    """The role in a file of what the AWS CLI printed, one answer after another."""
    answers: dict[str, Any] = {}
    inline: dict[str, str] = {}
    try:
        for answer in _documents(text_of(request.role_json or "")):
            if "PolicyDocument" in answer:
                inline[answer["PolicyName"]] = json.dumps(answer["PolicyDocument"], ensure_ascii=False)
            answers |= answer
        role, url = answers["Role"], answers.get("Url")
        arn, policy = role["Arn"], json.dumps(role["AssumeRolePolicyDocument"], ensure_ascii=False)
        details = RoleDetails(
            role.get("Description", ""),
            role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
            _tags(role),
            tuple(each["PolicyArn"] for each in answers["AttachedPolicies"]),
            {name: inline[name] for name in answers["PolicyNames"]},
        )
        provider_arn = provider_arn_of(policy)
        provider = LiveProvider(provider_arn, tuple(answers["ClientIDList"]), ()) if url and provider_arn else None
        live = LiveRole(arn, policy, role["MaxSessionDuration"])
        tags = _tags(answers) if provider else {}
    except RecursionError:
        fail(f"{request.role_json}: its JSON is nested too deeply.")
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        missing = f"{type(error).__name__}: {error}"
        fail(
            f"{request.role_json}: it must hold what {_COMMANDS} and, for each of those, `get-role-policy` print, one "
            f"after another ({printable(missing)})."
        )
    named = _role_arn(request, found.login)
    if named not in {arn, arn.rpartition("/")[2]}:
        fail(f"{request.role_json}: this is {printable(arn)}, and the login assumes {printable(named)}.")
    return replace(found, role=live, details=details, provider=provider, provider_tags=tags)


def _documents(text: str) -> Iterator[dict[str, Any]]:
    decoder, position = json.JSONDecoder(), 0
    while rest := text[position:].lstrip():
        document, length = decoder.raw_decode(rest)
        check_depth(document)
        position = len(text) - len(rest) + length
        if not isinstance(document, dict):
            raise TypeError("not an object")
        yield document


def _tags(answer: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in answer.get("Tags") or ()}


# What is said


def _print_reasons(reference: str, reasons: Sequence[Reason], style: Style) -> None:
    if not style.is_text:
        listed = [{"what": each.what, "offer": each.offer} for each in reasons]
        print_json({"version": 1, "adopted": False, "reasons": listed})
        return
    verdicts = Verdicts(console())
    verdicts.show("refused", f"{reference} can't be adopted as it is; nothing was written.", style="bold red")
    for each in reasons:
        verdicts.line(f"        - {each.what[0].upper()}{each.what[1:]}", hang=10)
        verdicts.say(each.offer, "dim")


@dataclass
class _Report:
    """What was found, what becomes of it, and what to do next."""

    request: Request
    existing: Existing
    revision: str
    adoption: Adoption
    folder: Path
    filled: Sequence[str] = ()
    absent: Sequence[str] = ()

    def write(self) -> None:
        """Write the program, or fill in the import file."""
        found = resources(self.existing, self.adoption, self.request.name)
        if path := self.request.import_file:
            text, self.filled, self.absent = filled_in(text_of(str(path)), found, self.request.name)
            replace_file(path, text)
        else:
            write_folder(self.folder, project_files(self.existing, self.adoption, self.request.name))

    def as_json(self) -> dict[str, Any]:
        """All of it for programs."""
        adoption, environment = self.adoption, self.adoption.environment
        return {
            "version": 1,
            "adopted": True,
            "written": str(self.request.import_file or self.folder),
            "role": self.existing.role.arn,
            "revision": self.revision or None,
            "inputs": dict(adoption.inputs),
            "audience": adoption.plan.audience,
            "subjects": adoption.plan.subjects,
            "gained": adoption.gained,
            "respelled": adoption.respelled,
            "lost": adoption.lost,
            "closes_audiences": adoption.closes_audiences,
            "rules": adoption.rules,
            "trust_policy_rewritten": adoption.rewrites_policy,
            "environment": {
                "imported": environment.is_imported,
                "changes": [{"name": c.name, "before": c.before, "after": c.after} for c in environment.changes],
                "new_layout": environment.new_layout,
                "comments": environment.comments,
                "left": environment.more,
            },
            "resources": [
                {"type": each.type, "name": each.name, "id": each.id}
                for each in resources(self.existing, adoption, self.request.name)
            ],
            "filled": self.filled,
            "absent": self.absent,
            "next": list(self._next()),
            "steps": list(self._steps()),
            "notes": adoption.notes,
        }

    def print(self, style: Style) -> None:
        """The same for people."""
        if style.quiet:
            return
        out = Verdicts(console())
        for label, lines in self._sections(verbose=style.verbose):
            for index, line in enumerate(lines):
                if line.startswith(_CODE):
                    out.out.print(f"{'':10}{printable(line)}", style="cyan")  # whole, to be pasted
                else:
                    out.line(f"{'' if index else label:<10}{printable(line)}", hang=12)
        for command in self._next():
            out.out.print(f"          {command}", style="cyan")
        out.line("Keep      Protect it until you are sure: opts=pulumi.ResourceOptions(protect=True)", "dim", 10)

    def _sections(self, *, verbose: bool) -> Iterator[tuple[str, list[str]]]:
        adoption = self.adoption
        yield "Found", list(self._found())
        yield "Admits", list(self._admits(verbose=verbose))
        if changes := list(self._changes(verbose=verbose)):
            yield "Changes", changes
        if steps := list(self._steps()):
            yield "Steps", ["So that nobody is refused meanwhile (docs/changing.md):", *steps]
        if adoption.notes:
            yield "Note", list(adoption.notes)
        if self.request.import_file:
            filled = [f"{self.request.import_file}: {len(self.filled)} filled in: {', '.join(self.filled) or 'none'}"]
            filled += [f"{name} {self._why_absent(name)}" for name in self.absent]
            yield "Wrote", filled
        else:
            yield "Wrote", [f"{self.folder}/: Pulumi.yaml, __main__.py, requirements.txt, import.json"]
        yield "Next", self._expected()

    def _why_absent(self, name: str) -> str:
        """Why a resource in the import file got no ID."""
        names = inputs.ChildNames(self.request.name)
        if name == names.environment:
            return "holds more than the login: set create_environment=False, and take it out of the file"
        if name == names.provider:
            return "exists: give its ARN in oidc_provider_arn, or run this with --import-provider"
        return "does not exist here: take it out of the file"

    def _found(self) -> Iterator[str]:
        details, plan = self.existing.details, self.adoption.plan
        counted = [f"{len(details.attached)} managed", f"{len(details.inline)} inline"]
        yield f"role {plan.role_name} with {' and '.join(counted)} policies: {self.existing.role.arn}"
        revision = f", revision {self.revision}" if self.revision else ""
        yield f"environment {plan.environment_ref}{revision}, its login at {self.existing.login.path}"
        if self.existing.provider:
            owner = "left as it is" if "oidc_provider_arn" in self.adoption.inputs else "imported"
            yield f"provider {self.existing.provider.arn}, {owner}"

    def _admits(self, *, verbose: bool) -> Iterator[str]:
        adoption, plan = self.adoption, self.adoption.plan
        count = f"{len(plan.subjects)} subject{'s' * (len(plan.subjects) != 1)}"
        same = not (adoption.gained or adoption.lost or adoption.closes_audiences)
        said = "the same as today, as proved" if same else "other than today"
        yield f"{said}: audience {plan.audience}, {count}"
        if verbose:
            yield from plan.subjects
        if adoption.closes_audiences:
            yield f"{'no more':<9} tokens with another audience than {plan.audience}; today the policy asks for none"
        for word, subjects in (("new", adoption.gained), ("no more", adoption.lost), ("respelled", adoption.respelled)):
            yield from _named(word, subjects, verbose=verbose)
        if adoption.rules:
            way_out = "" if self.request.wishes.narrow else "; --narrow leaves out what is too wide"
            yield f"`esc-oidc lint` reports {', '.join(adoption.rules)}{way_out}"

    def _changes(self, *, verbose: bool) -> Iterator[str]:
        """What the first `pulumi up` changes."""
        names, environment = inputs.ChildNames(self.request.name), self.adoption.environment
        if self.adoption.rewrites_policy:
            adoption = self.adoption
            same = not (adoption.gained or adoption.lost or adoption.respelled or adoption.closes_audiences)
            yield f"{names.role}  the trust policy is {'rewritten, with the same meaning' if same else 'changed'}"
        comments = "one comment goes" if environment.comments == 1 else f"{environment.comments} comments go"
        gone = f", and {comments}" if environment.comments else ""
        for change in environment.changes:
            before, after = change.before or "(nothing)", change.after or "(nothing)"
            yield f"{names.environment}  {change.name}: {before} becomes {after}"
        if environment.new_layout:
            what = "its layout" if environment.changes else "the layout only"
            yield f"{names.environment}  {what}{gone}"
        if not environment.is_imported:
            shown = environment.more if verbose else environment.more[:_SHOWN]
            more = f" and {len(environment.more) - len(shown)} more" if len(shown) < len(environment.more) else ""
            yield f"the environment stays its owner's, since it holds more than the login: {', '.join(shown)}{more}"
            yield (
                "to have the login managed, too, let another PulumiEscOidc make an environment for it, and import that "
                "one here (docs/adopting.md)"
            )

    def _expected(self) -> list[str]:
        changed = int(self.adoption.rewrites_policy) + int(self.adoption.environment.new_layout)
        return [f"the preview shows {changed} to update" if changed else "the preview shows nothing to change"]

    def _next(self) -> Iterator[str]:
        """The commands."""
        if path := self.request.import_file:
            yield f"pulumi import --file {shlex.quote(str(path))} --generate-code=false --protect=false"
        else:
            yield f"cd {shlex.quote(str(self.folder))}"
            yield "pulumi install"
            yield "pulumi stack init dev"
            yield "pulumi config set aws:region us-east-1"
            yield "pulumi import --file import.json --generate-code=false --protect=false"
        yield "pulumi preview --diff"

    def _steps(self) -> Iterator[str]:
        """How to change the login without refusing anybody meanwhile."""
        adoption, wishes = self.adoption, self.request.wishes
        if not wishes.narrow or adoption.plan.attributes == self.existing.login.subject_attributes:
            return
        owner = "" if adoption.environment.is_imported else self._owner()
        try:
            today = _adopted(self.existing, self.request, replace(wishes, narrow=False)).plan
        except NotAdoptable:
            environment = inputs.ChildNames(self.request.name).environment
            yield "1. By hand, let the role admit these as well (aws iam update-assume-role-policy):"
            yield from (f"{_CODE}{each}" for each in adoption.gained)
            update = f"run `pulumi up --target '**{environment}'`"
            yield f"2. Wait a minute. Then {owner or update}."
            yield "3. Once the environment opens for all who are to get in, run `pulumi up`."
            return
        begin = "1. Begin with what this command writes without --narrow: import that,"
        if not adoption.gained:
            # Today's policy admits what the login is to ask for.
            afterwards = f"; then {owner}" if owner else ""
            yield f"{begin} and run `pulumi up`{afterwards}."
            yield "2. Once the environment opens for all who are to get in, take this program, and run `pulumi up`."
            return
        yield f"{begin} add this, and run `pulumi up`:"
        yield f"{_CODE}transitional_subjects={list(adoption.gained)!r},"
        yield "2. Wait a minute. Then take this program, add this, and run `pulumi up`:"
        old = [each for each in today.trust.subjects if each not in adoption.plan.trust.subjects]
        yield f"{_CODE}transitional_subjects={old!r},"
        for flag in ("dangerously_allow_any_stack_configuration", "dangerously_omit_current_environment"):
            # Only these two open more than the environments that the subjects name.
            if getattr(today, flag) and (today.attributes or flag != "dangerously_omit_current_environment"):
                yield f"{_CODE}{flag}=True,"
        if owner:
            yield f"   Then {owner}."
        yield "3. Once the environment opens for all who are to get in, remove that again, and run `pulumi up`."

    def _owner(self) -> str:
        wanted = ", ".join(self.adoption.plan.attributes)
        return f"let the environment's owner give the login these subjectAttributes: {wanted}"


def _named(word: str, subjects: Sequence[str], *, verbose: bool) -> Iterator[str]:
    shown = subjects if verbose else subjects[:_SHOWN]
    yield from (f"{word:<9} {each}" for each in shown)
    if len(shown) < len(subjects):
        yield f"{word:<9} and {len(subjects) - len(shown)} more; --verbose names them"
