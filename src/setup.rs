//! Setting a device up, with as few decisions as there are (EN 303 645 5.12-1) and what to do next at each step (5.12-2).
//!
//! [`Setup`] takes the device while it has no owner, and gives back one that has an owner with a password of their own.
//! It does no I/O: the application joins the network, asks for the time and for updates, and reports what came of it.
//!
//! | step | what is waited for | who decides | kept over a power cut |
//! |---|---|---|---|
//! | [`Pairing`](Step::Pairing) | the set-up code, in a window of 15 minutes at most, or the label's password | **owner**: whether this is the device | no: a proof ends with its boot |
//! | [`Network`](Step::Network) | the network's name and password, then that it is joined | **owner**: which network | name and password |
//! | [`Time`](Step::Time) | a time that is not before the firmware was made | – | no |
//! | [`Update`](Step::Update) | that the first look for updates found nothing newer | – | yes |
//! | [`Identity`](Step::Identity) | that the service has accepted the device's identity once | – | yes |
//! | [`Owner`](Step::Owner) | the owner's own password, in the place of the label's | **owner**: which password | yes: the device is owned |
//!
//! So an owner decides three times, and twice with a product that has no network ([`Plan::decisions`]). Everything else
//! has one answer that is secure: nothing is sent but security events until the owner consents, updates are looked for
//! before there is an owner, the label's password opens nothing afterwards.
//!
//! The steps come in this order and none can be left out but by the product's [`Plan`]. What needs nobody goes on without
//! anybody: a device that was restarted by its first update joins its network again by itself and asks for the owner when
//! there is nothing else left.
//!
//! Where a set-up stands is a [`SetupStatus`]: a [`Reason`] with a stable name and number, the [`Action`] that helps, and
//! the same JSON everywhere:
//!
//! ```json
//! {"step":"network","provision":"5.12-1","reason":"network-refused",
//!  "text":"The network did not take the password.",
//!  "action":"give-network","by":"owner","next":"Choose the network and type its password.",
//!  "number":22,"decisions":2,"wait":0,
//!  "steps":[{"step":"pairing","done":true},{"step":"network","done":false}]}
//! ```
//!
//! `decisions` are those that the owner still has to make, `wait` is in seconds. Nothing personal is in it, and no secret.

mod error;
mod json;
mod machine;
mod network;
#[cfg(feature = "pairing")]
mod pairing;
mod plan;
mod progress;
mod ready;
mod reason;
mod report;
mod status;

pub use error::SetupError;
pub use machine::Setup;
pub use plan::Plan;
pub use ready::Ready;
pub use reason::{Action, Actor, Reason, Step};
pub use report::{IdentityReport, NetworkReport, UpdateReport};
pub use status::SetupStatus;
