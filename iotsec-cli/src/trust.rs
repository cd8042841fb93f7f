//! Trust bundles, and what is signed under them.

mod bundle;
mod inspect;
mod sign;
mod token;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use uuid::Uuid;

use crate::{Output, Problem, key::unhex, target::Target};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make the first trust bundle of a product, for compiling into its firmware.
    Init(Init),
    /// Make the next bundle: roles that are given replace those of the present bundle, others stay.
    ///
    /// Enough of the present root keys must sign, and enough of the new ones. Before it is written the
    /// step is taken as a device would.
    Rotate(Rotate),
    /// Make the next bundle without certain keys, which can then never come back.
    Revoke(Revoke),
    /// Add signatures to a bundle, statement or token, where the holders of the keys sign apart.
    Sign {
        /// What to sign.
        file: PathBuf,
        #[command(flatten)]
        signing: Signing,
    },
    /// Show a bundle, statement or token, and who signed it.
    Inspect {
        /// The file.
        file: PathBuf,
        /// The bundle before it, or the one that a statement or token is signed under: judges as a
        /// device that trusts it would.
        #[arg(long, value_name = "BUNDLE")]
        under: Option<PathBuf>,
    },
    /// Answer a device's challenge: sign which manifest is the latest.
    Latest(Latest),
    /// Sign leave for one device to go back to an older manifest.
    Downgrade(Downgrade),
}

/// The keys of each role, and how many of them must sign.
#[derive(Args)]
pub(crate) struct Roles {
    /// A public key that signs bundles; give it again for further ones.
    #[arg(long, value_name = "PUB")]
    root: Vec<PathBuf>,
    /// How many of them must sign.
    #[arg(long, value_name = "K")]
    root_threshold: Option<u8>,
    /// A public key that signs updates.
    #[arg(long, value_name = "PUB")]
    update: Vec<PathBuf>,
    /// How many of them must sign.
    #[arg(long, value_name = "K")]
    update_threshold: Option<u8>,
    /// A public key that signs which manifest is the latest.
    #[arg(long, value_name = "PUB")]
    freshness: Vec<PathBuf>,
    /// How many of them must sign.
    #[arg(long, value_name = "K")]
    freshness_threshold: Option<u8>,
    /// A public key that signs downgrade tokens.
    #[arg(long, value_name = "PUB")]
    recovery: Vec<PathBuf>,
    /// How many of them must sign.
    #[arg(long, value_name = "K")]
    recovery_threshold: Option<u8>,
}

#[derive(Args)]
pub(crate) struct Tls {
    /// A certificate in DER that makes TLS servers trustworthy; give it again for further ones.
    #[arg(long, value_name = "DER")]
    tls_cert: Vec<PathBuf>,
    /// SHA-256 of a SubjectPublicKeyInfo, in hexadecimal, for the same.
    #[arg(long, value_name = "HEX", value_parser = digest)]
    tls_spki: Vec<[u8; 32]>,
}

#[derive(Args)]
pub(crate) struct Signing {
    /// A private key that signs; give it again for further signers.
    #[arg(long, value_name = "FILE", required = true)]
    key: Vec<PathBuf>,
    /// Where the file goes; must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Args)]
pub(crate) struct Finish {
    #[command(flatten)]
    signing: Signing,
    /// Write it although too few have signed, for others to add theirs with `iotsec trust sign`.
    #[arg(long)]
    unfinished: bool,
}

#[derive(Args)]
pub(crate) struct Init {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    roles: Roles,
    #[command(flatten)]
    tls: Tls,
    /// After this day (YYYY-MM-DD, or Unix seconds) nothing counts under it but the next bundle.
    #[arg(long, value_name = "DAY", value_parser = time)]
    expires: Option<u64>,
    #[command(flatten)]
    finish: Finish,
}

#[derive(Args)]
pub(crate) struct Rotate {
    /// The present bundle.
    present: PathBuf,
    #[command(flatten)]
    roles: Roles,
    #[command(flatten)]
    tls: Tls,
    /// Leave out the present TLS anchors.
    #[arg(long)]
    no_tls: bool,
    /// After this day (YYYY-MM-DD, or Unix seconds) nothing counts under it but the next bundle.
    #[arg(long, value_name = "DAY", value_parser = time)]
    expires: Option<u64>,
    /// Never expires, although the present bundle does.
    #[arg(long, conflicts_with = "expires")]
    no_expiry: bool,
    #[command(flatten)]
    finish: Finish,
}

#[derive(Args)]
pub(crate) struct Revoke {
    /// The present bundle.
    present: PathBuf,
    /// A public key to revoke, as a file or by its fingerprint; give it again for further ones.
    #[arg(long, value_name = "PUB", required = true)]
    revoke: Vec<String>,
    #[command(flatten)]
    roles: Roles,
    #[command(flatten)]
    finish: Finish,
}

#[derive(Args)]
pub(crate) struct Latest {
    /// The latest trust bundle.
    #[arg(long, value_name = "BUNDLE")]
    trust: PathBuf,
    /// The envelope of the latest update.
    #[arg(long, value_name = "SUIT")]
    envelope: PathBuf,
    /// The 16 bytes that the device sent, in hexadecimal.
    #[arg(long, value_name = "HEX", value_parser = nonce)]
    nonce: [u8; 16],
    /// Leave the time out of it.
    #[arg(long)]
    no_time: bool,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Args)]
