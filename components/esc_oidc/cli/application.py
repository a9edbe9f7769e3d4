"""The subcommands and their options. Exit status: 0 good, 1 refused or findings, 2 wrong use or unreadable input."""

from pathlib import Path
from typing import Annotated

import typer

from ..claims import CURRENT_ENVIRONMENT
from .output import Format, LintFormat, LintStyle, Severity, Style, fail

app = typer.Typer(
    help="Short-lived AWS credentials for Pulumi ESC: see who gets in.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

FormatOption = Annotated[Format, typer.Option("--format", help="Text for people, JSON for programs.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print only what is wrong.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Print subjects and conditions in full.")]


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - the rest of the command has no use for it

        typer.echo(f"esc-oidc {version('esc-oidc')}")
        raise typer.Exit


@app.callback()
def _esc_oidc(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Short-lived AWS credentials for Pulumi ESC: see who gets in."""


@app.command("try")
def _try(
    directories: Annotated[
        list[Path] | None,
        typer.Argument(metavar="DIR...", help="The Pulumi program, the folder with Pulumi.yaml; several in order."),
    ] = None,
    stack: Annotated[str | None, typer.Option(help="The stack (default: sandbox, or the only one configured).")] = None,
    config: Annotated[list[str] | None, typer.Option(help="KEY=VALUE, overrides the stack; repeatable.")] = None,
    seed: Annotated[Path | None, typer.Option(help="What exists before (default: the program's sandbox.yaml).")] = None,
    who: Annotated[
        str, typer.Option("--as", metavar="WHO", help="Who deploys it: a login, team:TEAM or organization.")
    ] = "alice",
    output: FormatOption = Format.TEXT,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Deploy a program to a sandbox on this machine, and show who gets in and who doesn't."""
    from .trying import try_programs  # noqa: PLC0415 - only this command waits for moto and Pulumi

    overrides = {}
    for pair in config or ():
        key, equals, value = pair.partition("=")
        if not key or not equals:
            fail(f"--config {pair!r}: write KEY=VALUE, as in --config environment=prod.")
        overrides[key] = value
    style = Style(output, quiet, verbose)
    raise typer.Exit(try_programs(directories or [Path()], stack, overrides, seed, who, style))


# The first word that is no option begins COMMAND, so `--` is needed only if COMMAND itself begins with an option.
@app.command("sandbox", context_settings={"allow_interspersed_args": False})
def _sandbox(
    command: Annotated[
        list[str] | None, typer.Argument(metavar="COMMAND", help="Without it: print the variables and wait.")
    ] = None,
    who: Annotated[
        str, typer.Option("--as", metavar="WHO", help="Whose token COMMAND has: a login, team:TEAM or organization.")
    ] = "alice",
    organization: Annotated[
        list[str] | None, typer.Option(help="Whose member they are (default: contoso); repeatable.")
    ] = None,
    seed: Annotated[Path | None, typer.Option(help="What exists before: a YAML file like sandbox.yaml.")] = None,
    state: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the sandbox is kept for the next time (default: nowhere).")
    ] = None,
    issuer: Annotated[str | None, typer.Option(help="Who signs the tokens (default: Pulumi Cloud).")] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Run COMMAND, such as `pulumi up`, with a sandbox on this machine instead of AWS and Pulumi Cloud.

    Inside COMMAND, the same runs another command in that sandbox, as somebody else.
    """
    from .sandboxing import New, run_sandbox  # noqa: PLC0415 - only this command waits for moto

    raise typer.Exit(run_sandbox(command or [], who, organization or [], New(seed, state, issuer), output))


@app.command("explain")
def _explain(
    token: Annotated[
        str,
        typer.Option(help="A file with a JWT, its claims as JSON, or the CloudTrail event; `-` reads standard input."),
    ],
    policy: Annotated[
        str | None, typer.Argument(help="A file with the trust policy; `-` reads standard input.")
    ] = None,
    role: Annotated[
        str | None, typer.Option(help="Or a role in AWS, by name or ARN, read with your own credentials.")
    ] = None,
    issuer: Annotated[str | None, typer.Option(help="The provider's URL (default: the policy's).")] = None,
    client_id: Annotated[list[str] | None, typer.Option(help="A client ID of the provider; repeatable.")] = None,
    duration: Annotated[str | None, typer.Option(help="The session that the login asks for, like 1h30m.")] = None,
    max_session_duration: Annotated[str | None, typer.Option(help="The longest session of the role, like 1h.")] = None,
    session_name: Annotated[str | None, typer.Option(help="The role session name.")] = None,
    context: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="A further condition key of the call; repeatable.")
    ] = None,
    output: FormatOption = Format.TEXT,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Say whether this role admits this token, and if not, why: what differs, the likely mistake, what to do."""
    from .explaining import Question, explain  # noqa: PLC0415 - each command imports what it runs

    question = Question(
        token, policy, role, issuer, client_id or [], duration, max_session_duration, session_name, context or []
    )
    raise typer.Exit(explain(question, Style(output, quiet, verbose)))


@app.command("lint")
def _lint(
    sources: Annotated[list[str], typer.Argument(metavar="FILE...", help="Files, folders, or `-` for standard input.")],
    output: Annotated[
        LintFormat, typer.Option("--format", help="Text, JSON, SARIF for code scanning, or annotations for GitHub.")
    ] = LintFormat.TEXT,
    select: Annotated[list[str] | None, typer.Option(help="Check only this rule; repeatable.")] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Don't check this rule; repeatable.")] = None,
    severity: Annotated[
        Severity | None, typer.Option(help="The lowest severity that makes the status 1 (default: warning).")
    ] = None,
    baseline: Annotated[Path | None, typer.Option(help="A file with findings that are known.")] = None,
    write_baseline: Annotated[
        Path | None, typer.Option(help="Write such a file with all findings, and end with status 0.")
    ] = None,
    fail_on_nothing: Annotated[bool, typer.Option("--fail-on-nothing", help="Status 1 if nothing was judged.")] = False,
    fail_on_unknown: Annotated[
        bool, typer.Option("--fail-on-unknown", help="Status 1 if a policy could not be judged in full.")
    ] = False,
    quiet: QuietOption = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print unrelated roles, what is suppressed, what was passed over.")
    ] = False,
) -> None:
    """Judge trust policies for Pulumi Cloud, in whatever holds them: JSON, templates, plans, states and stacks."""
    from .linting import lint_files  # noqa: PLC0415 - each command imports what it runs
    from .settings import find_settings, rules_of  # noqa: PLC0415 - no other command has them

    settings = find_settings()
    settings = settings._replace(
        select=rules_of(select, "--select") if select else settings.select,
        ignore=[*settings.ignore, *rules_of(ignore or (), "--ignore")],
        severity=severity or settings.severity,
        baseline=None if write_baseline else baseline or settings.baseline,
        fail_on_nothing=fail_on_nothing or settings.fail_on_nothing,
        fail_on_unknown=fail_on_unknown or settings.fail_on_unknown,
    )
    raise typer.Exit(lint_files(sources, LintStyle(output, quiet, verbose), settings, write_baseline))


@app.command("prove")
def _prove(
    policy: Annotated[str, typer.Argument(help="A file with the trust policy; `-` reads standard input.")],
    inputs: Annotated[str | None, typer.Option(help="A YAML or JSON file with the inputs of a component.")] = None,
    audience: Annotated[str | None, typer.Option(help="The declared audience, instead of --inputs.")] = None,
    subject: Annotated[
        list[str] | None, typer.Option(help="A declared subject, with * for any characters; repeatable.")
    ] = None,
    issuer: Annotated[str | None, typer.Option(help="The issuer, with --audience.")] = None,
    output: FormatOption = Format.TEXT,
    quiet: QuietOption = False,
) -> None:
    """Prove that a trust policy admits exactly what is declared, or show the shortest subject for which it doesn't."""
    from .proving import declared_by_hand, declared_by_inputs, prove_policy  # noqa: PLC0415 - as above

    if inputs and (audience or subject or issuer):
        fail("--inputs says everything: leave out --audience, --subject and --issuer.")
    trust = declared_by_inputs(inputs) if inputs else declared_by_hand(audience, subject or [], issuer)
    raise typer.Exit(prove_policy(policy, trust, Style(output, quiet)))


@app.command("claims")
def _claims(
    reference: Annotated[str, typer.Argument(metavar="ORG/PROJECT/ENV", help="With --stack: ORG/PROJECT/STACK.")],
    attribute: Annotated[
        list[str] | None, typer.Option(help="A subject attribute that the login lists; repeatable.")
    ] = None,
    no_attributes: Annotated[bool, typer.Option("--no-attributes", help="The login lists none.")] = False,
    user: Annotated[str, typer.Option(help="The user who opens it.")] = "alice",
    team: Annotated[str, typer.Option(help="The team whose token opens it.")] = "ops",
    importer: Annotated[str | None, typer.Option(help="PROJECT/ENV of an environment that imports it.")] = None,
    stack: Annotated[bool, typer.Option("--stack", help="Show the tokens of Pulumi Deployments for a stack.")] = False,
    issuer: Annotated[str | None, typer.Option(help="A self-hosted issuer.")] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Print issuer, audience and subject for each way to open an environment, or to run a stack."""
    from .claiming import Openers, deployment_tokens, environment_tokens, print_claims  # noqa: PLC0415 - as above

    if attribute and no_attributes:
        fail("--attribute and --no-attributes contradict each other.")
    if stack and (attribute or no_attributes or importer):
        fail("--stack is about Pulumi Deployments, whose tokens have no attributes and no imports.")
    listed = [] if no_attributes else attribute or [CURRENT_ENVIRONMENT]
    tokens = (
        deployment_tokens(reference, issuer)
        if stack
        else environment_tokens(reference, listed, Openers(user, team), importer, issuer)
    )
    raise typer.Exit(print_claims(tokens, output))


@app.command("doctor")
def _doctor(
    environment: Annotated[
        str | None, typer.Argument(metavar="ORG/PROJECT/ENV", help="The environment; with --all or --role: ORG.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Examine every environment of the organization.")] = False,
    imports_of: Annotated[
        str | None, typer.Option(metavar="PROJECT/ENV", help="With --all: only those that import this one.")
    ] = None,
    role: Annotated[
        str | None, typer.Option(metavar="ARN", help="Turn it around: which environments and people reach this role?")
    ] = None,
    as_user: Annotated[str | None, typer.Option(help="Who opens it (default: whose access token it is).")] = None,
    as_team: Annotated[str | None, typer.Option(help="A team's access token opens it.")] = None,
    as_organization_token: Annotated[
        bool, typer.Option("--as-organization-token", help="The organization's access token opens it.")
    ] = False,
    profile: Annotated[
        list[str] | None, typer.Option(help="A profile of the AWS CLI, for one account; repeatable.")
    ] = None,
    api_url: Annotated[str | None, typer.Option(help="Where Pulumi Cloud is (default: as for `pulumi`).")] = None,
    at_once: Annotated[int, typer.Option(min=1, max=64, help="How many requests run at the same time.")] = 8,
    output: FormatOption = Format.TEXT,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Say why an environment does not open, or who else gets in: reads Pulumi Cloud and AWS, and changes nothing."""
    from .doctoring import Asked, doctor  # noqa: PLC0415 - only this command waits for boto3 and the SDK

    asked = Asked(
        environment, every, imports_of, role, as_user, as_team, as_organization_token, profile or [], api_url, at_once
    )
    raise typer.Exit(doctor(asked, Style(output, quiet, verbose)))


@app.command("adopt")
def _adopt(
    reference: Annotated[str, typer.Argument(metavar="ORG/PROJECT/ENV", help="The environment that has the login.")],
    out: Annotated[Path | None, typer.Option(help="The new folder (default: PROJECT-ENV).")] = None,
    name: Annotated[str, typer.Option(help="The component's name.")] = "login",
    role: Annotated[str | None, typer.Option(help="The role's name or ARN, if the login refers to it.")] = None,
    login: Annotated[str | None, typer.Option(help="The login's path, if there are several: aws.login.")] = None,
    import_file: Annotated[
        Path | None, typer.Option(help="Fill in a file of `pulumi preview --import-file` instead.")
    ] = None,
    import_provider: Annotated[bool, typer.Option("--import-provider", help="Import the provider, too.")] = False,
    narrow: Annotated[bool, typer.Option("--narrow", help="Leave out whatever lets too many in.")] = False,
    accept_widening: Annotated[
        bool, typer.Option("--accept-widening", help="Write it even if others get in than today.")
    ] = False,
    definition: Annotated[str | None, typer.Option(help="Offline: a file with the definition.")] = None,
    role_json: Annotated[str | None, typer.Option(help="Offline: a file with what the AWS CLI says.")] = None,
    profile: Annotated[list[str] | None, typer.Option(help="A profile of the AWS configuration; repeatable.")] = None,
    api_url: Annotated[str | None, typer.Option(help="Where Pulumi Cloud is (default: as for `pulumi`).")] = None,
    output: FormatOption = Format.TEXT,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Bring an existing role and environment under a PulumiEscOidc: write the program, and what `pulumi import` needs.

    It reads only: nothing changes in AWS and in Pulumi Cloud.
    """
    from ..live import Wishes  # noqa: PLC0415 - as above
    from .adopting import Request, adopt_environment  # noqa: PLC0415 - as above

    wishes = Wishes(import_provider, narrow, accept_widening)
    request = Request(
        reference, role, login, name, out, import_file, wishes, definition, role_json, profile or [], api_url
    )
    raise typer.Exit(adopt_environment(request, Style(output, quiet, verbose)))
