"""Manifests and Kconfig files of the packages, read by the tools that their systems read them with.

    lint.py ROOT
"""

import os
import pathlib
import sys
import tempfile

import kconfiglib
import pykwalify.core
import yaml
from platformio.package.manifest.parser import ManifestParserFactory
from platformio.package.manifest.schema import ManifestSchema

ROOT = pathlib.Path(sys.argv[1])

# What a module may say, after "Modules" in Zephyr's documentation; only the keys in use.
MODULE = {
    "type": "map",
    "mapping": {
        "name": {"type": "str", "required": True},
        "build": {
            "type": "map",
            "required": True,
            "mapping": {"cmake": {"type": "str"}, "kconfig": {"type": "str"}},
        },
        "samples": {"type": "seq", "sequence": [{"type": "str"}]},
    },
}

# Symbols of Zephyr that the module names.
ZEPHYR = """
config CPU_CORTEX_M
	def_bool y
config RISCV
	bool
config 64BIT
	bool
config FLASH
	bool "Flash"
config FLASH_MAP
	bool
config FLASH_PAGE_LAYOUT
	bool
config ENTROPY_GENERATOR
	bool "Entropy"
config ENTROPY_HAS_DRIVER
	def_bool y
	depends on ENTROPY_GENERATOR
"""


def zephyr_module():
    path = ROOT / "zephyr/module.yml"
    module = yaml.safe_load(path.read_text())
    pykwalify.core.Core(source_data=module, schema_data=MODULE).validate()
    for place in [f"{module['build']['cmake']}/CMakeLists.txt", module["build"]["kconfig"], *module["samples"]]:
        if not (ROOT / place).exists():
            raise SystemExit(f"{path} names {place}, which does not exist")
    print("zephyr/module.yml: pykwalify", pykwalify.__version__)


def zephyr_kconfig():
    with tempfile.TemporaryDirectory() as folder:
        top = pathlib.Path(folder, "Kconfig")
        top.write_text(f'{ZEPHYR}\nrsource "{os.path.relpath(ROOT / "packages/zephyr/Kconfig", folder)}"\n')
        os.environ["KCONFIG_STRICT"] = "y"
        config = kconfiglib.Kconfig(str(top), warn_to_stderr=False)
        config.load_config(str(ROOT / "packages/zephyr/samples/store/prj.conf"), replace=False)
    # The sample sets symbols of Zephyr that are not stood in for.
    unknown = [w for w in config.warnings if "attempt to assign" not in w]
    if unknown:
        raise SystemExit("\n".join(unknown))
    for name in ("IOTSEC", "IOTSEC_FLASH", "IOTSEC_ENTROPY", "FLASH_MAP", "FLASH_PAGE_LAYOUT"):
        if config.syms[name].str_value != "y":
            raise SystemExit(f"the sample has no {name}")
    print("packages/zephyr/Kconfig: kconfiglib", ".".join(map(str, kconfiglib.VERSION)))


def zephyr_sample():
    sample = yaml.safe_load((ROOT / "packages/zephyr/samples/store/sample.yaml").read_text())
    if not sample["tests"]:
        raise SystemExit("the sample has no test")


def platformio():
    manifest = ManifestParserFactory.new_from_file(str(ROOT / "packages/platformio/library.json")).as_dict()
    # The list of licences is on the network; this is the part of it that is wanted.
    ManifestSchema.load_spdx_licenses = staticmethod(lambda: {"licenses": [{"licenseId": name} for name in ("MIT", "Apache-2.0")]})
    ManifestSchema().load_manifest(manifest)
    print("packages/platformio/library.json: PlatformIO's schema")


zephyr_module()
zephyr_kconfig()
zephyr_sample()
platformio()
