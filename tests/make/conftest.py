"""The engine's fakes live in a module of their own, which worker processes import too."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
