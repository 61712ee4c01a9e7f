"""Commands for gdb that know Moss and Terrarium: `make gdb` loads them; elsewhere type `source scripts/gdb/terrarium.py`.

Each command is a file beside this one. All that they know of Moss's structures they ask of its debugging information.
"""

import glob
import importlib
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
OTHERS = {os.path.basename(path)[:-3] for path in glob.glob(os.path.join(HERE, "*.py"))} - {"terrarium", "kernel"}

sys.dont_write_bytecode = True
if HERE not in sys.path:
    sys.path.insert(0, HERE)
for name in ["kernel", *sorted(OTHERS)]:
    if name in sys.modules:  # sourced again: a file may have changed
        importlib.reload(sys.modules[name])
    else:
        importlib.import_module(name)
