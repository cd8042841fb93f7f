//! The life of a device, as types.
//!
//! ```text
//!  format          provision           claim
//!    │                 │   claim_with    │   set_password, grant, withdraw
//!    ▼                 ▼                 ▼   record, batch, update
//!  Factory ──────► Provisioned ──────► Owned ──────► Retired
//!                      ▲ reset, transfer │   retire
//!                      ├─────────────────┘
//!                      └──── reset_orphan ──── Orphaned
//! ```
//!
//! A step that is not allowed in a state does not compile; a step that needs the owner takes the token
//! that only a right password leaves.
//!
//! | state | what the store holds |
//! |---|---|
//! | [`Factory`] | nothing that works |
//! | [`Provisioned`] | in the device domain: serial number, verifier of the label's password, record of the set-up code, their throttles, identity and telemetry keys, the identity that rotates, what was erased last, requests to the service to delete, the mode that a finding put it in |
//! | [`Owned`] | in the user domain also: the mark that there is an owner, the owner's password, consent, queued telemetry, the keys of a spool, what its detectors learned, and whatever the application puts there |
//! | [`Orphaned`] | the same, but the key of the user domain is damaged, so that nothing in it can be read |
//! | [`Retired`] | that it is retired, and the receipt for it if one was asked for |
//!
//! *Power loss:* every transition is one record of the store, written last, or the erasure of the user
//! domain: after a cut the device is in the old state or in the new one. An erasure is announced by a record before it
//! begins: once that is written, the next boot finishes it, and can still say what was erased.

mod announcement;
mod budget;
mod deletion;
mod detection;
mod erasure;
mod error;
mod hardware;
mod identity;
mod life;
mod network;
mod orphan;
mod owner;
#[cfg(feature = "pairing")]
mod pairing;
mod password;
mod provision;
mod record;
mod report;
mod spool;
mod upkeep;

pub use announcement::Moment;
pub use detection::Baseline;
pub use erasure::{InService, Signing};
pub use error::DeviceError;
use hardware::MemoryHardness;
pub use hardware::{Hardware, Memory, Product, Suite};
pub use identity::Attestation;
pub use life::{Booted, Factory, Orphaned, Owned, Provisioned, Retired, State, Transition};
pub(crate) use network::MAX_NETWORK;
pub use provision::Enrolment;
pub use upkeep::Upkeep;

pub(crate) use record::{is_request, is_spool_key};

use core::marker::PhantomData;

use iotsec_core::credential::Throttle;
use iotsec_store::Store;
use iotsec_telemetry::{consent::Consents, queue::Queue};

use crate::erase::Inventory;

/// A device in state `S`, with a telemetry queue of `N` events.
///
/// ```
/// use iotsec::core::{
///     credential::{Attempt, DevicePassword, Exposure, ThrottlePolicy},
///     crypto::{Aes256GcmSiv, ChaCha20Poly1305, HkdfSha256, Sha256},
///     hal::Millis,
/// };
/// use iotsec::device::{Device, Hardware, Memory, Product, Suite};
/// use iotsec::store::{IndexEntry, ReplayProtection};
/// # use iotsec_testkit::{Geometry, SimCounter, SimFlash, SimRng, SimRootKey};
///
/// use iotsec::telemetry::detect::{AUTH_BURST, BOOT_LOOP};
/// iotsec::telemetry::registry!(static EVENTS = [AUTH_BURST, BOOT_LOOP]);
/// # let root = SimRootKey::new(1);
/// # let (mut counter, mut rng) = (SimCounter::new(), SimRng::new(1));
/// # let flash = SimFlash::new(Geometry::nrf52840(8));
/// let product = Product {
///     store: flash.region()?,
///     events: EVENTS.hashed(&mut Sha256::new()),
///     reserve: 4,
///     throttle: ThrottlePolicy::DEFAULT,
///     suite: Suite { storage: &Aes256GcmSiv, wire: &ChaCha20Poly1305, kdf: &HkdfSha256 },
/// };
/// # let password = DevicePassword::generate(Exposure::Online, &mut rng)?;
/// let hardware = Hardware { flash, rng, counter: &mut counter, root: &root, replay: ReplayProtection::None };
/// let (mut index, mut record) = ([IndexEntry::EMPTY; 32], [0; 1024]);
/// let memory = Memory { index: &mut index, record: &mut record };
///
/// // At the factory station.
/// let device = Device::<_, _, _, 16>::format(product, hardware, memory)?;
/// let (device, _enrolment) = device.provision("SN-0001", &password).map_err(|(_, error)| error)?;
///
/// // At home: the owner types what the label says.
/// let label = password.label();
/// let code = Attempt::from_label(label.as_str())?;
/// let mut device = device.claim(&code, Millis::from_secs(60)).map_err(|(_, error)| error)?;
///
/// // The application's own secrets live in the user domain, and go with the owner.
/// use iotsec::store::{KeyDomain, KeyId};
/// device.put(KeyId::new(KeyDomain::User, 1, 1), b"correct horse battery staple")?;
/// let owner = device.login(&code, Millis::from_secs(90))?;
/// let _device = device.reset(owner).map_err(|(_, error)| error)?;
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// A device without an owner has nobody to log in, and takes no values of an owner:
/// ```compile_fail,E0599
/// # use iotsec::{core::{credential::Attempt, hal::Millis}, device::{Device, Provisioned}};
/// # use iotsec_testkit::{SimFlash, SimRng};
/// fn early(device: &mut Device<'_, Provisioned, SimFlash, SimRng, 8>, code: &Attempt<'_>) {
///     let _ = device.login(code, Millis(0));
/// }
/// ```
/// Erasing takes the owner's proof, and takes it away:
/// ```compile_fail,E0382
/// # use iotsec::{core::credential::Authenticated, device::{Device, Owned}};
/// # use iotsec_testkit::{SimFlash, SimRng};
/// fn twice(a: Device<'_, Owned, SimFlash, SimRng, 8>, b: Device<'_, Owned, SimFlash, SimRng, 8>, owner: Authenticated) {
///     let _ = a.reset(owner);
///     let _ = b.reset(owner);
/// }
/// ```
/// What was given away cannot be used in its old state:
/// ```compile_fail,E0382
/// # use iotsec::{core::credential::Authenticated, device::{Device, Owned}};
/// # use iotsec::store::{KeyDomain, KeyId};
/// # use iotsec_testkit::{SimFlash, SimRng};
/// fn after(mut device: Device<'_, Owned, SimFlash, SimRng, 8>, owner: Authenticated) {
///     let _ = device.retire(owner);
///     let _ = device.put(KeyId::new(KeyDomain::User, 1, 1), b"late");
/// }
/// ```
pub struct Device<'d, S, F, R, const N: usize> {
    pub(crate) product: Product<'d>,
    pub(crate) hardware: Hardware<'d, F, R>,
    pub(crate) store: Store<'d>,
    pub(crate) throttle: Throttle,
    pub(crate) consents: Consents,
    pub(crate) queue: Queue<N>,
    pub(crate) inventory: Option<Inventory>,
    pub(crate) memory_hard: Option<MemoryHardness<'d>>,
    pub(crate) state: PhantomData<S>,
}
