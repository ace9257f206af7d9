"""``python -m benchmarks.child MODULE:FUNCTION JSON``: call one function and print its result as the last line."""

import importlib
import json
import sys

if __name__ == "__main__":
    module, _, name = sys.argv[1].partition(":")
    found = getattr(importlib.import_module(f"benchmarks.{module}"), name)(**json.loads(sys.argv[2]))
    print("\n" + json.dumps(found))
