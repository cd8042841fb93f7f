"""A description's JSON Schema and CDDL against documents that the device judged.

Usage: input_documents.py SCHEMA CDDL DOCUMENTS

What the device accepts, both schemas accept. What it refuses for its shape, both refuse. What the parser of a text
refuses, a schema may accept: it knows less.
"""

import json
import re
import sys

import jsonschema
import pycddl

schema_path, cddl_path, documents_path = sys.argv[1:]
schema = json.load(open(schema_path))
jsonschema.Draft202012Validator.check_schema(schema)
by_json = jsonschema.Draft202012Validator(schema)

cddl = open(cddl_path).read()
pycddl.Schema(cddl)
# pycddl looks for a regular expression anywhere in the text, where RFC 8610, 3.8.3 has it match the whole, and does not
# look at what `.default` is said of.
cddl = re.sub(r'\.regexp "((?:[^"\\]|\\.)*)"', r'.regexp "^(\1)$"', cddl)
cddl = re.sub(r' \.default ("[^"]*"|\S+),', ",", cddl)
by_cddl = pycddl.Schema(cddl)


def cddl_accepts(encoded):
    try:
        by_cddl.validate_cbor(encoded)
        return True
    except pycddl.ValidationError:
        return False


counts = {}
wrong = []
for line in open(documents_path):
    case = json.loads(line)
    verdicts = (by_json.is_valid(case["document"]), cddl_accepts(bytes.fromhex(case["cbor"])))
    key = (case["verdict"], *verdicts)
    counts[key] = counts.get(key, 0) + 1
    expected = {
        "valid": (True, True),
        "invalid": (False, False),
        # pycddl does not look for other keys in maps that stand in arrays.
        "unknown": (False, verdicts[1]),
    }.get(case["verdict"], verdicts)
    if verdicts != expected:
        wrong.append((case["verdict"], verdicts, case["document"]))

for (verdict, by_schema, by_rule), count in sorted(counts.items()):
    print(f"documents: {count} {verdict} on the device, JSON Schema {by_schema}, CDDL {by_rule}")
for case in wrong[:10]:
    print("judged otherwise:", *case)
valid = sum(count for key, count in counts.items() if key[0] == "valid")
invalid = sum(count for key, count in counts.items() if key[0] == "invalid")
sys.exit(bool(wrong) or valid < 100 or invalid < 100)
