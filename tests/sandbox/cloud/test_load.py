"""Many clients at once, and broken ones."""

import gzip
import io
import json
import re
import socket
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from esc_oidc.sandbox.cloud.wire import LARGEST_BODY
from esc_oidc.tokens import Opener
from tests.support.stacks import RESOURCE, Cli, state

E = "/api/esc/environments"


@pytest.fixture
def cli(sandbox, request):
    """Alice's CLI and a new stack, whose name is the test's."""
    token = sandbox.access_token(Opener("alice"), ["contoso"])
    alice = Cli(sandbox.cloud_url, token, f"contoso/app/{re.sub('[^a-z0-9]', '-', request.node.name)[:90]}")
    assert alice.init()[0] == 200
    return alice


@pytest.fixture
def raw(sandbox, cli):
    """Sends the headers of a checkpoint, then whatever bytes there are; gives the answer."""

    def send(headers, chunks):
        update = cli.begin()
        head = [
            f"PATCH {cli.path}{update.update}/checkpoint HTTP/1.1",
            "Host: sandbox",
            f"Authorization: update-token {update.lease}",
            *headers,
        ]
        address = urlsplit(sandbox.cloud_url)
        with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
            connection.sendall("\r\n".join([*head, "", ""]).encode())
            try:
                for chunk in chunks:
                    connection.sendall(chunk)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                """The server has heard enough."""
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert cli.post(f"{update.update}/cancel")[0] == 204
        status, _, body = answer.partition(b"\r\n\r\n")
        return int(status.split()[1]), json.loads(body)

    return send


def peak(work):
    """How many bytes of memory some work took at most."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_fifty_people_open_an_environment_at_once(sandbox, esc, make):
    """Each gets what it says."""
    alice = esc(sandbox)
    make(alice, "load", "dev", "values: {a: 1}")

    def open_it(_):
        return alice.open_and_read_environment("contoso", "load", "dev")[1]

    with ThreadPoolExecutor(50) as pool:
        assert list(pool.map(open_it, range(50))) == [{"a": 1}] * 50


def test_five_stacks_are_updated_at_once(cli):
    """Each has its own state in the end, with all of its history."""

    def update(number):
        own = Cli(cli.url, cli.token, f"{cli.stack}-{number}")
        own.init()
        for count in range(1, 4):
            carrying = own.begin()
            for resources in range(count + 1):
                assert carrying.checkpoint(*[{**RESOURCE, "id": number}] * resources)[0] == 204
            assert carrying.record({"sequence": count, "timestamp": 1, "stdoutEvent": {}})[0] == 204
            assert carrying.complete()[0] == 204
        return own.get("/export")[1], [each["resourceCount"] for each in own.get("/updates")[1]["updates"]]

    with ThreadPoolExecutor(5) as pool:
        for number, (exported, counts) in enumerate(pool.map(update, range(5))):
            assert exported == state(*[{**RESOURCE, "id": number}] * 3)
            assert counts == [3, 2, 1]


def test_of_many_starts_on_one_stack_one_succeeds(cli):
    """The others get a 409."""
    updates = [cli.create() for _ in range(10)]
    with ThreadPoolExecutor(10) as pool:
        statuses = sorted(status for status, _ in pool.map(cli.start, updates))
    assert statuses == [200] + [409] * 9
    assert cli.get()[1]["version"] == 1


def test_a_body_that_never_ends_is_cut_off(raw):
    """With a 413, before it fills the memory."""
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"

    def endless():
        while True:
            yield chunk

    answers = []
    assert peak(lambda: answers.append(raw(["Transfer-Encoding: chunked"], endless()))) < 3 * LARGEST_BODY
    ((status, refusal),) = answers
    assert (status, refusal["code"]) == (413, 413)


def test_a_body_that_says_that_it_is_too_long_is_not_read(raw):
    """It gets its 413 at once."""
    assert raw([f"Content-Length: {LARGEST_BODY + 1}"], [])[0] == 413


def test_a_body_that_unpacks_to_too_much_is_refused(raw):
    """A gzip bomb of 10 GB takes no more memory than the largest body."""
    member = gzip.compress(bytes(2**24))
    bomb = io.BytesIO()
    with gzip.GzipFile(fileobj=bomb, mode="wb", compresslevel=1) as packing:
        for _ in range(2 * LARGEST_BODY // 2**24):
            packing.write(bytes(2**24))
    for packed in (bomb.getvalue(), member * 640):
        answers = []
        headers = ["Content-Encoding: gzip", f"Content-Length: {len(packed)}"]
        assert peak(lambda: answers.append(raw(headers, [packed]))) < 3 * LARGEST_BODY  # noqa: B023 - called here
        assert answers[0][0] in (413, 400)


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "x"])
def test_a_body_is_packed_in_gzip_or_not_at_all(raw, encoding):
    """No client packs it in another way."""
    body = gzip.compress(b"{}")
    status, refusal = raw([f"Content-Encoding: {encoding}", f"Content-Length: {len(body)}"], [body])
    assert (status, refusal["code"]) == (415, 415)
    assert "gzip" in refusal["message"]


@pytest.mark.parametrize(
    ("headers", "body", "words"),
    [
        (["Content-Length: 1000"], b'{"version": 3}', ""),
        (["Content-Encoding: gzip", "Content-Length: 9"], b"not gzip!", "the body is not gzip"),
        (["Content-Encoding: gzip", "Content-Length: 20"], gzip.compress(b"x" * 99)[:20], "the body is cut off"),
        (["Content-Length: 2"], b'{"version": 3}', "not a JSON object"),
        (["Content-Length: x"], b"{}", "not a JSON object"),
        (["Transfer-Encoding: chunked"], b"zz\r\n", ""),
    ],
)
def test_a_body_that_is_broken_is_a_bad_request(raw, cli, headers, body, words):
    """And changes nothing."""
    status, refusal = raw(headers, [body])
    assert (status, refusal["code"]) == (400, 400)
    assert words in refusal["message"]
    assert cli.get("/export")[1]["deployment"] == {}


def test_nobody_waits_for_a_slow_client(sandbox, cli):
    """Who sends half of a checkpoint keeps no other from the same stack."""
    update = cli.begin()
    address = urlsplit(sandbox.cloud_url)
    with socket.create_connection((address.hostname, address.port)) as slow:
        head = f"PATCH {cli.path}{update.update}/checkpoint HTTP/1.1\r\nAuthorization: update-token {update.lease}"
        slow.sendall(f"{head}\r\nContent-Length: 99\r\n\r\n{{".encode())
        assert update.checkpoint(RESOURCE)[0] == 204
        assert update.complete()[0] == 204


def test_a_hundred_megabytes_of_state_leave_the_memory_flat(cli):
    """Ten checkpoints of it keep one, packed."""
    resources = [{**RESOURCE, "outputs": {"text": f"{number}" * 2**20}} for number in range(100, 132)]
    update = cli.begin()

    def save():
        for _ in range(3):
            assert update.checkpoint(*resources)[0] == 204

    tracemalloc.start()
    try:
        save()
        before = tracemalloc.get_traced_memory()[0]
        save()
        after, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    size = 3 * 32 * 2**20
    assert size > 100_000_000
    assert after - before < size / 10
    assert most < 8 * size  # the client's own copies among them
    assert update.complete()[0] == 204
    status, exported = cli.get("/export")
    assert (status, len(exported["deployment"]["resources"])) == (200, len(resources))
