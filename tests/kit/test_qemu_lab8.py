"""Lab 8's tests of Moss, in plain QEMU: no KVM, no Terrarium."""

import unittest
from tests.support import on_qemu

globals().update(on_qemu.variants(__name__, "08-*/tests/system_*.py"))

if __name__ == "__main__":
    unittest.main()
