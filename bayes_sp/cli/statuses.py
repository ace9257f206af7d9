"""Exit statuses of the commands."""

from __future__ import annotations

import signal

OK, USER_MISTAKE, NOT_TRUSTWORTHY, INTERRUPTED = 0, 2, 3, 128 + signal.SIGINT
