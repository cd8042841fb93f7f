"""Reports of `iotsec evidence`, for a small package with one test and a claim about it."""

import subprocess
import sys

PACKAGE = {
    "Cargo.toml": """
[package]
name = "door"
version = "1.0.0"
edition = "2024"
[workspace]
[profile.dev]
debug = "limited"
""",
    "src/lib.rs": "pub struct Door;\nimpl Door {\n    #[inline(never)]\n    pub fn open(&self, guess: usize) -> bool { guess == 7 }\n}\n",
    "src/main.rs": "fn main() { println!(\"{}\", door::Door.open(std::env::args().count())); }\n",
    "tests/owner.rs": "#[test]\nfn a_stranger_stands_outside() { assert!(!door::Door.open(8)); }\n",
}

CLAIM = """
[[claim]]
provision = "5.5-4"
claims = "The door opens for nobody but its owner"
test = "door::owner::a_stranger_stands_outside"
code = "door::Door::open"
"""


def check(maker, validators, lock):
    """Makes a record and its reports for both editions, and has them judged."""
    folder = maker.work / "door"
    for name, text in PACKAGE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    subprocess.run(["cargo", "build", "--quiet", "--offline", "--target-dir", "target"], check=True, cwd=folder)
    manifest = folder / "iotsec.toml"
    manifest.write_text(lock.read_text() + CLAIM)
    key, record = folder / "maker", folder / "door.record"
    maker.run("key", "new", key)
    words = ["--manifest", manifest, "--firmware", folder / "target/debug/door", "--tests", folder]
    gaps(maker, "evidence", "run", *words, "--key", key, "--out", record)
    for edition in ("v2", "v3"):
        out = folder / edition
        words = ["--record", record, "--key", f"{key}.pub", "--edition", edition]
        gaps(maker, "evidence", "report", *words, "--out", out)
        validators.check("SARIF", out / "gaps.sarif", spoilt=[("no message", swap('"message"', '"massage"'))])
        validators.check("JUnit", out / "junit.xml", spoilt=[("a failure more", swap('failures="', 'failures="1'))])
        validators.check("CycloneDX", out / "attestations.cdx.json", spoilt=ATTESTATIONS)
        validators.check("CycloneDX", out / "en_303_645.cdx.json", spoilt=STANDARD)


def gaps(maker, *words):
    """A door shows little of what a lock has to show, which is what the reports are about."""
    run = subprocess.run([maker.iotsec, *words], capture_output=True, text=True)
    if run.returncode != 1 or "evidence.not-linked" not in run.stderr:
        sys.exit(f"iotsec {' '.join(map(str, words))}: {run.stdout}{run.stderr}")


def swap(old, new):
    return lambda text: text.replace(old, new)


def lost_claim(file):
    file["declarations"]["attestations"][0]["map"][0]["claims"] = ["claim-of-nobody"]


def high_score(file):
    file["declarations"]["attestations"][0]["map"][0]["conformance"]["score"] = 2


def lost_parent(file):
    file["definitions"]["standards"][0]["requirements"][-1]["parent"] = "nowhere"


def nameless(file):
    del file["definitions"]["standards"][0]["requirements"][-1]["bom-ref"]
    file["definitions"]["standards"][0]["requirements"][-1]["reference"] = "x"


ATTESTATIONS = [("a claim that is not there", lost_claim), ("a score above 1", high_score)]
STANDARD = [("a parent that is not there", lost_parent), ("a key that is not known", nameless)]


def references(file, names, used):
    """What standards and attestations of a CycloneDX document define, and what they refer to."""
    for standard in file.get("definitions", {}).get("standards", []):
        names |= {standard["bom-ref"], *(one.get("bom-ref") for one in standard["requirements"])}
        used |= {one["parent"] for one in standard["requirements"] if "parent" in one}
    said = file.get("declarations", {})
    for kind in ("assessors", "claims", "evidence"):
        names |= {one["bom-ref"] for one in said.get(kind, [])}
    names |= {one["bom-ref"] for one in said.get("targets", {}).get("components", [])}
    for attestation in said.get("attestations", []):
        used.add(attestation["assessor"])
        for entry in attestation["map"]:
            used |= {entry["requirement"], *entry["claims"], *entry["counterClaims"]}
    for claim in said.get("claims", []):
        used |= {claim["target"], *claim["evidence"], *claim["counterEvidence"]}
