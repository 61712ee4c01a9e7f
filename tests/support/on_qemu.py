"""The tests of Moss that the labs have for Terrarium, made for QEMU: the same classes, on another machine."""

import glob
import importlib.util
import os
import re

from tests.support import moss


def variants(module_name, pattern):
    """For that module: a subclass that uses QEMU for each class of moss.TestCase in the labs' test files of this pattern, by its name."""
    classes = {}
    for path in sorted(glob.glob(os.path.join(moss.ROOT, "labs", pattern))):
        spec = importlib.util.spec_from_file_location(re.sub(r"\W", "_", os.path.basename(path)), path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for name, tests in vars(module).items():
            if isinstance(tests, type) and issubclass(tests, moss.TestCase) and tests.__module__ == spec.name:
                name = f"{name}InQemu"
                if name in classes:
                    raise ValueError(f"{path}: another file of the lab has a class {tests.__name__}, too")
                hidden = {test: None for test in dir(tests) if hasattr(getattr(tests, test), "only_terrarium")}
                classes[name] = type(name, (tests,), {"machine": moss.QEMU, "__module__": module_name, **hidden})
    if not classes:
        raise ValueError(f"labs/{pattern}: no test of Moss there")
    return classes
