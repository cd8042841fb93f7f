//! The numbers of deletion receipts, with the rules of src/erase/FORMAT.md.

const AGAIN: &str = "ask the device for a receipt again; if it is the same, do not believe it";

pub(super) const NUMBERS: &[(u16, &str, &str)] = &[
    (
        6201,
        "a receipt has just the headers that it needs",
        "give the receipt as the device made it, and the key that signed it",
    ),
    (
        6202,
        "a receipt says which version of the format it has",
        "use the `iotsec` of the SDK that the device runs",
    ),
    (6203, "reason and scope of a receipt fit each other", AGAIN),
    (6204, "a receipt names the device whose key signs it", AGAIN),
    (
        6205,
        "a receipt that is asked for has the nonce of the request",
        "ask the device for a receipt with this nonce; one with another nonce may be old",
    ),
    (6206, "a nonce has 8 to 64 bytes", "give a nonce of that length"),
    (
        6207,
        "receipts are signed with Ed25519 or P-256",
        "give the device's identity key",
    ),
];
