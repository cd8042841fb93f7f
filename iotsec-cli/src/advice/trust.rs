//! The numbers of trust bundles, statements and tokens, with the rules of TRUST.md.

const BUNDLE: &str = "have the bundle made anew with `iotsec trust rotate`, and signed again";
const TOGETHER: &str = "a statement names number and digest of one manifest";

pub(super) const NUMBERS: &[(u16, &str, &str)] = &[
    (2140, TOGETHER, "fetch the manifest that the statement names"),
    (
        2141,
        "nothing is admitted under a trust bundle that is behind",
        "fetch the next trust bundle, rotate, and ask for a statement again",
    ),
    (
        2201,
        "entry 0 says what a document is, and its version",
        "give the kind of file that this command asks for",
    ),
    (
        2202,
        "a signed bundle has at most 4096 bytes",
        "name TLS servers by --tls-spki instead of whole certificates, or leave keys out",
    ),
    (2203, "a bundle has 1 to 16 keys", "leave out keys, or give some"),
    (
        2204,
        "no key is there twice, under any name",
        "give each key once",
    ),
    (
        2205,
        "every key of a bundle is usable",
        "make the key anew with `iotsec key new`",
    ),
    (
        2206,
        "a bundle holds public keys only",
        "give the .pub file; the private key has to be replaced now",
    ),
    (
        2207,
        "a bundle has a root role and an update role",
        "give --root and --update keys",
    ),
    (
        2208,
        "a role has 1 to 8 different keys",
        "leave out keys of the role, or give some",
    ),
    (
        2209,
        "a threshold is at least 1 and at most the number of keys",
        "lower the threshold of the role, or give it more keys",
    ),
    (
        2210,
        "a bundle revokes at most 32 keys, each once",
        "revoke fewer keys",
    ),
    (
        2211,
        "no bundle holds a key that it revokes",
        "leave the key out of every role, or out of --revoke",
    ),
    (2212, "revocations are never taken back", BUNDLE),
    (
        2213,
        "TLS anchors are 1 to 8 certificates of 1 to 1024 bytes, or digests",
        "give fewer anchors, or --tls-spki for a large certificate",
    ),
    (
        2214,
        "a document is for one vendor and one class of device",
        "give the file for this product",
    ),
    (2215, "versions begin at 1", BUNDLE),
    (
        2220,
        "enough keys of the root before sign a bundle; those that it revokes do not count",
        "have more of the present root keys sign (--key, or `iotsec trust sign` after --unfinished); a root key that is needed to sign can be revoked only in the bundle after",
    ),
    (
        2221,
        "enough keys of its own root sign a bundle",
        "have more of its own root keys sign (--key, or `iotsec trust sign` after --unfinished)",
    ),
    (
        2222,
        "a message takes at most 24 signature checks",
        "sign with fewer keys, and give keys identifiers",
    ),
    (
        2223,
        "a bundle follows the one before it",
        "give the bundles in between, one after the other",
    ),
    (
        2224,
        "trust never goes back",
        "give a bundle that is newer than the present one",
    ),
    (
        2225,
        "there is one bundle with each version",
        "find out who signed the other one; then go on with a higher version",
    ),
    (
        2226,
        "nothing counts under an expired bundle but the next one",
        "rotate to a bundle that has not expired",
    ),
    (
        2227,
        "only who has a role may sign for it",
        "give the role keys with `iotsec trust rotate`",
    ),
    (
        2228,
        "enough keys of the role sign",
        "sign with more keys of the role",
    ),
    (
        2260,
        "an answer is for one challenge",
        "ask again with the device's present nonce",
    ),
    (2261, "a token is for one device", "make a token for this device"),
    (
        2262,
        "a token starts from what is installed",
        "make a token from the manifest that the device runs",
    ),
    (2263, "an expired token is void", "make a new token"),
    (
        2264,
        "a token that expires needs trusted time",
        "set the clock of the device, or make a token without expiry",
    ),
];
