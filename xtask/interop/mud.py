#!/usr/bin/env python3
"""MUD files of `iotsec surface mud`, judged by yangson under the YANG modules of RFC 8520 and RFC 8519.

usage: mud.py path/to/iotsec path/to/iotsec.toml work    (needs yangson, and pyang for the modules)

Files are written into `work`. Exit status 0 when every MUD file is valid, and those that were spoilt on purpose are not.
"""

import copy
import json
import subprocess
import sys
from pathlib import Path

from yangson import DataModel
from yangson.exceptions import YangsonException

# What a validator has to know, with the features that a MUD file uses.
MODULES = {
    "ietf-mud": ("2019-01-28", []),
    "ietf-acldns": ("2019-01-28", []),
    "ietf-access-control-list": (
        "2019-03-04",
        ["match-on-ipv4", "match-on-ipv6", "match-on-tcp", "match-on-udp", "ipv4", "ipv6"],
    ),
    # The list of interfaces, which an access list may name one of.
    "ietf-interfaces": ("2018-02-20", []),
}
IMPORTED = {
    "ietf-packet-fields": "2019-03-04",
    "ietf-ethertypes": "2019-03-04",
    "ietf-inet-types": "2013-07-15",
    "ietf-yang-types": "2013-07-15",
}


def namespace(name):
    return f"urn:ietf:params:xml:ns:yang:{name}"


def model():
    """The data model of a MUD file, and nothing else. pyang brings the modules of the IETF."""
    folder = Path(sys.prefix) / "share/yang/modules/ietf"
    modules = []
    for name, (revision, features) in MODULES.items():
        modules.append(
            {
                "name": name,
                "revision": revision,
                "namespace": namespace(name),
                "feature": features,
                "conformance-type": "implement",
            }
        )
    for name, revision in IMPORTED.items():
        modules.append(
            {"name": name, "revision": revision, "namespace": namespace(name), "conformance-type": "import"}
        )
    library = {"ietf-yang-library:modules-state": {"module-set-id": "mud", "module": modules}}
    return DataModel(json.dumps(library), [str(folder)])


def refusal(data_model, file):
    """Why the file is not valid, or None."""
    try:
        data_model.from_raw(file).validate()
    except YangsonException as error:
        return f"{type(error).__name__}: {error}"
    return None


def first_rule(file):
    return file["ietf-access-control-list:acls"]["acl"][0]["aces"]["ace"][0]


def bad_files(good):
    """Files that differ from a good one in one thing, and what."""

    def change(what, how):
        file = copy.deepcopy(good)
        how(file)
        return what, file

    mud = "ietf-mud:mud"
    return [
        change("no time of the update", lambda file: file[mud].pop("last-update")),
        change("a cache validity of 200 hours", lambda file: file[mud].update({"cache-validity": 200})),
        change("a time without a zone", lambda file: file[mud].update({"last-update": "2026-11-29 09:00"})),
        change("a member that no module has", lambda file: file[mud].update({"firmware": "1"})),
        change("a port beyond 65535", lambda file: port(file).update({"port": 65536})),
        change("an unknown operator", lambda file: port(file).update({"operator": "is"})),
        change("an unknown action", lambda file: first_rule(file)["actions"].update({"forwarding": "allow"})),
        change("a name with a space", lambda file: dns(file).update({"ietf-acldns:dst-dnsname": "a b"})),
        change(
            "a policy that names a list which is not there",
            lambda file: file[mud]["from-device-policy"]["access-lists"]["access-list"][0].update({"name": "x"}),
        ),
        change(
            "two rules of one name",
            lambda file: file["ietf-access-control-list:acls"]["acl"][0]["aces"]["ace"].append(first_rule(file)),
        ),
        change("TCP and UDP at once", lambda file: first_rule(file)["matches"].update({"udp": {"length": 8}})),
    ]


def port(file):
    return first_rule(file)["matches"]["tcp"]["destination-port"]


def dns(file):
    return first_rule(file)["matches"]["ipv4"]


def main():
    iotsec, manifest, work = map(Path, sys.argv[1:])
    data_model = model()
    out = work / "mud.json"
    out.unlink(missing_ok=True)
    # Everything that a table can say, and next to nothing.
    texts = {"sample": manifest.read_text(), **more(manifest.read_text())}
    good = None
    for name, text in texts.items():
        product = work / f"{name}.toml"
        product.write_text(text)
        out.unlink(missing_ok=True)
        command = [iotsec, "surface", "mud", "--manifest", product, "--out", out, "--time", "2026-11-29"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        file = json.loads(out.read_text())
        reason = refusal(data_model, file)
        if reason:
            sys.exit(f"yangson refuses the MUD file of {name}: {reason}")
        good = good or file
    bad = bad_files(good)
    for what, file in bad:
        if refusal(data_model, file) is None:
            sys.exit(f"yangson accepts {what}: this check sees nothing")
    print(f"yangson: {len(texts)} MUD files valid, {len(bad)} bad ones refused")


def more(sample):
    """Other manifests of the same product."""
    head, _ = sample.split("[[surface.service]]", 1)
    entry = '[[surface.{kind}]]\nid = "{id}"\npurpose = "An example"\n'
    protocols = ["https", "mqtts", "tls", "coaps", "dtls", "dns", "ntp", "dhcp"]
    peers = ["controller", "local", "resolver", "time-server"]
    every = head
    for index, protocol in enumerate(protocols):
        for peer in peers:
            every += entry.format(kind="endpoint", id=f"{protocol}-{peer}")
            every += f'peer = "{peer}"\nport = {index + 1}\nprotocol = "{protocol}"\n'
    for index, scope in enumerate(["loopback", "local", "any"]):
        for socket in ["tcp", "udp"]:
            every += entry.format(kind="service", id=f"{socket}-{scope}")
            every += f'{socket} = {index + 1}\nscope = "{scope}"\nauthentication = "none"\n'
    nothing = head + entry.format(kind="radio", id="wifi") + 'kind = "wifi"\n'
    return {"every": every, "nothing": nothing}


if __name__ == "__main__":
    main()
