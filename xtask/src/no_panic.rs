//! The proof that no input makes a device panic that verifies, installs, boots, stores, is set up or says who it is:
//! images that link only without a panic handler.

use std::{collections::BTreeSet, fs, path::Path};

use crate::{
    image::{self, THUMBV7EM_HF},
    tool::{self, Failure},
};

/// Images that must link: SDK code, with cryptography behind its traits or, where the name says so, in software.
const PROVED: [&str; 23] = [
    "software_hkdf",
    "software_chacha20_hmac_siv",
    "input",
    "https",
    "verify",
    "boot",
    "mcuboot",
    "install",
    "session",
    "delta",
    "store",
    "keys",
    "trust",
    "identity",
    "attest",
    "setup",
    "surface",
    "retry",
    "detect",
    "aggregate",
    "connection",
    "privacy",
    "spool",
];
const PACKAGE: &str = "no-panic";
/// Pairing turns on features of others, which would show in the images of that package.
const PACKAGE_OF_PAIRING: &str = "no-panic-pairing";
/// An image that must not.
const UNPROVED: &str = "can_panic";
/// The symbol that the panic handler calls, and that nothing defines.
const SYMBOL: &str = "a_panic_can_be_reached";

/// What the optimiser cannot prove of other people's cryptography, and why it holds: image by image, the source
/// files that the compiler leaves in the image for the panic message.
///
/// - curve25519-dalek looks up multiples of a point by the digits of a scalar in non-adjacent form. A digit of
///   width w is odd and less than 2^(w-1) in absolute value (`Scalar::non_adjacent_form` makes them so, whatever
///   the scalar), and the table has 2^(w-2) entries, indexed by half of it.
/// - aes and aes-gcm-siv index and copy slices of whole arrays: 8 words of state, 16 bytes of block, 8 bytes of
///   derived key. No length comes from outside.
/// - hkdf, which spake2plus uses, numbers blocks in a byte, after it refused an output of more than 255 blocks.
/// - crypto-bigint computes with numbers of 256 and 512 bits, whose limbs it splits in halves, looks up by four bits of
///   an exponent among 16 powers and shifts by less than their width: all of them constants of P-256.
/// - sec1 takes bytes for a point after it has compared their number with what the tag says, and slices by that tag.
///
/// - rustls-webpki says again, as assertions, what it has just checked: that the issuer which a list was looked up for is
///   the one that was found by that name (crl/mod.rs), that a scope of attribute certificates was refused when the list
///   was read (crl/types.rs), that a month is one of twelve (time.rs), that an OID whose first two bytes were compared has
///   a third (x509.rs). Addresses and their masks are read byte by byte after their lengths were compared
///   (ip_address.rs), names after each of their characters was (dns_name.rs). Paths hold six issuers; a seventh is an
///   error, and only as many as were put there are taken out (verify_cert.rs).
/// - untrusted takes what is left of an input, by the number of bytes that are left.
///
/// Nothing remains of `iotsec-net` in the image of certificates. Nothing remains of spake2plus, nor of what is around it here.
const RESIDUE: [(&str, &str, &[&str]); 4] = [
    (
        PACKAGE,
        "certificate",
        &[
            "rustls-webpki/src/crl/mod.rs",
            "rustls-webpki/src/crl/types.rs",
            "rustls-webpki/src/subject_name/dns_name.rs",
            "rustls-webpki/src/subject_name/ip_address.rs",
            "rustls-webpki/src/time.rs",
            "rustls-webpki/src/verify_cert.rs",
            "rustls-webpki/src/x509.rs",
            "untrusted/src/reader.rs",
        ],
    ),
    (PACKAGE, "software_ed25519", &["curve25519-dalek/src/window.rs"]),
    (
        PACKAGE,
        "software_aes_gcm_siv",
        &["aes-gcm-siv/src/lib.rs", "aes/src/backends/fixslice/utils.rs"],
    ),
    (
        PACKAGE_OF_PAIRING,
        "software_pairing",
        &[
            "crypto-bigint/src/modular/pow.rs",
            "crypto-bigint/src/modular/safegcd.rs",
            "crypto-bigint/src/uint/mul/karatsuba.rs",
            "crypto-bigint/src/uint/shr.rs",
            "hkdf/src/lib.rs",
            "sec1/src/point.rs",
        ],
    ),
];

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    if !args.is_empty() {
        return Err("takes no argument".into());
    }
    for name in PROVED {
        if let Some(error) = link(root, name)? {
            let sites = sites(root, PACKAGE, name)?;
            return Err(format!("{name}: a panic can be reached, from {sites:?}\n{error}").into());
        }
        println!("{name}: links without a panic handler");
    }

    match link(root, UNPROVED)? {
        Some(error) if error.contains(SYMBOL) => println!("{UNPROVED}: does not link, as it must not"),
        Some(error) => return Err(format!("{UNPROVED} failed for another reason:\n{error}").into()),
        None => return Err(format!("{UNPROVED} links: this check sees nothing").into()),
    }
    let seen = sites(root, PACKAGE, UNPROVED)?;
    if seen != BTreeSet::from(["no-panic/src/bin/can_panic.rs".to_owned()]) {
        return Err(format!("{UNPROVED}: panics are looked for and {seen:?} is found").into());
    }

    for (package, name, known) in RESIDUE {
        let residue = sites(root, package, name)?;
        if residue != known.iter().map(|file| (*file).to_owned()).collect() {
            return Err(format!("{name}: panics remain in {residue:?}, known are {known:?}").into());
        }
        println!("{name}: known to remain, and out of reach: {known:?}");
    }
    Ok(())
}

