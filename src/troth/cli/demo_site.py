"""WSGI application of the demo: Troth under its own paths, the example company's website everywhere else."""

from __future__ import annotations

import os

from example_voice import Settings, website

from troth.service.wsgi import mounted

application = mounted(website(Settings.from_environment(os.environ)))
