#!/usr/bin/env python3
"""Holds the release binary to what is promised of it: what it links, how large it is, what its command line says.

usage: tests/e2e/binary.py
"""
import json
import pathlib
import re
import subprocess
import tempfile

from daemon import QUICKSTART, RELEASE, ROOT
from tally import Tally

SHARED = {"linux-vdso.so.1", "libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2"}
STRIPPED_MB_MAX = 18


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, **options)
    return done.returncode, done.stdout + done.stderr


def linked():
    return {pathlib.Path(line.split()[0]).name for line in run("ldd", RELEASE)[1].splitlines() if line.strip()}


def stripped_mb():
    with tempfile.NamedTemporaryFile() as copy:
        subprocess.run(["strip", "-o", copy.name, RELEASE], check=True)
        return pathlib.Path(copy.name).stat().st_size / 1e6


def glibc_needed():
    versions = re.findall(r"GLIBC_(\d+)\.(\d+)", run("objdump", "-T", RELEASE)[1])
    return max((int(a), int(b)) for a, b in versions)


def main():
    tally = Tally()
    names = linked()
    tally.check("links libc, libm, ld-linux and vdso only", names <= SHARED and "libc.so.6" in names, ", ".join(sorted(names)))
    size = stripped_mb()
    tally.check(f"is smaller than {STRIPPED_MB_MAX} MB stripped", size < STRIPPED_MB_MAX, f"{size:.1f} MB")
    needed = glibc_needed()
    tally.check("needs no glibc newer than Debian 12's", needed <= (2, 36), "GLIBC_%d.%d" % needed)
    status, text = run(RELEASE, "--version")
    tally.check("tells its version", status == 0 and re.fullmatch(r"jackdaw \d+\.\d+\.\d+\n", text), text.strip())
    status, text = run(RELEASE, "--help")
    tally.check("helps", status == 0 and all(word in text for word in ("serve", "validate", "inspect")))
    status, text = run(RELEASE, "validate", QUICKSTART)
    tally.check("validates the quickstart", status == 0 and "2 service(s): 0 error(s)" in text, text.strip())
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(QUICKSTART.read_text().replace("storageUri", "storageURI", 1))
        file.flush()
        status, text = run(RELEASE, "validate", file.name)
        tally.check("names a misspelt field, its place and the right name",
                    status == 1 and f"{file.name}:11:" in text and "storageUri" in text, text.strip())
        status, text = run(RELEASE, "validate", "--json", file.name)
        tally.check("says the same as JSON", status == 1 and json.loads(text)["errors"] >= 1)
    for model in sorted((ROOT / "examples" / "quickstart" / "models").glob("*/*")):
        status, text = run(RELEASE, "inspect", model)
        tally.check(f"inspects {model.parent.name}", status == 0 and len(text.splitlines()) > 3)
    status, text = run(RELEASE, "inspect", ROOT / "tests/data/hostile/call_os_system.pkl")
    tally.check("inspect shows what a hostile pickle would run", status == 0 and "system" in text, text.strip()[:300])
    status, text = run(RELEASE, "serve", "--config", "/nonexistent.yaml")
    tally.check("says which file is not there", status == 1 and "/nonexistent.yaml" in text, text.strip())
    tally.end()


if __name__ == "__main__":
    main()
