"""Terminal: a jackdaw command on a pseudo-terminal, as a person has it."""
import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import struct
import termios
import time

from daemon import RELEASE

JACKDAW = pathlib.Path(os.environ.get("JACKDAW_BINARY", RELEASE))


class Terminal:
    """jackdaw on a pseudo-terminal of `columns` and `rows`."""

    def __init__(self, *arguments, home, columns=80, rows=24):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.environ.update(HOME=home, TERM="xterm", XDG_STATE_HOME=home + "/state")
            os.environ.pop("NO_COLOR", None)
            os.execv(JACKDAW, [str(JACKDAW), *[str(argument) for argument in arguments]])
        self.text = ""

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def wait_for(self, pattern, seconds=30):
        """The text up to and with the first match of `pattern` in what came since the last call, or None."""
        end = time.monotonic() + seconds
        while True:
            found = re.search(pattern, self.text, re.S)
            if found:
                before, self.text = self.text[:found.end()], self.text[found.end():]
                return before
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                return None
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                data = b""
            if not data:
                return None
            self.text += data.decode(errors="replace")

    def end(self, seconds=10):
        """The exit status, None when it had to be killed."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            self.wait_for("(?!)", 0.05)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return None

    def all(self, seconds=10):
        """Everything until the command ends."""
        self.wait_for("(?!)", seconds)
        text, self.text = self.text, ""
        return text
