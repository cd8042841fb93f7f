//! A downgrade token on a whole device: from admission to the accepted image.

use iotsec_core::crypto::Sha256;
use iotsec_testkit::Geometry;
use iotsec_update::{
    Accepted, DeviceIdentity, Envelope, Limits, Policy, SequenceNumber, UpdateError,
    install::{InstallError, State},
    rollback::{Rollback, RollbackError, RollbackPolicy},
    trust::{Downgrade, DowngradeContent, Trust, TrustError},
};

use crate::{
    device::{CLASS, Device, Maker, Release, VENDOR, with_config},
    maker::{Bundle, UNIT, load, sign},
};

/// A device of class `CLASS` with three releases behind it, the last of which is installed. All have
/// the same security counter.
fn device() -> (Device, [Release; 3]) {
    let releases = [0x101, 0x102, 0x103].map(|sequence| Maker::default().release(sequence, 300));
    let shape = |pages: u32| Geometry::new(&vec![256; pages as usize], 8);
    let mut device = Device::new(&shape(Device::pages(&shape(1), 3, 3)), 3, 3).with_factory(&releases[0]);
    device.policy = RollbackPolicy::new(8).unwrap();
    for release in &releases[1..] {
        device.stage(release).unwrap();
        device.try_and_accept().unwrap();
    }
    (device, releases)
}

fn identity() -> DeviceIdentity<'static> {
    DeviceIdentity {
        vendor: VENDOR,
        class: CLASS,
        device: Some(UNIT),
        components: &[],
    }
}

fn bundle() -> Vec<u8> {
    Bundle::new(1).with(|bundle| bundle.class = CLASS).signed()
}

fn believed(message: &[u8]) -> Trust<'_> {
    Trust::factory(message, &identity(), load, &mut Sha256::new(), &mut [0; 2048]).unwrap()
}

fn digest_of(device: &Device, release: &Release) -> [u8; 32] {
    *device.admit(&release.envelope).unwrap().manifest_digest()
}

fn token(device: &Device, from: &Release, to: &Release) -> Vec<u8> {
    let content = DowngradeContent {
        vendor: VENDOR,
        class: CLASS,
        device: UNIT,
        from: digest_of(device, from),
        to: digest_of(device, to),
        expires: None,
    };
    sign(content.write(&mut [0; DowngradeContent::MAX_LEN]).unwrap(), &[6])
}

/// What the application does with a token: checks it against what runs.
fn leave(device: &mut Device, token: &[u8]) -> Result<Downgrade, TrustError> {
    let message = bundle();
    let installed = device.started().unwrap().manifest().digest;
    Downgrade::check(
        token,
        &believed(&message),
        &identity(),
        &installed,
        None,
        load,
        &mut [0; 512],
    )
}

fn admit<'e>(
    device: &Device,
    release: &'e Release,
    installed: u64,
    downgrade: Option<Downgrade>,
) -> Result<Accepted<'e>, UpdateError> {
    let policy = Policy {
        downgrade,
        ..Policy::newer_than(SequenceNumber(installed))
    };
    with_config(device.layout, 1, |config| {
        Envelope::parse(&release.envelope, &Limits::DEFAULT)?
            .authenticate(&config.anchors, &mut Sha256::new())?
            .admit(&config.device_a, &policy, &mut Sha256::new())
    })
}

/// Installs what was admitted, and accepts it.
fn install(device: &mut Device, accepted: Accepted<'_>, image: &[u8]) -> Result<(), InstallError> {
    let running = device.started().unwrap().running();
    let mut updater = device.updater(running)?;
    if updater.state() == State::Updated {
        device.clean(&mut updater)?;
    }
    let mut rollback = Rollback::new(&mut device.counter, device.policy);
    let mut session = updater.start(&mut device.flash, accepted, &mut rollback)?;
    device.send(&mut updater, &mut session, image)?;
    let candidate = device.finish(&mut updater, &mut session)?;
    updater.install(&mut device.flash, candidate)?;
    device.try_and_accept().unwrap();
    Ok(())
}

#[test]
fn a_device_goes_back_by_its_token_and_not_without() {
    let (mut device, [first, _, third]) = device();
    assert_eq!(
        admit(&device, &first, 0x103, None).err(),
        Some(UpdateError::Rollback)
    );
    let token = token(&device, &third, &first);
    let leave = leave(&mut device, &token).unwrap();
    let accepted = admit(&device, &first, 0x103, Some(leave)).unwrap();
    install(&mut device, accepted, &first.image).unwrap();
    let (image, state) = device.state();
    assert_eq!(
        (image.manifest().sequence, state),
        (SequenceNumber(0x101), State::Updated)
    );
    // From there on as ever.
    device.stage(&third).unwrap();
    device.try_and_accept().unwrap();
    assert_eq!(device.state().0.manifest().sequence, SequenceNumber(0x103));
}

#[test]
fn replay_a_token_ends_when_the_device_has_moved_on() {
    let (mut device, [first, second, third]) = device();
    let token = token(&device, &third, &first);
    let early = leave(&mut device, &token).unwrap();
    let fourth = Maker::default().release(0x104, 290);
    device.stage(&fourth).unwrap();
    device.try_and_accept().unwrap();
    assert_eq!(leave(&mut device, &token).err(), Some(TrustError::WrongStart));
    // Checked before, kept, and used after: the journal is asked again.
    let accepted = admit(&device, &first, 0x104, Some(early)).unwrap();
    assert_eq!(
        install(&mut device, accepted, &first.image),
        Err(InstallError::Rollback(RollbackError::Older))
    );
    // A token for one target opens no other.
    assert_eq!(
        admit(&device, &second, 0x104, Some(early)).err(),
        Some(UpdateError::Rollback)
    );
    assert_eq!(device.state().0.manifest().sequence, SequenceNumber(0x104));
}

#[test]
fn no_token_lowers_the_security_counter() {
    let (mut device, [_, _, third]) = device();
    let next = Maker::default().release(0x200, 280);
    device.stage(&next).unwrap();
    device.try_and_accept().unwrap();
    assert_eq!(device.counter.value(), 2);
    let token = token(&device, &next, &third);
    let leave = leave(&mut device, &token).unwrap();
    let accepted = admit(&device, &third, 0x200, Some(leave)).unwrap();
    assert_eq!(
        install(&mut device, accepted, &third.image),
        Err(InstallError::Rollback(RollbackError::BelowFloor))
    );
    assert_eq!(device.counter.value(), 2);
    assert_eq!(device.state().0.manifest().sequence, SequenceNumber(0x200));
}
