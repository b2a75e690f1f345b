"""The website as a WSGI server loads it: ``granian --interface wsgi --working-dir site app:application``.

The code is in the package ``example_voice`` beside this folder, because Python keeps the name ``site`` for itself.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from example_voice import Settings, website

application = website(Settings.from_environment(os.environ))
