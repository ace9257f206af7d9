"""The command line as a process of its own: from the first import to the exit status."""

from __future__ import annotations

import contextlib
import gc
import sys
from typing import NoReturn

from bayes_sp.cli.stopping import Stopped, Watch, last_line, open_streams, stop_when_told, told
from bayes_sp.unneeded import leave_out


def run() -> NoReturn:
    """Run the command of ``sys.argv`` and end the process with its status, see `bayes_sp.cli.main.main`."""
    status = None
    open_streams()
    leave_out()
    with contextlib.suppress(KeyboardInterrupt, Stopped):  # before the command began, or after it had ended
        stop_when_told()
        with Watch():
            from bayes_sp.cli.main import main

            status = main(alone=True)
    if status is None and told.may_say():
        sys.stderr.write(last_line(told.number))
    gc.freeze()  # what ends with the process is not searched for garbage again, for a twelfth of a small fit's time
    sys.exit(128 + told.number if status is None else status)
