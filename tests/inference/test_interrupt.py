"""An interrupted sampler leaves nothing that looks finished."""

from __future__ import annotations

import os
import signal
import threading

import pytest

import bayes_sp as sp


def test_an_interrupt_while_sampling_is_an_interrupt(study_survey):
    """One long chain, interrupted, gives no fit of fewer draws than were asked for."""
    sp.fit("process4", study_survey, seed=1, options=sp.SamplerOptions(draws=50, chains=1))  # compiled beforehand
    timer = threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        sp.fit("primary", study_survey, seed=1, options=sp.SamplerOptions(draws=400_000, chains=1))
    timer.join()
    signal.signal(signal.SIGINT, before)
