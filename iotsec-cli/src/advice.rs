//! For each error number: the rule behind it, and what to do.

mod erased;
mod trust;

/// What there is to say about an error number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Advice {
    /// The rule that was not kept, as FORMAT.md of iotsec-update has it.
    pub(crate) rule: &'static str,
    /// What to do.
    pub(crate) remedy: &'static str,
}

/// The advice for one number; numbers of a later SDK get that of their range.
pub(crate) fn advice(number: u16) -> Advice {
    let found = [NUMBERS, trust::NUMBERS, erased::NUMBERS]
        .into_iter()
        .find_map(|table| {
            let exact = table.binary_search_by_key(&number, |(listed, ..)| *listed);
            table.get(exact.ok()?)
        });
    let (_, rule, remedy) = found.copied().unwrap_or_else(|| {
        let range = RANGES.iter().rfind(|(first, ..)| *first <= number);
        range.copied().unwrap_or((0, ENCODING, AGAIN))
    });
    Advice { rule, remedy }
}

const ENCODING: &str =
    "input is deterministic CBOR (RFC 8949 §4.2.1) without unknown, missing or repeated keys";
const AGAIN: &str = "get the file again from where it was made, and compare digests; if it is the same, its maker has to write it anew";
const MAKER: &str = "the manifest is at fault, not the device: have it made anew, with `iotsec update create`, and signed again";
const SHOW: &str = "look at the commands with `iotsec update inspect`, and have the manifest made anew";
const LIMIT: &str = "make the envelope smaller (payloads behind --uri, larger chunks, fewer signers or components), or give the limit that the device really has";

/// The first number of a range, where it is no number of this release.
const RANGES: &[(u16, &str, &str)] = &[
    (1000, ENCODING, AGAIN),
    (
        1100,
        "COSE structures are as RFC 9052 has them, with a known algorithm in the protected header",
        AGAIN,
    ),
    (
        1200,
        "keys and signatures are genuine and canonical",
        "check that key and signature belong together",
    ),
    (
        1300,
        "labels and passwords are as minted",
        "get the batch again from the station that minted it",
    ),
    (
        1400,
        "counters, clocks and flash answer",
        "try again; if it stays, the device is at fault",
    ),
    (
        1600,
        "inputs are as the table in `iotsec_core::input` has them",
        "correct the input at the byte that is named; `iotsec help validate` lists the kinds",
    ),
    (
        2000,
        "an update keeps to the profile of iotsec-update/FORMAT.md",
        SHOW,
    ),
    (
        2100,
        "an update keeps to the profile of iotsec-update/FORMAT.md",
        SHOW,
    ),
    (
        2200,
        "trust is what its keepers signed, in steps of one",
        "look at the bundle with `iotsec trust inspect`, and follow the chain from the version that the device has",
    ),
    (
        2300,
        "a MCUboot image has its header, trailer and signature in place",
        "make the image anew with imgtool and the settings of the device's bootloader",
    ),
    (
        2400,
        "updates follow what the device's owner chose",
        "change the choice on the device, or wait until it allows the update",
    ),
    (
        2420,
        "a report is signed by the device that it speaks of",
        "ask the device for its report again",
    ),
    (
        2440,
        "what runs is what was installed",
        "isolate the device, and install a good update",
    ),
    (2500, "slots fit their flash", "correct the layout of the device"),
    (
        2600,
        "sequence numbers and the security counter never go back",
        "release under a higher sequence number",
    ),
    (
        2700,
        "an image is installed whole, as signed",
        "send the payload again, from its first byte",
    ),
    (
        2800,
        "what boots is what was installed",
        "install the update again",
    ),
    (
        2900,
        "a payload decodes to just the image that was signed",
        "make the payload anew, from the image that was released and the base that the device runs",
    ),
    (
        3000,
        "the key store holds what was put there",
        "see the manual of iotsec-store",
    ),
    (
        4000,
        "telemetry keeps to its registry",
        "see the manual of iotsec-telemetry",
    ),
    (
        5300,
        "a device opens what its interface table declares",
        "declare the interface under [surface] of the product manifest, or do not open it",
    ),
    (
        5340,
        "sockets are as /proc of Linux lists them",
        "run it on the device, as root or as the user of the process",
    ),
    (
        5360,
        "a debug port is closed outside the factory",
        "lock the debug port, or open it for a time with `iotsec surface unlock`",
    ),
    (
        5371,
        "a debug port opens to the answer to its own challenge",
        "ask the device for a new challenge, and answer that one in time",
    ),
    (
        5380,
        "a MUD file is as RFC 8520 has it",
        "correct [surface.mud] of the product manifest",
    ),
    (
        6000,
        "a device goes through its life in order",
        "see the manual of the device",
    ),
    (
        8000,
        "a registry is described as its device's build wrote it, or in the JSON that `iotsec telemetry registry` writes",
        "write it anew from the build of the device",
    ),
    (
        8101,
        "a batch comes from a device whose key is known",
        "give its key with --keys, under the name of the folder that its batches lie in, or say --device",
    ),
    (
        8102,
        "a batch names a registry that is known",
        "give the registry of the firmware that made it, with another --registry",
    ),
    (
        8103,
        "a collector keeps as many devices as it has room for",
        "give fewer devices at once",
    ),
    (
        8104,
        "a batch to a public key names one whose private half is known",
        "give the private key of that name, with --service-key",
    ),
    (
        8105,
        "a key of the service lies on the curve that devices seal with",
        "give the key that its devices have the public half of",
    ),
    (
        8106,
        "each key of the service has a name of its own",
        "make another key, with a --kid of its own",
    ),
    (
        8200,
        "a report counts once, and too few have no result",
        "wait for more reports of other devices; the minimum protects those who sent these",
    ),
    (
        8400,
        "what a run remembers is what the run before wrote, whole and unchanged",
        "get the state from a backup; without it events that came before count again",
    ),
];

