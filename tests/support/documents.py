"""The commands of README.md, docs/ and examples/: what a page tells a reader to type, and what that prints."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

import yaml

from esc_oidc.claims import ISSUER
from esc_oidc.environment import Login, environment_definition
from esc_oidc.sandbox import Sandbox
from esc_oidc.trust import Trust, provider_arn, trust_policy
from tests.support.workspaces import ROOT, RUNTIME, edit, repository

PAGES = [
    page
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("examples/*/README.md")))
    if "```sh\n" in page.read_text("utf-8")
]
"""Every page with commands. Those of examples/README.md come first on an example's own page, see `commands`."""

PROGRAMS = {"aws", "cd", "echo", "esc-oidc", "eval", "git", "pulumi", "terraform"}
"""What a command may begin with: whatever else a page names, somebody must think about how it is tested."""

NOT_RUN = {
    "pulumi install": "In Python it asks the package index, and this Python has everything; test_newcomers runs it.",
    "terraform plan -out=plan.bin && terraform show -json plan.bin > plan.json": (
        "It needs Terraform and an account; the plan has one good role."
    ),
}
"""Commands that can't be run here, and why."""

NOT_DEPLOYED = {
    "examples/govcloud/README.md": "AWS's plugin is a stand-in here, which knows no partitions; `esc-oidc try` does.",
    "examples/several-accounts/README.md": "The same knows one account only; `esc-oidc try` has several.",
}
"""Examples whose `pulumi up` can't be run here, and why; their other commands are."""

SUBSTITUTED = {
    # test_newcomers runs `pulumi new` with the folder. Here the folder itself is the new project.
    "pulumi new https://github.com/OWNER/REPO/tree/main/examples/one-environment": "pulumi stack init sandbox",
    # `make try` makes .venv from the package index first. This Python is that environment.
    "git clone https://github.com/OWNER/REPO esc-oidc && cd esc-oidc && make try": (
        "(cd ../esc-oidc && make --old-file=.venv/.try try)"
    ),
    "pulumi env open ORGANIZATION/shop/prod": "pulumi env open contoso/shop/prod",
    # `pulumi install` would make it.
    "cd aws-dev": f"cd aws-dev && ln -s {sys.prefix} .venv",
}
"""Commands that are run with something else in place of what only a reader has."""

FAILING = {
    "esc-oidc doctor contoso/aws/dev": 1,
    "esc-oidc doctor contoso --all": 1,
    "esc-oidc sandbox --as mallory -- pulumi up --stack sandbox --yes": 1,
    'esc-oidc explain --role "$(pulumi stack output roleArn)" --token ../consumer/mallory.json': 1,
}
"""Commands that show a refusal, and their exit status."""

AWS = """
import json, sys
import boto3, jmespath
service, operation, *options = sys.argv[1:]
given = dict(zip(options[::2], options[1::2], strict=True))
query, output = given.pop("--query", "@"), given.pop("--output", "json")
parameters = {name.title().replace("-", ""): value for name, value in given.items()}
answer = getattr(boto3.client(service), operation.replace("-", "_"))(**parameters)
del answer["ResponseMetadata"]
found = jmespath.search(query, answer)
print("\\t".join(found) if output == "text" else json.dumps(found, indent=4, default=str))
"""
"""What stands in for the AWS command line, which reads the same variables."""

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/api.pulumi.com/oidc"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {
                    "api.pulumi.com/oidc:aud": "aws:contoso",
                    "api.pulumi.com/oidc:sub": (
                        "pulumi:environments:pulumi.organization.login:contoso:currentEnvironment.name:aws/dev"
                    ),
                }
            },
        }
    ],
}
"""The trust policy of README's role `esc`."""


OLD_SUBJECT = "pulumi:environments:org:contoso:env:aws/dev"
NEW_SUBJECT = POLICY["Statement"][0]["Condition"]["StringEquals"]["api.pulumi.com/oidc:sub"]


