"""Machine code is kept on disk where that is possible, and compiled all the same where it is not."""

from __future__ import annotations

import pytest

from bayes_sp.jit import cached


def make_compiler(error: str):
    """A compiler that raises when asked for a cache, and says what it was asked for."""

    def compiler(*arguments, cache=False, **options):
        def decorate(function):
            if cache and error:
                raise RuntimeError(error)
            return function, arguments, options, cache

        return decorate

    return compiler


@pytest.mark.parametrize(("error", "cache"), [("", True), ("cannot cache function 'f': no locator available", False)])
def test_the_cache_is_left_out_only_where_none_can_be_written(error, cache):
    """Arguments and options reach the compiler either way."""
    assert cached(make_compiler(error), 1, fast=2)(len) == (len, (1,), {"fast": 2}, cache)


def test_any_other_error_is_not_hidden():
    """A function that cannot be compiled says so."""
    with pytest.raises(RuntimeError, match="something else"):
        cached(make_compiler("something else"))(len)
