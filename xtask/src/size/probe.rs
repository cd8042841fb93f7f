//! What is measured.

/// The name of each image, and what its row says.
pub(super) const PROBES: &[(&str, &str)] = &[
    ("sha256", "SHA-256 of 4 KiB"),
    ("hkdf", "HKDF-SHA-256, one 32-byte key"),
    (
        "chacha20_poly1305",
        "ChaCha20-Poly1305, 256 bytes sealed and opened",
    ),
    ("aes256_gcm_siv", "AES-256-GCM-SIV, 256 bytes sealed and opened"),
    (
        "chacha20_hmac_siv",
        "ChaCha20-HMAC-SIV, 256 bytes sealed and opened",
    ),
    ("cose_ed25519", "COSE_Sign1 under Ed25519"),
    ("cose_p256", "COSE_Sign1 under P-256"),
    ("cose_both", "one of each"),
    ("credential", "password: check with throttle"),
    ("csr", "identity: request for a certificate, P-256"),
    ("attest", "identity: attestation token, P-256"),
    ("pairing", "identity: the device's side of a pairing (SPAKE2+)"),
    (
        "certificate",
        "net: certificate of a server verified under an anchor, P-256",
    ),
    ("input", "input: five settings read from 227 bytes of JSON"),
    ("surface", "net: interface table, a grant, the debug port checked"),
    (
        "surface_c",
        "C: a table of eight interfaces checked, asked, and compared with two sockets",
    ),
    (
        "document_json",
        "input: the same settings as a document with bounds, from JSON",
    ),
    ("document_cbor", "input: the same document from 159 bytes of CBOR"),
    ("store", "store: mount, put and get 32 bytes"),
    ("store_chacha20_hmac_siv", "store: the same, ChaCha20-HMAC-SIV"),
    ("update_verify", "update: authenticate and admit, Ed25519"),
    (
        "update_verify_small",
        "update: the same, the small Ed25519 backend",
    ),
    ("update_verify_p256", "update: the same, P-256"),
    (
        "update_install",
        "update: authenticate, admit and install 5000 bytes, Ed25519",
    ),
    (
        "update_install_small",
        "update: the same, the small Ed25519 backend",
    ),
    (
        "update_delta",
        "update: a patch of 103 bytes for an image of 1841 admitted and installed, Ed25519",
    ),
    (
        "boot_verify",
        "boot: choose a slot, authenticate, measure 4 KiB, Ed25519",
    ),
    ("boot_verify_small", "boot: the same, the small Ed25519 backend"),
    (
        "boot_mcuboot",
        "boot: the newer of two MCUboot images, authenticated, its counter checked, 4 KiB measured, Ed25519",
    ),
    (
        "boot_mcuboot_small",
        "boot: MCUboot images likewise, the small Ed25519 backend",
    ),
    (
        "retry",
        "net: when to try again, an attempt that fails and one that lasts",
    ),
    (
        "sealing",
        "telemetry: a message of 128 bytes sealed, without telemetry",
    ),
    ("telemetry", "telemetry: record an event, seal a batch"),
    (
        "spool",
        "telemetry: the queue in flash mounted, an event recorded, a batch sealed and acknowledged",
    ),
    ("detect", "telemetry: all detectors, and the guard"),
    (
        "randomized_response",
        "telemetry: a bit answered by randomized response, paid for in a sealed ledger",
    ),
    (
        "discrete_laplace",
        "telemetry: the same, and a number with discrete Laplace noise",
    ),
    (
        "prio3_count",
        "telemetry: a yes split for two servers (Prio3Count)",
    ),
    (
        "prio3_sum",
        "telemetry: a number up to 255 split for two servers (Prio3Sum)",
    ),
    (
        "prio3_histogram",
        "telemetry: one of 16 buckets split for two servers (Prio3Histogram)",
    ),
    (
        "prio3_all",
        "telemetry: an event, a batch, and one of each of these",
    ),
    (
        "setup_label",
        "device: opened, set up by its label's password, owned (PBKDF2 of 10,000 iterations in it)",
    ),
    ("all", "boot, update, store, password and telemetry together"),
    (
        "class1",
        "class 1: password, store, alarm, sealed batch, settings, interface table, reconnection, erasure",
    ),
    ("class1_admit", "class 1: the same, and an update admitted"),
    (
        "class1_install",
        "class 1: the same, and an update admitted and installed",
    ),
];

/// Those that are measured on RISC-V too: of each part the one that has budgets or flash in it.
pub(super) const ON_RISCV: &[&str] = &[
    "empty",
    "store",
    "store_chacha20_hmac_siv",
    "update_verify",
    "boot_verify",
    "boot_mcuboot",
    "retry",
    "sealing",
    "telemetry",
    "spool",
    "detect",
    "randomized_response",
    "prio3_all",
];