def _seed(role: str, subject: str) -> str:
    """A role that admits this subject, and contoso/aws/dev, whose login asks for a subject with attributes."""
    policy = trust_policy(Trust(ISSUER, "aws:contoso", (subject,)), provider_arn(ISSUER, "123456789012"))
    in_aws = {
        "providers": [{"url": ISSUER, "clientIds": ["aws:contoso"]}],
        "roles": [{"name": role, "trustPolicy": policy}],
    }
    login = Login("pulumi-esc", "1h", ("currentEnvironment.name",))
    definition = environment_definition(login, f"arn:aws:iam::123456789012:role/{role}")
    return f"{yaml.safe_dump(in_aws)}environments:\n  contoso/aws/dev: |\n{indent(definition, '    ')}\n"


SEEDS = {"adopting.md": _seed("esc-dev", NEW_SUBJECT), "doctor.md": _seed("esc", OLD_SUBJECT)}
"""What exists before the reader of a page in docs/ types the first command."""


@dataclass(frozen=True)
class Block:
    """Commands, and what the page says that they print; empty if it doesn't say."""

    commands: tuple[str, ...]
    printed: str = ""


def blocks(page: Path) -> list[Block]:
    """The commands of a page. What they print is the next block, if that is of no language."""
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    following = [*fences[1:], ("end", "")]
    return [
        Block(tuple(_commands(text)), printed if following_language == "" else "")
        for (language, text), (following_language, printed) in zip(fences, following, strict=True)
        if language == "sh"
    ]


def _commands(block: str) -> Iterator[str]:
    """Each command of a block, which may have several lines."""
    command = ""
    for line in block.splitlines():
        command += line
        try:
            words = shlex.split(command, comments=True)
        except ValueError:  # a quotation goes on
            words = None
        if words is None or command.endswith("\\"):
            command += "\n"
        else:
            yield re.sub(r"\s+# .*$", "", command)
            command = ""
    assert not command, f"{command!r} has no end"


def commands(page: Path) -> list[Block]:
    """What a reader of a page types, from the beginning: an example's page goes on after examples/README.md."""
    own = blocks(page)
    is_example = page.parent.parent == ROOT / "examples"
    begins = any(command.startswith(("pulumi stack init", "pulumi new")) for each in own for command in each.commands)
    if not is_example or begins:
        return own
    return [*blocks(ROOT / "examples" / "README.md"), *own]


def folder_for(page: Path, target: Path, sandbox: Sandbox, *, with_engine: bool) -> Path:
    """A fresh copy of what the page's reader has, in a sandbox that has what exists before; gives where they begin."""
    clone = repository(target / "esc-oidc")
    (clone / ".venv").symlink_to(sys.prefix)
    for program in (clone, *(clone / "examples").iterdir()):
        if (program / "__main__.py").exists():
            edit(program / "Pulumi.yaml", runtime=RUNTIME)
    if page.name == "README.md" and page.parent == ROOT:
        return _reader_of_the_readme(page, target / "program", sandbox, with_engine=with_engine)
    if page.name == "pipelines.md":
        role = {"address": "aws_iam_role.esc", "mode": "managed", "type": "aws_iam_role", "name": "esc"}
        planned = {"root_module": {"resources": [{**role, "values": {"assume_role_policy": json.dumps(POLICY)}}]}}
        (clone / "plan.json").write_text(json.dumps({"format_version": "1.2", "planned_values": planned}))
    seed = page.parent / "sandbox.yaml"
    if page.name in SEEDS:
        seed = target / "seed.yaml"
        seed.write_text(SEEDS[page.name])
    if seed.exists():
        sandbox.sow(seed)
    return clone / page.parent.relative_to(ROOT) if page.parent != ROOT / "docs" else clone


