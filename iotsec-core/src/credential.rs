//! Passwords of a device: made, printed, checked, throttled.
//!
//! 1. The factory draws a [`DevicePassword`] for each unit, prints its [`Label`] and stores a
//!    [`Verifier`] and the first [`Throttle`] record.
//! 2. Whoever wants in types an [`Attempt`]; a slip of the hand is noticed by the check symbol.
//! 3. [`Login::attempt`] counts the guess in flash, compares, and clears the count when it was right. What
//!    is left is [`Authenticated`], which the next step takes by value.
//! 4. An owner who wants another password chooses a [`UserPassword`], whose verifier replaces the old one.
//!
//! With feature `pairing`, the module of that name turns the set-up code on the label into keys for the first conversation.
//!
//! Machines authenticate with keys, not with any of this (EN 303 645 5.1-2A).
//!
//! # Which type answers which rule
//!
//! PSTI is the UK's Product Security and Telecommunications Infrastructure (Security Requirements)
//! Regulations 2023 (SI 2023/1007); EN 303 645 is V3.1.3, whose 5.1-1 and 5.1-2 have the numbers of V2.1.1.
//!
//! | rule | in short | ensured by |
//! |---|---|---|
//! | PSTI Sch. 1 1(2) | unique per product, or defined by the user | a [`Verifier`] is made from a [`DevicePassword`] or a [`UserPassword`] and from nothing else |
//! | PSTI Sch. 1 1(3)(a) | no incremental counters | [`DevicePassword::generate`] takes randomness and no number |
//! | PSTI Sch. 1 1(3)(b) | not from public information | [`DevicePassword`] has no constructor that takes text or bytes but the [`UnitRecord`] of a unit that was minted |
//! | PSTI Sch. 1 1(3)(c) | not from serial numbers or other identifiers | the same; [`UserPassword::new`] refuses the words of its context |
//! | PSTI Sch. 1 1(3)(d) | not otherwise guessable | 60 or 80 bits ([`Exposure`]); patterns, leaked defaults and stuck entropy sources are refused |
//! | EN 303 645 5.1-1 (M) | every password unique or chosen by the user | as PSTI 1(2) |
//! | EN 303 645 5.1-2 (M) | generated so that attacks on the class do not pay | as PSTI 1(3)(a) to (d) |
//! | EN 303 645 5.1-3 (M) | best-practice cryptography | HMAC-SHA-256 under a [`Pepper`], PBKDF2 or Argon2id for chosen passwords, comparison in constant time: [`Verifier`] |
//! | EN 303 645 5.1-4 (M) | a simple way to change it | [`Verifier::for_user`] after [`Authenticated`]; the product supplies the screen |
//! | EN 303 645 5.1-5 (M) | brute force over the network impracticable | no comparison without a [`Permit`], no permit without a count in flash: [`Throttle`] |
//!
//! Uniqueness across units rests on the entropy: among a million units, two equal passwords of 60 bits
//! are expected 4 · 10⁻⁷ times. Whether a batch really has none is checked by the factory tool.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod blocklist;
mod label;
mod login;
#[cfg(feature = "pairing")]
pub mod pairing;
mod password;
mod pbkdf2;
mod pepper;
mod setup_code;
mod stretch;
mod symbol;
mod throttle;
mod unit_record;
mod verifier;

pub use label::{Attempt, Label, LabelError};
pub use login::{Login, LoginError};
pub use password::{DevicePassword, Exposure, PasswordError, UserPassword};
pub use pepper::Pepper;
pub use setup_code::SetupCode;
pub(crate) use setup_code::is_setup_code;
pub use stretch::{Cost, Iterations, MemoryCost, Scheme};
pub(crate) use symbol::{decode as decode_symbol, encode as encode_symbol};
pub use throttle::{
    Authenticated, Matched, Permit, PhysicalPresence, StorageError, Throttle, ThrottleError, ThrottlePolicy,
    ThrottleStatus, ThrottleStorage, Unlock,
};
pub use unit_record::{UnitKey, UnitRecord, UnitRecordError};
pub use verifier::{Verifier, VerifierError};