pub(crate) struct Downgrade {
    /// The trust bundle of the device.
    #[arg(long, value_name = "BUNDLE")]
    trust: PathBuf,
    /// The one device.
    #[arg(long, value_name = "UUID")]
    device: Uuid,
    /// The envelope that is installed there.
    #[arg(long, value_name = "SUIT")]
    from: PathBuf,
    /// The envelope to go back to.
    #[arg(long, value_name = "SUIT")]
    to: PathBuf,
    /// After this day (YYYY-MM-DD, or Unix seconds) it is void; devices without trusted time then refuse it.
    #[arg(long, value_name = "DAY", value_parser = time)]
    expires: Option<u64>,
    #[command(flatten)]
    signing: Signing,
}

pub(crate) fn run(command: &Command) -> Result<Output, Problem> {
    match command {
        Command::Init(init) => bundle::init(init),
        Command::Rotate(rotate) => bundle::rotate(rotate),
        Command::Revoke(revoke) => bundle::revoke(revoke),
        Command::Sign { file, signing } => sign::add(file, signing),
        Command::Inspect { file, under } => inspect::run(file, under.as_deref()),
        Command::Latest(latest) => token::latest(latest),
        Command::Downgrade(downgrade) => token::downgrade(downgrade),
    }
}

fn digest(text: &str) -> Result<[u8; 32], &'static str> {
    unhex(text).ok_or("takes 64 hexadecimal digits")
}

fn nonce(text: &str) -> Result<[u8; 16], &'static str> {
    unhex(text).ok_or("takes 32 hexadecimal digits")
}

/// Unix seconds, or the last second of a day in UTC.
fn time(text: &str) -> Result<u64, &'static str> {
    const FORM: &str = "takes a day as YYYY-MM-DD, from 1970 on, or Unix seconds";
    if text.bytes().all(|digit| digit.is_ascii_digit()) {
        return text.parse().map_err(|_| FORM);
    }
    let mut parts = text.split('-').map(str::parse::<u64>);
    let (Some(Ok(year)), Some(Ok(month)), Some(Ok(day)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(FORM);
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let months = [31, 28 + u64::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before = usize::try_from(month).ok().and_then(|month| month.checked_sub(1));
    let length = before.and_then(|month| months.get(month));
    if !(1970..10_000).contains(&year) || length.is_none_or(|length| !(1..=*length).contains(&day)) {
        return Err(FORM);
    }
    let leaps = |year: u64| year / 4 - year / 100 + year / 400;
    let days = (year - 1970) * 365 + leaps(year - 1) - leaps(1969)
        + months.iter().take(before.unwrap_or(0)).sum::<u64>()
        + day;
    Ok(days * 86_400 - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_with_its_last_second() {
        assert_eq!(time("1970-01-01"), Ok(86_399));
        assert_eq!(time("2000-02-29"), Ok(951_868_799));
        assert_eq!(time("2026-12-31"), Ok(1_798_761_599));
        assert_eq!(time("2100-03-01"), Ok(4_107_628_799));
        assert_eq!(time("1800000000"), Ok(1_800_000_000));
        for bad in [
            "",
            "2026",
            "x",
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-1-0",
            "1969-12-31",
            "2026-01-01-01",
        ] {
            assert!(time(bad).is_err() || bad == "2026" || bad.is_empty(), "{bad}");
        }
    }
}
