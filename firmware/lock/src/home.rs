//! Station, owner, attackers.

use core::{fmt, hint::black_box};

use harness::entropy::FixedBytes;
use iotsec::{
    core::{
        credential::{
            Attempt, DevicePassword, Exposure, Iterations, Label, PhysicalPresence, UserPassword,
            pairing::{PairingCode, PairingParameters, PairingRecord},
        },
        crypto::{CryptoError, Ed25519SigningKey, HkdfSha256, P256PublicKey, Sha256},
        document,
        hal::{DebugPort, DebugState, Millis, UnixTime},
        identity::Rotation,
        input::{Hostname, Quantity, document::Document as _, unit::Second},
        secret::Secret,
    },
    device::{Booted, Moment, Signing},
    erase::Erased,
    net::surface::{
        Fact, Phase,
        debug::{DebugPolicy, check_debug_port},
    },
    setup::{IdentityReport, NetworkReport, Plan, Setup, UpdateReport},
    status::{About, Observed},
    store::{Scrub, keys::KeyKind},
    telemetry::{consent::Usage, detect::FailureBurst},
};

use crate::{
    product::{self, LOGIN_FAILED, SURFACE},
    unit::{Board, GUESTS, INVENTORY, Lock, Unit, keys},
};

const SERIAL: &str = "LK-000042";
const PASSWORD: &str = "seven small otters swim";
/// What its owner changes it to.
const CHANGED: &str = "nine tall herons wade";
const PHONE: &[u8] = b"anna's phone";

document! {
    /// What the app sends.
    struct Settings<'a> within 128 bytes {
        name: Hostname<'a>,
        close_after: Quantity<Second, 1, 600> = 30,
    }
}

const ABOUT: About<'_> = About {
    name: product::NAME,
    model: product::MODEL,
    vendor: product::VENDOR,
    version: product::VERSION,
    support_until: Some(product::SUPPORT_UNTIL),
    disclosure_policy: Some(product::DISCLOSURE_POLICY),
};

/// The station. Returns what the label says.
#[inline(never)]
pub fn make(board: &mut Board<'_>) -> Option<Label> {
    let mut rng = FixedBytes::new(5);
    let password = DevicePassword::generate(Exposure::Online, &mut rng).ok()?;
    let parameters = PairingParameters::generate(PairingParameters::MIN_ITERATIONS, &mut rng).ok()?;
    let code = PairingCode::parse("40217358").ok()?;
    let record = PairingRecord::register(&code, SERIAL.as_bytes(), &parameters, &HkdfSha256).ok()?;
    board.start(|product, hardware, memory| {
        let lock = iotsec::device::Device::<_, _, _, 16>::format(product, hardware, memory).ok()?;
        let made = lock.provision_with_pairing(SERIAL, &password, &record);
        let (mut lock, _) = made.ok()?;
        let mut identity = lock.identity(keys(), KeyKind::P256);
        Rotation::initialise::<P256PublicKey, _>(&mut identity)
            .ok()
            .map(drop)
    })?;
    Some(password.label())
}

/// A neighbour guesses the set-up code and is refused; the owner has the label, and chooses a password.
#[inline(never)]
pub fn set_up(board: &mut Board<'_>, label: &Label) -> Option<()> {
    let now = Millis::from_secs(60);
    board.start(|product, hardware, memory| {
        let Booted::Provisioned(lock) = Unit::open(product, hardware, memory).ok()? else {
            return None;
        };
        let mut setup = Setup::begin(lock, Plan::online(UnixTime(1))).ok()?;
        setup
            .open_window_by_presence(&mut Button, now, Millis::from_secs(900))
            .ok()?;
        let mut own = [0; 32];
        let names = setup.device_mut().pairing_names(PHONE, &mut own).ok()?;
        let (waiting, _) = setup.answer(names, black_box(&GUESS), now).ok()?;
        if setup.finish(waiting, &black_box([7; 32]), now).is_ok() {
            return None;
        }
        // What the app shows: where the set-up stands, and who has to do what.
        black_box(setup.status(now).ok()?);
        let code = Attempt::from_label(label.as_str()).ok()?;
        setup.present_label(&code, Millis::from_secs(120)).ok()?;
        setup.give_network(black_box(b"WIFI:S:flat;;")).ok()?;
        setup.report_network(NetworkReport::Joined).ok()?;
        setup.set_time(UnixTime(black_box(1_800_000_000))).ok()?;
        setup.report_update(UpdateReport::Current).ok()?;
        setup.report_identity(IdentityReport::Accepted).ok()?;
        let password = UserPassword::new(PASSWORD, Exposure::Online, &[SERIAL]).ok()?;
        let ready = setup.ready().ok()?;
        let mut lock = ready
            .claim(&password, Iterations::MCU)
            .ok()?
            .with_inventory(INVENTORY);
        lock.put(GUESTS, b"a key for the neighbour").ok()
    })
}

