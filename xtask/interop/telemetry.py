#!/usr/bin/env python3
"""What `iotsec telemetry export` writes, read by what others wrote.

    telemetry.py IOTSEC FOLDER

OTLP: the protocol's own message types, whose JSON reader refuses unknown names. OCSF: JSON Schema made from the
published schema of the pinned version. Syslog: a parser of RFC 5424, fed with a registry whose names and labels try to
break out of their places. AWS: the report that the agent of AWS IoT Device Defender makes of the same ports, with the
keys that it has. JSON lines: what the other formats say is compared with them.
"""

import json
import pathlib
import subprocess
import sys

from AWSIoTDeviceDefenderAgentSDK.metrics import Metrics
from google.protobuf.json_format import Parse
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from syslog_rfc5424_parser import ParseError, SyslogMessage

iotsec, folder = sys.argv[1], pathlib.Path(sys.argv[2]) / "telemetry"
OCSF = "1.6.0"


def run(*words):
    return subprocess.run([iotsec, *map(str, words)], check=True, capture_output=True, text=True).stdout


run("telemetry", "demo", "--out", folder)
source = ["--registry", folder / "registry.cbor", "--keys", folder / "keys", folder / "inbox"]


def export(form):
    return run("telemetry", "export", "--format", form, *source)


events = [json.loads(line) for line in export("json").splitlines()]
assert len(events) == 520, len(events)

request = Parse(export("otlp"), ExportLogsServiceRequest())
records = [
    (next(a.value.string_value for a in of.resource.attributes if a.key == "device.id"), record)
    for of in request.resource_logs
    for scope in of.scope_logs
    for record in scope.log_records
]
assert len(records) == len(events)
for (device, record), event in zip(records, events):
    attributes = {a.key: a.value for a in record.attributes}
    assert (device, record.event_name) == (event["device"], event["event"])
    assert attributes["iotsec.sequence"].int_value == event["sequence"]
    assert (record.time_unix_nano == 0) == (event["time"] is None)
    for name, value in event["fields"].items():
        told = attributes[name]
        assert value == (told.string_value if isinstance(value, str) else told.int_value), name
print(f"OTLP: {len(records)} log records read by opentelemetry-proto, each as in JSON")

schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=OCSF))
validators, seen = {}, {}
findings = [json.loads(line) for line in export("ocsf").splitlines()]
for finding in findings:
    uid = finding["class_uid"]
    if uid not in validators:
        name = schema.lookup_class_name_from_uid(class_uid=uid)
        validators[uid] = Draft202012Validator(schema.get_class_schema(class_name=name, profiles=[]))
    validators[uid].validate(finding)
    assert finding["metadata"]["version"] == OCSF and finding["type_uid"] == uid * 100 + finding["activity_id"]
    seen[uid] = seen.get(uid, 0) + 1
    broken = dict(finding, severity_id="high")
    assert not validators[uid].is_valid(broken)
assert len(findings) == sum(event["class"] in ("critical", "security") for event in events)

# Every class, and names that try to end a line, a value or a field.
hostile = 'a"b]c\\d\n<1>1 - e=f'
names = ["login.failed", "net.connect_failed", "net.listen_new", "tls.rejected", "config.changed", "boot.reset", hostile]
description = {
    "events": [
        {
            "id": at,
            "name": name,
            "class": "security",
            "why": name,
            "fields": [{"name": hostile, "labels": [hostile]}, {"name": "n", "min": 0, "max": 0}],
        }
        for at, name in enumerate(names)
    ]
}
(folder / "hostile.json").write_text(json.dumps(description))


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out + bytes([number]))


def batch(key, registry, codes):
    """A batch as iotsec-telemetry/FORMAT.md describes it, made without our code."""
    import cbor2
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    domain, salt, nonce = b"iotsec/telemetry/batch/v1", b"saltsalt", b"nonce-nonce-"
    numbers = varint(codes[0] + 1) + b"".join(varint(60) + varint(code + 1) for code in codes[1:])
    plain = cbor2.dumps([1, registry, 0, 7, 1_780_000_000, [], [[0, 0, 5, numbers]]])
    plain = plain.ljust(256 - 50, b"\0")
    derived = HKDF(SHA256(), 32, salt, domain + b"/key").derive(key)
    protected = cbor2.dumps({1: 24})
    aad = cbor2.dumps(["Encrypt0", protected, domain])
    sealed = ChaCha20Poly1305(derived).encrypt(nonce, plain, aad)
    return cbor2.dumps(cbor2.CBORTag(16, [protected, {4: salt, 5: nonce}, sealed]))