/// Number, rule, remedy; sorted.
const NUMBERS: &[(u16, &str, &str)] = &[
    (
        1001,
        "input does not end inside an item",
        "the file is cut short: copy or download it again",
    ),
    (
        1008,
        ENCODING,
        "nothing that is made with `iotsec` nests this deeply: refuse the file",
    ),
    (
        1011,
        "nothing stands behind the last item",
        "take away what was appended to the file, or get it again",
    ),
    (
        1017,
        "everything fits its buffer",
        "shorten the URI or the description, or use fewer components and signers",
    ),
    (
        1102,
        "the algorithm is Ed25519 (-19, -8) or ECDSA on P-256 (-9, -7)",
        "sign with a key of one of these kinds: `iotsec key new`",
    ),
    (
        1103,
        "the algorithm is one for the type of the key",
        "give the key that made this signature",
    ),
    (
        1201,
        "a signature verifies under the key that it is said to be from",
        "check that the bytes that were signed are those of --vector-to-sign, and that the public key is the signer's",
    ),
    (
        1203,
        "an Ed25519 key has 32 bytes, a P-256 point 33 or 65",
        "give a key of one of these kinds",
    ),
    (
        1204,
        "a public key is a point on its curve, and no weak one",
        "export the key again from where it was made, or make another with `iotsec key new`",
    ),
    (
        1205,
        "the operating system gives random bytes",
        "try again on a machine whose random source works",
    ),
    (
        1207,
        "the signing device does its work",
        "check the token, its PIN and its key",
    ),
    (
        2001,
        "the file is a tagged SUIT envelope",
        "give the envelope (.suit), not its payload or its manifest",
    ),
    (
        2002,
        "an envelope, integrated payloads aside, fits the device",
        LIMIT,
    ),
    (
        2003,
        "integrated payloads fit the device",
        "use --uri for the payload, or give --max-integrated as the device has it",
    ),
    (
        2004,
        "an envelope has at most as many authentication blocks as the limit says",
        "leave out signatures that no device asks for",
    ),
    (2005, "a manifest has at most 8 components", "split the release"),
    (
        2006,
        "a manifest has at most as many commands as the limit says",
        MAKER,
    ),
    (2007, "sequences nest at most as deeply as the limit says", MAKER),
    (
        2020,
        "trust anchors are 1 to 8 different keys, and the threshold 1 to their number",
        "correct --key and --threshold",
    ),
    (
        2021,
        "an envelope has an authentication block",
        "sign it: `iotsec update sign`",
    ),
    (
        2022,
        "as many different trusted keys as the threshold asks for have signed",
        "have the missing signers sign (`iotsec update sign`), or trust the keys that did (`iotsec update inspect` names them)",
    ),
    (
        2023,
        "the signed digest is that of this manifest",
        "the manifest was changed after it was signed: refuse the file, and get it again from its maker",
    ),
    (
        2024,
        "a device checks at most as many signatures as the limit says",
        "leave out signatures that no device asks for",
    ),
    (2025, "digests are SHA-256 with all their 32 bytes", MAKER),
    (
        2026,
        "an authentication block is of a kind that the device checks",
        "sign with COSE_Sign1: `iotsec update sign`",
    ),
    (2040, "the manifest version is 1", MAKER),
    (
        2041,
        "the sequence number is above the one installed",
        "release under a sequence number above the installed one",
    ),
    (
        2042,
        "the sequence number is above the one installed",
        "nothing is to be done: the device has this release; to send it again, release it under the next number",
    ),
    (
        2043,
        "the sequence number is not too far above the one installed",
        "release under a number nearer to the installed one",
    ),
    (
        2044,
        "every component is one of this device",
        "check --component, or make the update for the components that the device has",
    ),
    (2045, "every component is listed once", MAKER),
    (
        2046,
        "with several components, every section begins with set-component-index",
        SHOW,
    ),
    (
        2047,
        "a section that installs is in the envelope",
        "give the envelope with its severed sections, as `iotsec update create` wrote it",
    ),
    (
        2048,
        "a severed element matches its digest",
        "get the envelope again: a part was exchanged after signing",
    ),
    (
        2049,
        "what stands in the envelope is named by the manifest",
        "get the envelope again: a part was added after signing",
    ),
    (
        2050,
        "the envelope has no elements of extensions that the device does not know",
        MAKER,
    ),
    (2060, "a command sequence is a list of pairs", SHOW),
    (2061, "every command is one that the profile has", SHOW),
    (2062, "every parameter is one that the profile has", SHOW),
    (
        2063,
        "the shared sequence and validate change nothing; load copies and writes; only invoke starts",
        SHOW,
    ),
    (2064, "a reporting policy has defined bits only", SHOW),
    (2065, "soft failure is set inside a nested sequence only", SHOW),
    (2066, "copy keeps strict order", SHOW),
    (2070, "a command has the parameters that it needs", SHOW),
    (
        2071,
        "the update is for this vendor",
        "check --vendor or --vendor-domain, or choose the update that is made for this device",
    ),
    (
        2072,
        "the update is for this class of device",
        "check --class or --model, or choose the update that is made for this device",
    ),
    (
        2073,
        "the update is for this device",
        "check --device, or choose the update that is made for this device",
    ),
    (
        2074,
        "the update is for this slot",
        "choose the update that is made for the slot to be written",
    ),
    (
        2075,
        "an update is installed before it expires",
        "release anew, with a later --use-before",
    ),
    (
        2076,
        "an update with an expiry date needs trusted time",
        "give the device the time first, or release without --use-before",
    ),
    (2077, "no command aborts", SHOW),
    (
        2080,
        "the shared sequence checks vendor and class before every section",
        SHOW,
    ),
    (
        2081,
        "a validate section matches every component that is installed or started",
        SHOW,
    ),
    (2082, "a failed content check ends everything", SHOW),
    (2083, "all checks of one component agree on digest and size", SHOW),
    (2084, "every write is followed by a content check", SHOW),
    (
        2085,
        "a component is written once, not after it was matched or copied from",
        SHOW,
    ),
    (2086, "an alternative that fails has written nothing", SHOW),
    (
        2087,
        "a component has a size, and an integrated payload has just that",
        SHOW,
    ),
    (
        2088,
        "an image fits its place",
        "make the image smaller, or give the --capacity that the device has",
    ),
    (
        2089,
        "a URI with # names a payload that the envelope carries",
        "give the envelope with its payloads, or create it anew with --integrated",
    ),
    (
        2090,
        "what is told of a payload is well-formed, and its sizes and chunk digests fit each other",
        SHOW,
    ),
    (
        2098,
        "a manifest has 1 to 8 different components with content, and 1 to 8 signers",
        "correct components, payloads and signers",
    ),
    (2705, "an image is not empty", "give the image that was built"),
    (
        2707,
        "a payload has the size that the manifest says",
        "give the payload that this envelope was made for",
    ),
    (
        2708,
        "a payload has the size that the manifest says",
        "the file is cut short: copy or download it again",
    ),
    (
        2709,
        "a payload has the digest that the manifest says",
        "give the payload that this envelope was made for; if it should be the one, it was changed after signing",
    ),
    (
        2905,
        "a payload has the digest that the manifest says",
        "fetch the payload again, from its first byte",
    ),
    (
        2906,
        "every chunk of a payload has the digest that the manifest says",
        "fetch the chunk again; if it stays, the server has another payload than the one that was signed for",
    ),
    (
        2907,
        "a chunk fits the buffer that the device has for it",
        "make the manifest with a smaller --chunk-size, or give the device a larger buffer",
    ),
    (
        2910,
        "the window of a compressed stream fits the device's memory",
        "make it anew with the --window that the device has room for",
    ),
    (
        2911,
        "patches are sequential ones of detools",
        "make it with `iotsec update delta`, or `detools create_patch --type sequential`",
    ),
    (
        2912,
        "patches are compressed with heatshrink or CRLE, or not at all",
        "make it with `iotsec update delta`, or `detools create_patch --compression heatshrink`",
    ),
    (
        2913,
        "patches have no data format",
        "make it with `iotsec update delta`, or leave out --data-format of detools",
    ),
    (
        2918,
        "a patch is for the image that it is applied to",
        "apply it to the image that it was made from",
    ),
    (
        2922,
        "a patch is for the image that runs",
        "make it from the release that the device runs, or send the whole image",
    ),
    (
        2923,
        "a patch is for the image that runs",
        "give the image that the patch was made from; for a device that runs another one, make another patch or send the whole image",
    ),
    (
        2930,
        "a payload that is encrypted in counter mode has a digest, over all of it or over its chunks",
        "make the manifest with `iotsec update create`, which tells the digest; on the device, check it (`Checked`)",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use iotsec::{core::error::ErrorCode, update::UpdateError};

    #[test]
    fn numbers_and_ranges_are_sorted() {
        assert!(NUMBERS.is_sorted_by(|a, b| a.0 < b.0));
        assert!(trust::NUMBERS.is_sorted_by(|a, b| a.0 < b.0));
        assert!(erased::NUMBERS.is_sorted_by(|a, b| a.0 < b.0));
        assert!(RANGES.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn a_number_that_is_not_listed_gets_the_advice_of_its_range() {
        assert_eq!(
            advice(2041).remedy,
            "release under a sequence number above the installed one"
        );
        assert_eq!(advice(2719).rule, "an image is installed whole, as signed");
        assert_eq!(advice(7).rule, ENCODING);
    }

    #[test]
    fn every_reason_for_refusing_a_receipt_has_its_own_entry() {
        let source = include_str!("../../src/erase/receipt.rs");
        let arms = source.lines().filter_map(|line| line.trim().split_once(" => 62"));
        let numbers: Vec<u16> = arms
            .filter_map(|(_, number)| format!("62{}", number.trim_end_matches(',')).parse().ok())
            .collect();
        assert!(numbers.len() > 6, "{numbers:?}");
        let listed: Vec<u16> = erased::NUMBERS.iter().map(|(listed, ..)| *listed).collect();
        assert_eq!(numbers, listed);
    }

    #[test]
    fn every_reason_for_refusing_an_envelope_has_its_own_entry() {
        let source = include_str!("../../iotsec-update/src/error.rs");
        let arms = source
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Self::")?.split_once(" => "));
        let numbers: Vec<u16> = arms
            .filter_map(|(_, number)| number.trim_end_matches(',').parse().ok())
            .collect();
        assert!(numbers.contains(&UpdateError::Rollback.code()) && numbers.len() > 40);
        for number in numbers.into_iter().filter(|number| (1..2099).contains(number)) {
            assert!(
                NUMBERS.iter().any(|(listed, ..)| *listed == number),
                "{number} has no entry"
            );
        }
    }
}