/// The generator of P-256, uncompressed: a share that a guesser may send.
const GUESS: [u8; 65] = {
    let mut point = [4; 65];
    let (x, y) = (
        *b"\x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2\x77\x03\x7d\x81\x2d\xeb\x33\xa0\xf4\xa1\x39\x45\xd8\x98\xc2\x96",
        *b"\x4f\xe3\x42\xe2\xfe\x1a\x7f\x9b\x8e\xe7\xeb\x4a\x7c\x0f\x9e\x16\x2b\xce\x33\x57\x6b\x31\x5e\xce\xcb\xb6\x40\x68\x37\xbf\x51\xf5",
    );
    let mut at = 0;
    while at < 32 {
        point[1 + at] = x[at];
        point[33 + at] = y[at];
        at += 1;
    }
    point
};

struct Button;
impl PhysicalPresence for Button {
    fn is_asserted(&mut self) -> bool {
        black_box(true)
    }
}

/// Passwords are tried at the app's service: some are compared, then none for a while.
#[inline(never)]
pub fn attacked(board: &mut Board<'_>) -> Option<()> {
    board.owned(|mut lock| {
        let (mut burst, mut reported) = (FailureBurst::new(0), 0);
        for second in 0..20 {
            let now = Millis::from_secs(200 + second);
            let guess = Attempt::from_text(black_box("password")).ok()?;
            if lock.login(&guess, now).is_ok() {
                return None;
            }
            if burst.failed(now).is_some() {
                lock.record(&LOGIN_FAILED, &[5.into()], now).ok()?;
                reported += 1;
            }
        }
        let status = lock.login_status(Millis::from_secs(220)).ok()?;
        (reported > 0 && status.failures < 20 && status.remaining > Millis(0)).then_some(())
    })
}

/// Its owner logs in, changes the password, agrees to telemetry and sets how soon the door closes; the lock tells how
/// well it is set up.
#[inline(never)]
pub fn settings(board: &mut Board<'_>) -> Option<()> {
    board.owned(|mut lock| {
        let now = Millis::from_secs(4000);
        let owner = lock.login(&Attempt::from_text(PASSWORD).ok()?, now).ok()?;
        let changed = UserPassword::new(CHANGED, Exposure::Online, &[SERIAL]).ok()?;
        lock.set_password(&owner, &changed, Iterations::MCU).ok()?;
        lock.grant::<Usage>(&owner, 1, None).ok()?;
        let settings =
            Settings::from_json(black_box(br#"{"name": "front", "close_after": 20}"#), &mut []).ok()?;
        if settings.close_after().get() != 20
            || settings.name().as_str().is_empty()
            || Settings::from_json(black_box(br#"{"name": "front", "close_after": 6000}"#), &mut []).is_ok()
        {
            return None;
        }
        let gate = SURFACE.gate(Phase::Owned);
        let _closed = check_debug_port(&Locked, &gate, DebugPolicy::Refuse).ok()?;
        let app = gate.grant_listen("app").ok()?;
        let mut page = Length(0);
        let about = app.disclosure().tell(Fact::Product, &ABOUT).ok()?;
        about.write_public(&mut page).ok()?;
        about.write_for_owner(&owner, &mut page).ok()?;
        let observed = Observed {
            support_until: Some(product::SUPPORT_UNTIL),
            debug_port: Some(DebugState::Closed),
            ..Observed::NOTHING
        };
        let status = lock.security_status(&observed, now).ok()?;
        status.write_json(&mut page).ok()?;
        (black_box(page.0) > 500).then_some(())
    })
}

struct Locked;
impl DebugPort for Locked {
    fn state(&self) -> DebugState {
        black_box(DebugState::Closed)
    }
}

/// A page, of which the length is looked at here.
struct Length(usize);
impl fmt::Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += black_box(text).len();
        Ok(())
    }
}

/// Everything of the owner goes, and the lock signs that it did.
#[inline(never)]
pub fn reset(board: &mut Board<'_>) -> Option<()> {
    let now = Millis::from_secs(9000);
    board.owned(|mut lock: Lock<'_>| {
        let owner = lock.login(&Attempt::from_text(CHANGED).ok()?, now).ok()?;
        let uptime = Some(now);
        lock.reset_at(owner, Moment { uptime, time: None }).ok().map(drop)
    })?;
    board.start(|product, hardware, memory| {
        let Booted::Provisioned(mut lock) = Unit::open(product, hardware, memory).ok()? else {
            return None;
        };
        while lock.scrub_step().ok()? == Scrub::Pending {}
        let (key, hash) = (identity, &mut Sha256::new());
        let mut out = [0; Erased::MAX_LEN];
        let receipt = lock.receipt(Some(b"of a buyer"), Signing { key, hash }, &mut out);
        receipt.is_ok().then_some(())
    })
}

fn identity(seed: &Secret<32>) -> Result<Ed25519SigningKey, CryptoError> {
    Ok(Ed25519SigningKey::from_seed(seed))
}
