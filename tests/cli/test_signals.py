"""Signals to `esc-oidc sandbox` and to the command in it."""

import os
import signal
import sys

import pytest

from esc_oidc.cli.sandboxing import Signals
from tests.support.command import PATIENCE

pytest.importorskip("pty", reason="signals and terminals as POSIX has them")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_go_to_the_command_and_everything_is_cleaned_up(start, left, number):
    """The command decides how to end: this one takes a moment and exits with its own status."""
    trap = f"trap 'sleep 0.3; exit 9' {number.name[3:]}; echo ready; while :; do sleep 0.05; done"
    process = start("--", "sh", "-c", trap)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    assert process.wait(PATIENCE) == 9
    assert left() == []


def test_a_command_killed_by_a_signal_exits_with_128_plus_its_number(start, left):
    """SIGTERM to us is SIGTERM to it: 143."""
    process = start("--", "sh", "-c", "echo ready; exec sleep 600")
    assert process.stdout.readline() == "ready\n"
    process.terminate()
    assert process.wait(PATIENCE) == 143
    assert left() == []


@pytest.mark.parametrize(("group", "interrupts", "patience"), [("", 1, PATIENCE), ("os.setpgid(0, 0)", 0, 2)])
def test_one_ctrl_c_in_a_terminal_is_one_interrupt(start, left, group, interrupts, patience):
    """The terminal sends it to the command too, so we must not: pulumi gives up at the second one.

    Two that come at once are seen as one; but a command outside the terminal's foreground could have it from us only.
    """
    count = (
        "import os, signal, time; got = []; signal.signal(signal.SIGINT, lambda *_: got.append(1))\n"
        f"{group}\n"
        f"print('ready', flush=True); end = time.monotonic() + {patience}\n"
        "while not got and time.monotonic() < end: time.sleep(0.02)\n"
        "time.sleep(1)\n"
        "print('interrupts:', len(got))"
    )
    terminal = [sys.executable, "-c", "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"]
    process = start("--", sys.executable, "-c", count, wrapper=terminal)
    assert process.stdout.readline().strip() == "ready"
    process.stdin.write("\x03")
    process.stdin.flush()
    assert f"interrupts: {interrupts}" in process.stdout.read()
    assert process.wait(PATIENCE) == 0
    assert left() == []


def test_an_early_signal_keeps_the_command_from_starting(tmp_path):
    """A signal while the servers start ends everything at once."""
    with Signals() as signals:
        os.kill(os.getpid(), signal.SIGTERM)
        assert signals.run(["touch", str(tmp_path / "started")], os.environ) == 143
    assert not (tmp_path / "started").exists()


def test_an_ignored_signal_stays_ignored():
    """As under nohup, a closed terminal ends neither us nor the command; the handlers are restored afterwards."""
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Signals() as signals:
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) is not handlers[1]
            assert signals.run(["sh", "-c", "kill -HUP $$; exit 3"], os.environ) == 3
    finally:
        signal.signal(signal.SIGHUP, before)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers
