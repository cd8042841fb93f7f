//! What others publish about theirs.

/// The section of the document.
pub(super) fn section() -> &'static str {
    "\n## Others\n\n\
What others publish, with what they say of target and flags. None was measured here, and no two count the same: a boot loader \
with start-up code and drivers beside a library's difference to an image that does nothing. To be read as orders of magnitude.\n\n\
| what | flash (bytes) | RAM (bytes) | target and flags | source |\n|---|--:|--:|---|---|\n\
| MCUboot, Ed25519, on Zephyr | 40422 | – | nrf52840dk, Zephyr's defaults | [mcuboot#2089](https://github.com/mcu-tools/mcuboot/pull/2089) |\n\
| MCUboot as the boot loader of TF-M (BL2), profile small | 18740 | 25240 | not said | [TF-M forum, 2022](https://www.trustedfirmware.org/docs/tech_forum_20220808_Memory_footprint_distribution_by_profiles.pdf) |\n\
| TF-M, secure side, profile small: crypto, storage, attestation | 48057 | 19179 | not said | the same |\n\
| TF-M, secure side, profile medium | 77106 | 44679 | not said | the same |\n\
| wolfBoot, Ed25519, at most | 11696 | – | its CI's limit, `NO_ARM_ASM=1`, other settings its defaults | [test.mk at 07512ec](https://github.com/wolfSSL/wolfBoot/blob/07512ec988d64ec9b25ddd6d04ae01b452cdd442/tools/test.mk) |\n\
| wolfBoot, ECDSA P-256, at most | 18944 | – | the same; 13840 with `NO_ASM=1` | the same |\n\
| wolfBoot without signatures, at most | 5040 | – | the same | the same |\n\
| P-256 of RustCrypto | about 49 KiB | – | STM32WLE5; 14.3 million cycles to verify | [p256-cm4](https://docs.rs/crate/p256-cm4/latest) |\n\
| P-256 in assembly (p256-cm4) | about 10 KiB | – | STM32WLE5; 1.2 million cycles to verify | the same |\n\
| Memfault's SDK, typical: coredumps, logs, metrics | about 5 KB | about 1.5 KB | not said | [its documentation](https://docs.memfault.com/docs/mcu/introduction/) |\n\n\
A boot loader of ours beside wolfBoot's pays for a manifest instead of a header: a strict CBOR reader, COSE, conditions \
and commands.\n"
}
