#!/usr/bin/env python3
"""Patches between `iotsec` and detools, in both directions.

usage: delta.py path/to/iotsec    (needs detools)

Exit status 0 when every patch makes the image that it is for.
"""

import io
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import detools

RNG = random.Random(53)
IOTSEC = Path(sys.argv[1]).resolve()
WORK = Path(tempfile.mkdtemp())


def iotsec(*arguments):
    return subprocess.run([IOTSEC, *map(str, arguments)], capture_output=True, text=True)


def image(size):
    """Neither noise nor repetition: what code looks like to a compressor."""
    words = [RNG.randbytes(RNG.randrange(2, 12)) for _ in range(200)]
    return b"".join(RNG.choice(words) for _ in range(size // 6 + 1))[:size]


def changed(old):
    """Bytes edited, runs put in, taken out and moved."""
    new = bytearray(old)
    for _ in range(RNG.randrange(1, 12)):
        at, length = RNG.randrange(len(new) + 1), RNG.randrange(1, 300)
        match RNG.randrange(4):
            case 0:
                new[at:at + 4] = RNG.randbytes(4)
            case 1:
                new[at:at] = RNG.randbytes(length)
            case 2:
                del new[at:at + length]
            case 3:
                run = new[at:at + length]
                del new[at:at + length]
                to = RNG.randrange(len(new) + 1)
                new[to:to] = run
    return bytes(new)


cases = 0
for number in range(16):
    old = image(RNG.randrange(1, 30000))
    new = changed(old) if number % 4 else image(RNG.randrange(1, 8000))
    from_file, to_file = WORK / f"{number}.old", WORK / f"{number}.new"
    from_file.write_bytes(old)
    to_file.write_bytes(new)
    for compression in ["heatshrink", "none"]:
        patch = WORK / f"{number}.{compression}.patch"
        made = iotsec("update", "delta", "--from", from_file, "--to", to_file, "--compression", compression, "--out",
                      patch)
        assert made.returncode == 0, made.stderr
        out = io.BytesIO()
        detools.apply_patch(io.BytesIO(old), io.BytesIO(patch.read_bytes()), out)
        assert out.getvalue() == new, patch
        cases += 1
    for compression in ["heatshrink", "none", "crle"]:
        patch, out = WORK / f"{number}.{compression}.theirs", WORK / f"{number}.{compression}.out"
        made = io.BytesIO()
        detools.create_patch(io.BytesIO(old), io.BytesIO(new), made, compression=compression)
        patch.write_bytes(made.getvalue())
        applied = iotsec("update", "apply", "--from", from_file, "--patch", patch, "--out", out)
        assert applied.returncode == 0, (patch, applied.stderr)
        assert out.read_bytes() == new, patch
        cases += 1
print(f"delta: {cases} patches make their image")