/// Links one image; the linker's complaint if it fails.
fn link(root: &Path, name: &str) -> Result<Option<String>, Failure> {
    let built = tool::output(image::build(root, PACKAGE, THUMBV7EM_HF)?.args(["--bin", name]))?;
    let error = String::from_utf8_lossy(&built.stderr).into_owned();
    Ok((!built.status.success()).then_some(error))
}

/// The source files that the image can panic from. The symbol is given an address so that it links.
fn sites(root: &Path, package: &str, name: &str) -> Result<BTreeSet<String>, Failure> {
    let resolved = format!("target.{THUMBV7EM_HF}.rustflags=[\"-Clink-arg=--defsym={SYMBOL}=0\"]");
    tool::run(image::build(root, package, THUMBV7EM_HF)?.args(["--bin", name, "--config", &resolved]))?;
    let image = fs::read(image::path(root, THUMBV7EM_HF, name))?;
    Ok(source_files(crate::elf::section(&image, b".rodata\0")?))
}

/// The names of Rust source files among constants, without the versions of packages.
fn source_files(constants: &[u8]) -> BTreeSet<String> {
    let printable = |byte: &u8| byte.is_ascii_graphic();
    let text: Vec<u8> = constants
        .iter()
        .map(|byte| if printable(byte) { *byte } else { b' ' })
        .collect();
    let text = String::from_utf8_lossy(&text);
    let mut files = BTreeSet::new();
    for word in text.split_whitespace() {
        // Constants follow each other without a gap: each path ends at its extension.
        for path in word.split_inclusive(".rs").filter(|path| path.ends_with(".rs")) {
            files.insert(without_version(path));
        }
    }
    files
}

/// `registry/curve25519-dalek-5.0.0/src/window.rs` as `curve25519-dalek/src/window.rs`.
fn without_version(path: &str) -> String {
    let Some((_, path)) = path.split_once("registry/") else {
        return path.to_owned();
    };
    match path
        .split_once('/')
        .and_then(|(package, file)| Some((package.rsplit_once('-')?.0, file)))
    {
        Some((package, file)) => format!("{package}/{file}"),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_files_are_found_among_constants() {
        let constants =
            b"\x01\x02registry/curve25519-dalek-5.0.0/src/window.rs\0\0\0iotsec/src/a.rsiotsec/src/b.rs\xff";
        let files: Vec<String> = source_files(constants).into_iter().collect();
        assert_eq!(
            files,
            [
                "curve25519-dalek/src/window.rs",
                "iotsec/src/a.rs",
                "iotsec/src/b.rs"
            ]
        );
    }
}
