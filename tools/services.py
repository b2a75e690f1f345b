"""Make sure that what the tests run against is installed: PostgreSQL, MariaDB, Chromium and SoftHSM.

As root they are installed from Debian's packages; otherwise a message names what is missing.
"""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys
from collections.abc import Callable

NEEDED: dict[str, Callable[[], object]] = {
    "postgresql": lambda: glob.glob("/usr/lib/postgresql/*/bin/initdb") or shutil.which("initdb"),
    "mariadb-server": lambda: shutil.which("mariadbd") or glob.glob("/usr/sbin/mariadbd"),
    "chromium-headless-shell": lambda: shutil.which("chromium-headless-shell"),
    "softhsm2": lambda: shutil.which("softhsm2-util"),
}


def main() -> int:
    missing = [package for package, is_there in NEEDED.items() if not is_there()]
    if not missing:
        return 0
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print(f"the tests need: {' '.join(missing)}\non Debian, as root: apt-get install {' '.join(missing)}")
        return 1
    print(f"installing for the tests: {' '.join(missing)}", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-qq", "--no-install-recommends", *missing]):
        result = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if result.returncode != 0:
            print(result.stdout.decode(errors="replace")[-2000:])
            return result.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
