#!/usr/bin/env python3
"""Patches by detools applied by `iotsec`, and patches by `iotsec` applied by detools, over random edits.

    cargo build --release -p iotsec-cli
    python3 vectors/delta/interop.py target/release/iotsec [SCENARIOS] [SEED]

Needs `pip install detools==0.53.0`. A failing scenario is named with its seed.
"""

import io
import pathlib
import random
import subprocess
import sys
import tempfile

import detools

from generate import code, patch


def edits(rng):
    """An image, and what became of it."""
    old = rng.choice([
        lambda: code(rng.randrange(1, 200)),
        lambda: rng.randbytes(rng.randrange(1, 8000)),
        lambda: bytes(rng.choices(b"\0\xffab", k=rng.randrange(1, 8000))),
        lambda: code(60) + bytes(rng.randrange(2000)) + rng.randbytes(500),
    ])()
    at = rng.randrange(len(old))
    end = min(len(old), at + rng.randrange(600))
    name, new = rng.choice([
        ("identical", lambda: old),
        ("string", lambda: old[:at] + rng.randbytes(5) + old[at + 5:]),
        ("insertion", lambda: old[:at] + rng.randbytes(rng.randrange(1, 300)) + old[at:]),
        ("removal", lambda: (old[:at] + old[end:]) or b"x"),
        ("truncation", lambda: old[:at + 1]),
        ("growth", lambda: old + rng.randbytes(rng.randrange(1, 2000))),
        ("moved", lambda: old[at:] + old[:at]),
        ("addresses", lambda: bytes((byte + 4 * (place % 16 == 0)) & 255 for place, byte in enumerate(old))),
        ("byte", lambda: rng.randbytes(1)),
        ("unrelated", lambda: rng.randbytes(rng.randrange(1, 3000))),
        ("twice", lambda: old + old),
    ])
    return name, old, new()


def main(iotsec, scenarios="150", seed="1"):
    iotsec = pathlib.Path(iotsec).resolve()
    total = {"detools": 0, "iotsec": 0}
    for number in range(int(seed), int(seed) + int(scenarios)):
        rng = random.Random(number)
        name, old, new = edits(rng)
        window = rng.randrange(4, 13)
        lookahead = rng.randrange(3, window)
        kind = rng.choice(["heatshrink", "heatshrink", "heatshrink", "none", "crle"])
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)

            def run(*words):
                subprocess.run([iotsec, "update", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)

            (folder / "old").write_bytes(old)
            (folder / "new").write_bytes(new)
            theirs = patch(old, new, compression=kind, heatshrink_window_sz2=window,
                           heatshrink_lookahead_sz2=lookahead)
            (folder / "theirs").write_bytes(theirs)
            run("apply", "--from", "old", "--patch", "theirs", "--out", "made")
            kinds = ["--compression", "none" if kind == "none" else "heatshrink"]
            run("delta", "--from", "old", "--to", "new", "--out", "ours", *kinds,
                "--window", str(window), "--lookahead", str(lookahead))
            ours = (folder / "ours").read_bytes()
            made = io.BytesIO()
            detools.apply_patch(io.BytesIO(old), io.BytesIO(ours), made)
            if (folder / "made").read_bytes() != new or made.getvalue() != new:
                sys.exit(f"scenario {number} ({name}, {kind}, {window}, {lookahead}) differs")
        if kind == "heatshrink":
            total["detools"] += len(theirs)
            total["iotsec"] += len(ours)
    print(f"{scenarios} scenarios, exact both ways; heatshrink patches: {total['detools']} bytes by detools, "
          f"{total['iotsec']} by iotsec")


if __name__ == "__main__":
    main(*sys.argv[1:])
