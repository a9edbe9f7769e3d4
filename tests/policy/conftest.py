"""The pack as a process, started as Pulumi starts it."""

import subprocess
import sys

import grpc
import pytest
from pulumi.runtime.proto import analyzer_pb2_grpc

from tests.support.pack import PACK, ROOT, configure


@pytest.fixture(scope="session")
def stub():
    """The running pack, as `pulumi-analyzer-policy-python` starts it."""
    command = [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:0", str(PACK)]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT.parent
    ) as process:
        try:
            port = process.stdout.readline().strip()
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield analyzer_pb2_grpc.AnalyzerStub(channel)
        finally:
            process.kill()


@pytest.fixture
def pack(stub):
    """The same, without any configuration."""
    configure(stub, {})
    return stub
