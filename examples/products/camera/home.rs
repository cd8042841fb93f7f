//! From the label to an owner: the phone proves that it has read the set-up code, names the network, and its owner
//! chooses a password.

use getrandom::SysRng;
use iotsec::{
    core::{
        credential::{
            DevicePassword, Exposure, Iterations, PhysicalPresence, SetupCode, UserPassword,
            pairing::{Owner, PairingCode, PairingNames, PairingParameters, PairingRecord},
        },
        crypto::{HkdfSha256, P256PublicKey, Sign},
        hal::{Millis, linux::FileFlash},
        identity::Rotation,
        qr::WifiNetwork,
    },
    device::{Booted, Device, Enrolment},
    setup::{Action, IdentityReport, NetworkReport, Plan, Setup, UpdateReport},
    store::keys::KeyKind,
};

use crate::{
    link::TODAY,
    product,
    unit::{CLIPS, Camera, INVENTORY, Result, keys},
};

pub const SERIAL: &str = "CAM3-000042";
pub const PASSWORD: &str = "seven small otters swim";
/// What its owner changes it to.
pub const CHANGED: &str = "nine tall herons wade";
const PHONE: &[u8] = b"anna's phone";
const WIFI: &str = r"WIFI:T:WPA;S:Anna's flat;P:correct horse\: battery;;";
pub const CLIP_KEY: &[u8] = b"the key that clips are encrypted";
const QUARTER: Millis = Millis::from_secs(900);

type SettingUp<'d> = Setup<'d, &'d mut FileFlash, SysRng, 16>;

/// What the label says, and what the service learns.
pub struct Made {
    pub code: SetupCode,
    pub key: P256PublicKey,
    pub enrolment: Enrolment,
}

/// The station: a password and a set-up code of its own, keys made on the camera.
pub fn make(camera: &mut Camera) -> Result<Made> {
    let password = DevicePassword::generate(Exposure::Online, &mut SysRng)?;
    let code = SetupCode::generate(&mut SysRng)?;
    let parameters = PairingParameters::generate(PairingParameters::MIN_ITERATIONS, &mut SysRng)?;
    let typed = PairingCode::parse(code.digits())?;
    let record = PairingRecord::register(&typed, SERIAL.as_bytes(), &parameters, &HkdfSha256)?;
    let (enrolment, key) = camera.with(|product, hardware, memory| {
        let camera = Device::<_, _, _, 16>::format(product, hardware, memory)?;
        let (mut camera, enrolment) = camera
            .provision_with_pairing(SERIAL, &password, &record)
            .map_err(|(_, error)| error)?;
        let mut identity = camera.identity(keys(), KeyKind::P256);
        let rotation = Rotation::initialise::<P256PublicKey, _>(&mut identity)?;
        let key = rotation.key(&mut identity)?;
        Ok((enrolment, P256PublicKey::from_sec1(key.public_key())?))
    })?;
    Ok(Made { code, key, enrolment })
}

/// What the camera asks for is done, by its owner or by itself.
pub fn set_up(camera: &mut Camera, made: &Made) -> Result {
    camera.run(|unit, _| {
        let Booted::Provisioned(device) = unit else {
            return Err("it has an owner".into());
        };
        let plan = Plan::online(product::SUPPORT_UNTIL.min(TODAY));
        let mut camera = Setup::begin(device, plan).map_err(|(_, error)| error)?;
        let mut now = Millis::from_secs(30);
        loop {
            now = Millis(now.0 + 1000);
            match camera.status(now)?.reason().action() {
                Action::PressButton => camera.open_window_by_presence(&mut Button, now, QUARTER)?,
                Action::EnterCode => pair(&mut camera, made.code.digits(), now)?,
                Action::GiveNetwork => camera.give_wifi(&WifiNetwork::parse(WIFI)?)?,
                Action::JoinNetwork => camera.report_network(NetworkReport::Joined)?,
                Action::LearnTime => camera.set_time(TODAY)?,
                Action::CheckUpdates => camera.report_update(UpdateReport::Current)?,
                Action::Authenticate => camera.report_identity(IdentityReport::Accepted)?,
                _ => break,
            }
        }
        let password = UserPassword::new(PASSWORD, Exposure::Online, &[SERIAL])?;
        let ready = camera.ready().map_err(|(_, error)| error)?;
        let owned = ready
            .claim(&password, Iterations::MCU)
            .map_err(|(_, error)| error)?;
        Ok(owned.with_inventory(INVENTORY).put(CLIPS, CLIP_KEY)?)
    })
}

fn pair(camera: &mut SettingUp<'_>, code: &str, now: Millis) -> Result {
    let phone = PairingNames::new(PHONE, SERIAL.as_bytes())?;
    let parameters = camera.device_mut().pairing_parameters()?;
    let owner = Owner::new(&PairingCode::parse(code)?, phone, &parameters, &HkdfSha256)?;
    let (owner, share) = owner.start(&mut SysRng, &HkdfSha256)?;
    let mut own = [0; 32];
    let names = camera.device_mut().pairing_names(PHONE, &mut own)?;
    let (waiting, answer) = camera.answer(names, &share, now)?;
    let (confirm, _) = owner.finish(&answer, &HkdfSha256)?;
    camera.finish(waiting, &confirm, now)?;
    Ok(())
}

/// A finger on the button.
struct Button;
impl PhysicalPresence for Button {
    fn is_asserted(&mut self) -> bool {
        true
    }
}