shown = json.loads(run("telemetry", "registry", folder / "hostile.json", "--json"))
key = bytes(range(32))
(folder / "one.key").write_bytes(key)
box = folder / "EVIL device]"
box.mkdir()
message = batch(key, bytes.fromhex(shown["registry"]), range(len(names)))
assert len(message) == 256
(box / "1.batch").write_bytes(message)
source = ["--registry", folder / "hostile.json", "--key", folder / "one.key", box]
told = [json.loads(line) for line in export("json").splitlines()]
assert [event["event"] for event in told] == names and all(event["fields"][hostile] == hostile for event in told)
for line in export("ocsf").splitlines():
    finding = json.loads(line)
    uid = finding["class_uid"]
    if uid not in validators:
        name = schema.lookup_class_name_from_uid(class_uid=uid)
        validators[uid] = Draft202012Validator(schema.get_class_schema(class_name=name, profiles=[]))
    validators[uid].validate(finding)
    seen[uid] = seen.get(uid, 0) + 1
assert set(seen) == {2004, 3002, 4001, 5019}, seen
print(f"OCSF {OCSF}: valid by ocsf-json-schema, by class: {seen}")

lines = export("syslog").splitlines()
assert len(lines) == len(names)
for line, name in zip(lines, names):
    parsed = SyslogMessage.parse(line)
    (parameters,) = parsed.sd.values()
    assert parsed.hostname == "EVIL?device]" and parsed.appname == "iotsec"
    assert hostile.replace("\n", "?") in [
        str(value).replace('\\"', '"').replace("\\]", "]").replace("\\\\", "\\") for value in parameters.values()
    ], parameters
    try:
        SyslogMessage.parse(line.replace(" iotsec ", " ", 1).replace("]", "", 1))
        raise AssertionError("the parser takes anything")
    except ParseError:
        pass
assert len(export("otlp").splitlines()) == 1
Parse(export("otlp"), ExportLogsServiceRequest())
print(f"syslog: {len(lines)} messages read by syslog-rfc5424-parser, names and labels hostile; batch made by Python")

# Ports that the detector of listeners reported: with one event in the registry, a code is transport + 2 * port.
listener = {
    "id": 1,
    "name": "iotsec.listener",
    "class": "security",
    "why": "Shows what was opened",
    "fields": [{"name": "transport", "labels": ["tcp", "udp"]}, {"name": "number", "min": 0, "max": 65535}],
}
(folder / "listener.json").write_text(json.dumps({"events": [listener]}))
shown = json.loads(run("telemetry", "registry", folder / "listener.json", "--json"))
box = folder / "hub"
box.mkdir()
opened = [(0, 23), (1, 5353), (0, 8080)]
codes = [transport + 2 * port for transport, port in opened]
(box / "1.batch").write_bytes(batch(key, bytes.fromhex(shown["registry"]), codes))
listening = ["--registry", folder / "listener.json", "--key", folder / "one.key", box]
fleet = ["--registry", folder / "registry.cbor", "--keys", folder / "keys", folder / "inbox"]
reports = 0
for words, short in [(["aws", "--report-id", 9], False), (["aws", "--report-id", 9, "--short"], True)]:
    for source in (fleet, listening):
        for line in run("telemetry", "export", "--format", *words, *source).splitlines():
            report = json.loads(line)
            agent = Metrics(short_names=short)
            names, agent._timestamp = agent.t, 9
            for protocol, tag in [("TCP", names.listening_tcp_ports), ("UDP", names.listening_udp_ports)]:
                if source is listening:
                    assert report[names.metrics][tag][names.total] == {"TCP": 2, "UDP": 1}[protocol]
                ports = report[names.metrics].get(tag, {}).get(names.ports, [])
                if ports:
                    agent.add_listening_ports(protocol, ports)
            # The agent has one metric of its own to show the form of all.
            agent.add_cpu_usage(1)
            theirs = json.loads(agent.to_json_string())
            (form,) = theirs[names.custom_metrics].values()
            for name, ours in report[names.custom_metrics].items():
                assert [list(item) for item in ours] == [list(item) for item in form], name
                assert all(type(item["number"]) is int for item in ours)
            theirs[names.custom_metrics] = report[names.custom_metrics]
            assert report == theirs, (report, theirs)
            reports += 1
assert reports > 2
print(f"AWS IoT Device Defender: {reports} reports as its agent makes them, with long keys and short ones")