def _reader_of_the_readme(page: Path, program: Path, sandbox: Sandbox, *, with_engine: bool) -> Path:
    """Somebody with README's program and stack, a role `esc`, a token for it, its policy and its inputs."""
    program.mkdir()
    (source,) = re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    (program / "__main__.py").write_text(source)
    (program / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "program", "runtime": RUNTIME}))
    equals = POLICY["Statement"][0]["Condition"]["StringEquals"]
    claims = {name.rpartition(":")[2]: value for name, value in equals.items()}
    (program / "claims.json").write_text(json.dumps({"iss": "https://api.pulumi.com/oidc", **claims}))
    (program / "policy.json").write_text(json.dumps(POLICY))
    (program / "inputs.yaml").write_text("{organization: contoso, project: aws, environment: dev}\n")
    provider = {"url": "https://api.pulumi.com/oidc", "clientIds": ["aws:contoso"]}
    seed = {"providers": [] if with_engine else [provider], "roles": [{"name": "esc", "trustPolicy": POLICY}]}
    (program.parent / "seed.yaml").write_text(yaml.safe_dump(seed))
    sandbox.sow(program.parent / "seed.yaml")
    return program


def follow(
    page: Path, folder: Path, environment: Mapping[str, str], wanted: Callable[[str], bool] = lambda _: True
) -> None:
    """Type a page's commands in one shell, in order. Each has to end as it should, and to print what the page says."""
    bin_ = folder / ".stand-ins"
    bin_.mkdir()
    (bin_ / "aws").write_text(f"#!{sys.executable}\n{AWS}")
    (bin_ / "aws").chmod(0o755)
    typed = [(block, command) for block in commands(page) for command in block.commands if wanted(command)]
    not_run = set(NOT_RUN) - ({"pulumi install"} if page.parent.name in {"typescript", "yaml"} else set())
    not_run |= {"pulumi up"} if str(page.relative_to(ROOT)) in NOT_DEPLOYED else set()
    steps = []
    for number, (_, command) in enumerate(typed):
        run = ":" if command in not_run else SUBSTITUTED.get(command, command)
        steps.append(f'{{\n{run}\n}} >"$PRINTED/{number}" 2>&1; echo $? >"$PRINTED/{number}.status"\n')
    printed = folder.parent / "printed"
    printed.mkdir()
    # A page about the sandbox is read outside one; all others are read inside.
    outside = "unset ESC_OIDC_SANDBOX; " if page.name == "sandbox.md" else ""
    variables = {
        **environment,
        "PATH": os.pathsep.join([str(bin_), str(Path(sys.executable).parent), environment["PATH"]]),
        "PRINTED": str(printed),
        "PULUMI_SKIP_CONFIRMATIONS": "true",  # a reader says yes
    }
    stack = "pulumi stack init dev; " if page == ROOT / "README.md" and wanted("pulumi up") else ""
    subprocess.run(  # noqa: S603 - our own pages
        ["sh", "-c", f"{outside}{stack}{''.join(steps)}"],  # noqa: S607 - as a reader has it
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    said: dict[Block, str] = {}
    for number, (block, command) in enumerate(typed):
        output, status = (printed / str(number)).read_text(), int((printed / f"{number}.status").read_text())
        assert status == FAILING.get(command, 0), f"{page}: {command}\nended with {status}:\n{output}"
        said[block] = said.get(block, "") + output
    for block, output in said.items():
        if set(block.commands) <= {command for _, command in typed}:
            compare(block.printed, output)


def compare(expected: str, output: str) -> None:
    """What was printed is what a page says, numbers and ids aside; `...` stands for anything."""
    rest = _comparable(output)
    for part in re.split(r"\s*\.\.\.\s*", _comparable(expected)):
        at = rest.find(part)
        assert at >= 0, f"the page says:\n{part}\nand this was printed:\n{output}"
        rest = rest[at + len(part) :]


def _comparable(text: str) -> str:
    """A text whose names and sums don't change from one run to the next."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    text = "\n".join(line for line in lines if line)
    # What Pulumi adds to a name has seven characters; `try` always adds the same ones.
    text = re.sub(r"-(?:[0-9a-f]{7}|0sandbx)\b", "-ID", text)
    return re.sub(r"\d+(?:\.\d+)?", "N", text)
