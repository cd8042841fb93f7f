#!/usr/bin/env python3
"""What `iotsec disclose`, `iotsec doctor` and `iotsec evidence report` write, schemas among it, before validators that others wrote.

usage: documents.py path/to/iotsec root-of-the-repository folder-of-node-modules work

Needs check-jsonschema, junitparser, sectxt, yangson, pyang; in the folder what documents.mjs names, and Microsoft's SARIF
Multitool; gpg. Exit status 0 when every document is
valid and each spoilt copy of one is refused.

A further document is a line in `main`: `validators.check(KIND, path, spoilt=[...])`. A further kind is an entry of
`Validators.kinds`: a function that takes paths and returns for each the reason why it is refused, or None.
"""

import copy
import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import evidence
import mud as yang
from junitparser import JUnitXml
from sectxt import Parser

TIME = "2026-12-08T10:00:00Z"


class Validators:
    """By the kind of document. What it judged is counted, to be shown at the end."""

    def __init__(self, root, node, work):
        self.root, self.node, self.work = root, node, work
        self.seen = {}
        self.schemas = {kind: work / f"{kind}.schema.json" for kind in ("manifest", "advisory", "case")}
        self.mud = yang.model()
        self.kinds = {
            "CycloneDX": self.cyclonedx,
            "CSAF": self.csaf,
            "security.txt": self.security_txt,
            "MUD": self.mud_file,
            "JSON Schema": self.json_schema,
            **{kind: functools.partial(self.toml, schema) for kind, schema in self.schemas.items()},
            "signature": self.signature,
            "SARIF": self.sarif,
            "JUnit": self.junit,
        }

    def check(self, kind, path, spoilt):
        """The document is valid, and each of the copies, which differ in one thing, is not.

        `spoilt` has pairs: what is wrong with a copy, and a function that makes it of the document: of what it says for
        JSON, of its text otherwise.
        """
        path = Path(path)
        text = path.read_text()
        paths = [path]
        for number, (what, change) in enumerate(spoilt):
            copied = self.work / f"spoilt-{number}-{path.name}"
            if path.suffix == ".json":
                value = json.loads(text)
                value = change(value) or value
                copied.write_text(json.dumps(value))
            else:
                copied.write_text(change(text))
            if copied.read_text() == text:
                sys.exit(f"{kind}: {path.name} without change is no copy with {what}")
            paths.append(copied)
        good, *bad = self.kinds[kind](paths)
        if good:
            sys.exit(f"{kind}: {path} is refused: {good}")
        for (what, _), reason in zip(spoilt, bad, strict=True):
            if not reason:
                sys.exit(f"{kind}: {path.name} with {what} is accepted: this check sees nothing")
        valid, refused = self.seen.get(kind, (0, 0))
        self.seen[kind] = (valid + 1, refused + len(bad))

    def cyclonedx(self, paths):
        """The schema of CycloneDX 1.6, strictly, with its formats and the list of SPDX; and that references lead somewhere."""
        reasons = self.judged("cyclonedx", paths)
        return [reason or dangling(path) for reason, path in zip(reasons, paths, strict=True)]

    def csaf(self, paths):
        """The strict schema of CSAF 2.0, and all its mandatory tests."""
        return self.judged("csaf", paths)

    def judged(self, kind, paths):
        """By a validator of the npm registry."""
        command = ["node", self.root / "xtask/interop/documents.mjs", kind, self.node, *paths]
        lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        return [json.loads(line) for line in lines.splitlines()]

    def security_txt(self, paths):
        """The parser of internet.nl."""
        parsers = [Parser(path.read_bytes()) for path in paths]
        return [None if parser.is_valid() else parser.errors for parser in parsers]

    def mud_file(self, paths):
        """The YANG modules of RFC 8520."""
        return [yang.refusal(self.mud, json.loads(path.read_text())) for path in paths]

    def json_schema(self, paths):
        """Its own schema."""
        return checked(paths, "--check-metaschema")

    def toml(self, schema, paths):
        """A schema that `iotsec` wrote."""
        return checked(paths, "--schemafile", schema)

    def signature(self, paths):
        """GnuPG, of a text with its signature."""
        return [refused("gpg", "--batch", "--verify", path) for path in paths]

    def sarif(self, paths):
        """Microsoft's tool, which has the schema and the rules of SARIF 2.1.0; it ends with 0 whatever it finds."""
        tool = self.node / "node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool"
        # The archive of npm has no permissions.
        tool.chmod(0o755)
        # It needs no library for other languages than English.
        alone = {**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
        run = subprocess.run([tool, "validate", *paths], capture_output=True, text=True, env=alone)
        if f"{len(paths)} files scanned" not in run.stdout:
            sys.exit(f"the SARIF Multitool did not read every file: {run.stdout}{run.stderr}")
        errors = [line for line in run.stdout.splitlines() if ": error " in line]
        return [next((line for line in errors if line.startswith(f"{path}(")), None) for path in paths]

    def junit(self, paths):
        """junitparser; and the counts of each suite are those of its cases."""
        return [miscounted(path) for path in paths]


def miscounted(path):
    try:
        for suite in JUnitXml.fromfile(str(path)):
            said = (suite.tests, suite.failures, suite.skipped)
            suite.update_statistics()
            if said != (suite.tests, suite.failures, suite.skipped):
                return f"{suite.name}: says {said}"
    except Exception as error:
        return str(error)
    return None


def refused(*command):
    """The last words of a program that ends with another status than 0."""
    run = subprocess.run(command, capture_output=True, text=True)
    return (run.stdout + run.stderr).strip() or "refused" if run.returncode else None


def checked(paths, *options):
    """What check-jsonschema says of each."""
    run = subprocess.run(["check-jsonschema", "--output-format", "json", *options, *paths], capture_output=True, text=True)
    report = json.loads(run.stdout)
    errors = report.get("errors", []) + report.get("parse_errors", [])
    found = [[error for error in errors if error["filename"] == str(path)] for path in paths]
    if len(errors) != sum(map(len, found)):
        sys.exit(f"check-jsonschema speaks of other files: {errors}")
    return [errors or None for errors in found]


def dangling(path):
    """References of a CycloneDX document that lead to nothing, which no schema sees."""
    file = json.loads(path.read_text())
    names = {component["bom-ref"] for component in file.get("components", [])}
    names.add(file.get("metadata", {}).get("component", {}).get("bom-ref"))
    used = set()
    evidence.references(file, names, used)
    for entry in file.get("dependencies", []):
        used |= {entry["ref"], *entry.get("dependsOn", [])}
    for composition in file.get("compositions", []):
        used |= set(composition.get("dependencies", []))
    for found in file.get("vulnerabilities", []):
        used |= {one["ref"] for one in found["affects"] if not one["ref"].startswith("urn:cdx:")}
    lost = used - names
    return f"references to nothing: {sorted(lost)}" if lost else None


def change(path, value):
    """Sets what a path of keys and numbers leads to; None takes it away."""

    def done(document):
        *above, last = path
        place = document
        for key in above:
            place = place[key]
        if value is None:
            del place[last]
        else:
            place[last] = copy.deepcopy(value)

    return done


def swap(old, new):
    return lambda text: text.replace(old, new, 1)


class Maker:
    """Runs `iotsec`, as a maker does."""

    def __init__(self, iotsec, root, work):
        self.iotsec, self.root, self.work = iotsec, root, work
        self.samples = root / "iotsec-disclosure/samples"
        self.image = work / "lock-1-1.4.0.bin"
        self.image.write_bytes(b"stands for the image of a door lock")

    def run(self, *words):
        run = subprocess.run([self.iotsec, *words], capture_output=True, text=True)
        if run.returncode:
            sys.exit(f"iotsec {' '.join(map(str, words))}: {run.stderr}")

    def disclose(self, *words):
        self.run("disclose", *words, "--time", TIME)

    def sbom(self, manifest, out, *words):
        """Of the firmware that is built here for a microcontroller."""
        cargo = ["--cargo-manifest", self.root / "firmware/Cargo.toml", "--package", "application"]
        cargo += ["--target", "thumbv8m.main-none-eabi"]
        self.disclose("sbom", "--manifest", manifest, "--firmware", self.image, *cargo, "--out", out, *words)


SECURITY_TXT = [
    ("no contact", lambda text: "\n".join(line for line in text.split("\n") if not line.startswith("Contact"))),
    ("no expiry", lambda text: "\n".join(line for line in text.split("\n") if not line.startswith("Expires"))),
    ("an expiry that is over", swap("Expires: 20", "Expires: 19")),
    ("a contact that is no address", swap("Contact: ", "Contact: somebody ")),
]
SBOM = [
    ("another format", change(["bomFormat"], "SPDX")),
    ("a serial number that is none", change(["serialNumber"], "urn:uuid:1")),
    ("a component without a name", change(["components", 0, "name"], None)),
    ("a scope that is none", change(["components", 0, "scope"], "linked")),
    ("a digest that is too short", change(["metadata", "component", "hashes", 0, "content"], "ab")),
    ("a member that the format has not", change(["firmware"], "1")),
    ("a time that is none", change(["metadata", "timestamp"], "yesterday")),
    ("a dependency on nothing", change(["dependencies", 0, "dependsOn", 0], "pkg:cargo/nothing@1.0.0")),
]
VEX = [
    ("a state that is none", change(["vulnerabilities", 0, "analysis", "state"], "harmless")),
    ("a justification that is none", change(["vulnerabilities", 0, "analysis", "justification"], "trust us")),
    ("no reference to what is affected", change(["vulnerabilities", 0, "affects", 0, "ref"], None)),
]
ADVISORY = [
    ("no title", change(["document", "title"], None)),
    ("a severity that the score has not", change(["vulnerabilities", 0, "scores", 0, "cvss_v3", "baseSeverity"], "LOW")),
    ("a score that the vector has not", change(["vulnerabilities", 0, "scores", 0, "cvss_v3", "baseScore"], 9.9)),
    ("a status of a product that is not there", change(["vulnerabilities", 0, "product_status", "fixed", 0], "lock-9")),
    ("a weakness under a wrong name", change(["vulnerabilities", 0, "cwe", "name"], "Guessing")),
    ("a revision that is not the last", change(["document", "tracking", "version"], "1")),
    ("a package URL that is none", change(["product_tree", "branches", 0, "branches", 0, "branches", 0, "product",
                                           "product_identification_helper", "purl"], "lock")),
    ("no weakness", change(["vulnerabilities"], None)),
    ("one release fixed and affected", lambda file: file["vulnerabilities"][0]["product_status"]["fixed"].append(
        file["vulnerabilities"][0]["product_status"]["known_affected"][0])),
]
CSAF_VEX = [
    ("not affected, and not why", lambda file: [file["vulnerabilities"][0].pop(name) for name in ("flags", "threats")] and None),
    ("no number of a weakness", change(["vulnerabilities", 0, "cve"], None)),
]
MUD = [
    ("no time of the update", change(["ietf-mud:mud", "last-update"], None)),
    ("a member that no module has", change(["ietf-mud:mud", "firmware"], "1")),
]
SCHEMA = [
    ("a type that is none", change(["type"], "table")),
    ("a required member that is no name", change(["required"], [1])),
]
MANIFEST = [
    ("a section that is misspelt", swap("[product]", "[produkt]")),
    ("a number where a text belongs", swap("[serial]\nprefix = \"", "[serial]\nprefix = 5 # \"")),
    ("a word that is none", lambda text: text + "\n[identity]\norigin = \"moon\"\n" if "[identity]" not in text
        else text.replace("[identity]\n", "[identity]\nkind = \"rsa\" # ", 1)),
]
WRITTEN = [
    ("a name that is misspelt", swap("title = ", "titel = ")),
    ("a number where a text belongs", swap("title = \"", "title = 5 # \"")),
]
WRITTEN_ADVISORY = [
    ("a state that is none", lambda text: text.replace("is = \"", "is = \"perhaps-", 1)),
    ("a time that is none", swap("date = ", "date = \"yesterday\" # ")),
]
WRITTEN_CASE = [
    ("a kind that is none", swap("kind = \"", "kind = \"small-")),
    ("a time that is none", swap("aware = ", "aware = \"yesterday\" # ")),
]


def signing(maker, validators, manifest):
    """What is signed, with a key of its own for this run."""
    # Sockets of the agent have short names.
    with tempfile.TemporaryDirectory(prefix="iotsec-gpg-") as home:
        os.environ["GNUPGHOME"] = home
        make = ["gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key"]
        subprocess.run([*make, "security@locks.example.com", "ed25519", "sign", "never"], check=True, capture_output=True)
        try:
            public = maker.work / "signed"
            maker.disclose("--manifest", manifest, "--out", public, "--sign-with", "security@locks.example.com")
            validators.check("signature", public / "security.txt", spoilt=[("another contact", swap("locks.", "l0cks."))])
            validators.check("security.txt", public / "security.txt", spoilt=SECURITY_TXT[:1])
            parser = Parser((public / "security.txt").read_bytes())
            if "not_signed" in str(parser.recommendations) or parser.recommendations:
                sys.exit(f"sectxt is not content with the signed file: {parser.recommendations}")
            csaf = maker.work / "csaf-signed"
            advisory = ["--advisory", maker.samples / "lock-advisory.toml", "--firmware", maker.image]
            maker.disclose("csaf", "--manifest", manifest, *advisory, "--out", csaf, "--sign-with", "security@locks.example.com")
            file = csaf / "white/2026/ell-2026-001.json"
            for command in (["gpg", "--batch", "--verify", f"{file}.asc", file], ["sha256sum", "--check", f"{file}.sha256"]):
                run = subprocess.run(command, capture_output=True, text=True, cwd=file.parent)
                if run.returncode:
                    sys.exit(f"{command[0]} refuses the advisory: {run.stderr}")
            metadata = json.loads((csaf / "provider-metadata.json").read_text())
            key = csaf / "openpgp" / metadata["public_openpgp_keys"][0]["url"].rsplit("/", 1)[1]
            shown = subprocess.run(["gpg", "--batch", "--show-keys", "--with-colons", key], capture_output=True, text=True)
            if metadata["public_openpgp_keys"][0]["fingerprint"] not in shown.stdout:
                sys.exit("the key beside provider-metadata.json has another fingerprint")
        finally:
            subprocess.run(["gpgconf", "--kill", "all"], capture_output=True)
            del os.environ["GNUPGHOME"]


def main():
    iotsec, root, node, work = map(Path, sys.argv[1:])
    validators = Validators(root, node, work)
    maker = Maker(iotsec, root, work)
    maker.run("doctor", "--schema", validators.schemas["manifest"])
    for kind in ("advisory", "case"):
        maker.run("disclose", "schema", kind, "--out", validators.schemas[kind])
    for schema in validators.schemas.values():
        validators.check("JSON Schema", schema, spoilt=SCHEMA)
    validators.check("advisory", maker.samples / "lock-advisory.toml", spoilt=WRITTEN + WRITTEN_ADVISORY)
    validators.check("advisory", maker.samples / "lock-vex.toml", spoilt=WRITTEN + WRITTEN_ADVISORY)
    validators.check("case", maker.samples / "lock-case.toml", spoilt=WRITTEN + WRITTEN_CASE)
    for manifest in sorted((root / "examples/products").glob("*/iotsec.toml")):
        validators.check("manifest", manifest, spoilt=MANIFEST)
        if "[disclosure]" not in manifest.read_text():
            continue
        public = work / manifest.parent.name
        maker.disclose("--manifest", manifest, "--out", public)
        validators.check("security.txt", public / "security.txt", spoilt=SECURITY_TXT)
        if (public / "mud.json").exists():
            validators.check("MUD", public / "mud.json", spoilt=MUD)
        maker.sbom(manifest, public / "sbom.json")
        validators.check("CycloneDX", public / "sbom.json", spoilt=SBOM)

    lock, samples = root / "examples/products/lock/iotsec.toml", maker.samples
    statements = ["--advisory", samples / "lock-vex.toml", "--advisory", samples / "lock-advisory.toml"]
    maker.disclose("vex", "--manifest", lock, "--sbom", work / "lock/sbom.json", *statements, "--out", work / "vex.json")
    validators.check("CycloneDX", work / "vex.json", spoilt=VEX)
    maker.sbom(lock, work / "sbom-with-vex.json", *statements)
    validators.check("CycloneDX", work / "sbom-with-vex.json", spoilt=VEX)
    maker.disclose("csaf", "--manifest", lock, *statements, "--firmware", maker.image, "--out", work / "csaf")
    validators.check("CSAF", work / "csaf/white/2026/ell-2026-001.json", spoilt=ADVISORY)
    validators.check("CSAF", work / "csaf/white/2026/ell-2026-002.json", spoilt=CSAF_VEX)
    signing(maker, validators, lock)
    evidence.check(maker, validators, lock)

    counts = [f"{valid} of {kind}" for kind, (valid, _) in validators.seen.items()]
    spoilt = sum(refused for _, refused in validators.seen.values())
    print(f"documents: {', '.join(counts)} valid; {spoilt} spoilt copies refused")


if __name__ == "__main__":
    main()
