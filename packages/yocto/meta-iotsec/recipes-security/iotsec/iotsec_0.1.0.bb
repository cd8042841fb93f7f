# SPDX-License-Identifier: MIT OR Apache-2.0
SUMMARY = "Security for connected devices: the C library of iotsec"
DESCRIPTION = "An encrypted key store, device passwords, signed updates, attestation, telemetry under consent, declared \
interfaces and validated input, for C programs."
HOMEPAGE = "https://github.com/iotsec/iotsec"
BUGTRACKER = "https://github.com/iotsec/iotsec/issues"
SECTION = "libs"
LICENSE = "MIT | Apache-2.0"
LIC_FILES_CHKSUM = " \
    file://LICENSE-MIT;md5=7eee151dfd68a90814b84bc7c1c967b7 \
    file://LICENSE-APACHE;md5=2ee41112a44fe7014dce33e26468ba93 \
"

require ${BPN}-crates.inc

SRC_URI += "git://github.com/iotsec/iotsec.git;protocol=https;nobranch=1;tag=v${PV}"

inherit cargo_c cargo-update-recipe-crates

CARGO_BUILD_FLAGS:append = " --package iotsec-ffi"

FILES:${PN}-dev += "${datadir}/iotsec"
