"""The fakes are a module beside the tests; sessions import it by name."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
