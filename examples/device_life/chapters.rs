//! What happens to the device, chapter by chapter.

mod detection;
mod disclosure;
mod network;
mod updates;

pub use detection::noticed;
use detection::{SENSOR, report};
pub use disclosure::weakness;
pub use network::online;
pub use updates::{bad_updates, corrupted_image, update};

use getrandom::SysRng;
use iotsec::{
    core::{
        credential::{Attempt, Exposure, Iterations, UserPassword},
        crypto::{ChaCha20Poly1305, HkdfSha256, Sha256},
        hal::{Millis, UnixTime},
        secret::Secret,
    },
    device::{Booted, Device, DeviceError, Enrolment, State},
    erase::{Inventory, Place},
    factory::{Batch, Unit},
    guideline::Guideline,
    status::Observed,
    store::{KeyDomain, KeyId, Scrub},
    telemetry::{
        batch::{BatchKey, SizeClass, Sizes},
        consent::Usage,
        detect::{FailureBurst, Mode},
        personal::Personal,
        registry::Class,
        spool::Purge,
    },
    update::policy::Status,
};

use crate::{
    story::Story,
    world::{CLASS, EVENTS, LINK_LOST, MINUTES, MOTION, Result, World, open_spool, sign_release},
};

const APP_V1: &[u8] = include_bytes!("../../vectors/suit/payloads/app_v1.bin");

/// Where the application keeps the owner's network.
const NETWORK: KeyId = KeyId::new(KeyDomain::User, 1, 1);
const PERSONAL_DATA: Inventory = Inventory::new(&[Place::new(
    NETWORK.namespace(),
    "name and passphrase of the network",
    "to be online",
)])
.unwrap();
const NETWORK_NAME: &str = "Anna's flat";
const NETWORK_PASSPHRASE: &str = "correct horse battery staple";
const OWNER_PASSWORD: &str = "seven small otters swim";
/// What the maker published: until the end of 2031.
const SUPPORT_ENDS: UnixTime = UnixTime(1_956_527_999);

/// What the factory keeps of the unit.
pub struct Maker {
    unit: Unit,
    enrolment: Enrolment,
}

/// What the owner knows.
pub struct Owner {
    password: &'static str,
}

pub fn factory(story: &mut Story, world: &mut World) -> Result<Maker> {
    story.chapter("In the factory: five units are minted, one is ours");
    let mut batch = Batch::new(&HkdfSha256, &mut SysRng)?;
    let mut units = Vec::new();
    for number in 1..=5 {
        units.push(batch.mint(&format!("SN-{number:04}"), Exposure::Online, &mut SysRng)?);
    }
    for unit in &units {
        story.say(format!(
            "{}   label {}",
            unit.serial(),
            unit.password().label().as_str()
        ));
    }
    let unit = units.swap_remove(2);

    let image = world.slots.slot(iotsec::core::hal::Slot::A);
    let envelope = sign_release(CLASS, 9, APP_V1, "https://fw.example/app_v1.bin")?;
    image.provision(&mut world.flash, &envelope, [APP_V1])?;
    let enrolment = world.with_hardware(|product, hardware, memory| {
        let device = Device::<_, _, _, 32>::format(product, hardware, memory)?;
        let (_, enrolment) = device
            .provision(unit.serial(), unit.password())
            .map_err(|(_, error)| error)?;
        Ok(enrolment)
    })?;
    story.say(format!(
        "{} gets signed firmware 9, keys of its own and its verifier; no password is stored",
        unit.serial()
    ));
    story.exercised(
        Guideline::NoDefaultPasswords,
        format!(
            "{} units, {} bits each from the CSPRNG, all different",
            batch.len(),
            Exposure::Online.entropy_bits()
        ),
    );
    Ok(Maker { unit, enrolment })
}

pub fn set_up(story: &mut Story, world: &mut World, maker: &Maker) -> Result<Owner> {
    story.chapter("At home: the owner sets it up with the label's code");
    let verified = world.power_on()?;
    story.say(format!(
        "boot: slot {:?}, firmware {}, signature and SHA-256 checked",
        verified.slot(),
        verified.manifest().sequence.0
    ));
    let label = maker.unit.password().label();
    let typo = mistype(label.as_str());
    let noticed = Attempt::from_label(&typo).expect_err("the check symbol finds one wrong symbol");
    story.say(format!("typed {typo}: {noticed} - not counted as a guess"));

    let status = world.run(|unit| {
        let Booted::Provisioned(device) = unit else {
            return Err("not provisioned".into());
        };
        let code = Attempt::from_label(label.as_str())?;
        let mut device = device
            .claim(&code, Millis::from_secs(40))
            .map_err(|(_, error)| error)?
            .with_inventory(PERSONAL_DATA);
        let auth = device.login(&code, Millis::from_secs(41))?;
        let chosen = UserPassword::new(OWNER_PASSWORD, Exposure::Online, &["SN-0003", "sensor-rev-b"])?;
        device.set_password(&auth, &chosen, Iterations::MCU)?;
        device.put(
            NETWORK,
            format!("{NETWORK_NAME}\0{NETWORK_PASSPHRASE}").as_bytes(),
        )?;

        let refused = device.record(
            &MOTION,
            &[Personal::<u32, Usage>::new(95).bucket(MINUTES)],
            Millis::from_secs(50),
        );
        let refused = refused
            .err()
            .ok_or("an event of usage was recorded without consent")?;
        story.refused("usage statistics", &refused);
        device.grant::<Usage>(&auth, 1, None)?;
        story.say("the owner agrees to usage statistics, in version 1 of the text");
        let observed = Observed {
            updates: Some(Status::Checking),
            support_until: Some(SUPPORT_ENDS),
            ..Observed::NOTHING
        };
        Ok(device.security_status(&observed, Millis::from_secs(55))?)
    })?;
    for finding in status.findings() {
        let (verdict, remedy) = (finding.verdict().id(), finding.remedy().unwrap_or(""));
        story.say(format!("status {verdict}: {} {remedy}", finding.text()));
    }
    let plain = [NETWORK_NAME, NETWORK_PASSPHRASE, OWNER_PASSWORD, label.as_str()];
    let found = plain
        .iter()
        .filter(|text| world.flash.contains(text.as_bytes()))
        .count();
    story.say(format!(
        "network and passwords are in the store; found in raw flash: {found} of {}",
        plain.len()
    ));
    if found != 0 {
        return Err("a secret lies open in flash".into());
    }
    story.exercised(
        Guideline::SecureStorage,
        "AES-256-GCM-SIV under a key tree from the fuses; raw flash shows nothing",
    );
    story.exercised(
        Guideline::EasyInstallation,
        format!(
            "one code to type, a typo is noticed at once, secure by default; the device checks its set-up in {} points and says what helps",
            status.findings().count()
        ),
    );
    Ok(Owner {
        password: OWNER_PASSWORD,
    })
}

/// Replaces one symbol of the code by another.
fn mistype(label: &str) -> String {
    let (first, rest) = label.split_at(1);
    format!("{}{rest}", if first == "7" { "8" } else { "7" })
}

pub fn attack_on_the_password(story: &mut Story, world: &mut World, owner: &Owner) -> Result {
    story.chapter("Somebody guesses passwords, and cuts the power to be let off the wait");
    let (mut burst, spool) = (FailureBurst::new(0), world.spool);
    world.power_on()?;
    let before = world.run(|unit| {
        let Booted::Owned(mut device) = unit else {
            return Err("not owned".into());
        };
        let mut spool = open_spool(&mut device, spool)?;
        let mut guard = device.guard(&SENSOR, Millis(0))?;
        let (mut now, mut tried, mut refused) = (Millis::from_secs(60), 0, 0);
        for guess in 0..1000 {
            now = Millis(now.0 + 100);
            let text = format!("password{guess:04}");
            match device.login(&Attempt::from_text(&text)?, now) {
                Err(DeviceError::Login(iotsec::core::credential::LoginError::Refused)) => {
                    tried += 1;
                    if let Some(finding) = burst.failed(now) {
                        report(story, &mut device, &mut spool, &mut guard, &finding, now)?;
                    }
                }
                Err(_) => refused += 1,
                Ok(_) => return Err("a wrong password was accepted".into()),
            }
        }
        story.say(format!(
            "1000 guesses in 100 s: {tried} compared, {refused} turned away before any comparison"
        ));
        if guard.mode() != Mode::LeastConnectivity {
            return Err("nothing was done about it".into());
        }
        Ok(device.login_status(now)?)
    })?;

    let cut = world.run(|unit| {
        let Booted::Owned(mut device) = unit else {
            return Err("not owned".into());
        };
        // The power goes while the guess is being counted.
        device.hardware_mut().flash.cut_after(2);
        let guess = Attempt::from_text("password9999")?;
        Ok(device
            .login(&guess, Millis::from_secs(2000))
            .err()
            .ok_or("a wrong password was accepted")?)
    })?;
    let verified = world.power_on()?;
    let after = world.run(|unit| {
        let Booted::Owned(mut device) = unit else {
            return Err("not owned".into());
        };
        let status = device.login_status(Millis::from_secs(1))?;
        let right = Attempt::from_text(owner.password)?;
        let early = device
            .login(&right, Millis::from_secs(1))
            .err()
            .ok_or("let in before the wait was over")?;
        story.refused("even the owner, too early", &early);
        let now = Millis(status.remaining.0 + 1_000);
        let owner = device.login(&right, now)?;
        let mut guard = device.guard(&SENSOR, now)?;
        let change = guard.release(owner, now).ok_or("it was not released")?;
        device.keep_guard(&guard)?;
        story.say(format!("its owner lets it back: {:?}", change.mode));
        Ok(status)
    })?;
    story.say(format!(
        "power cut while counting ({}); firmware {} again: {} failures before, {} after; the wait starts over: {} s",
        cut,
        verified.manifest().sequence.0,
        before.failures,
        after.failures,
        after.remaining.0 / 1000
    ));
    if after.failures < before.failures || after.remaining == Millis(0) {
        return Err("the power cut forgave a guess".into());
    }
    story.say("after the wait the owner's password is accepted, and the count is cleared");
    Ok(())
}

pub fn outage(story: &mut Story, world: &mut World, maker: &Maker) -> Result {
    story.chapter("The network is down for a day; then the queue is sent");
    let spool = world.spool;
    world.power_on()?;
    world.run(|unit| {
        let Booted::Owned(mut device) = unit else {
            return Err("not owned".into());
        };
        let mut spool = open_spool(&mut device, spool)?;
        for hour in 0..24u64 {
            let now = Millis::from_secs(100 + hour * 3600);
            let minutes = Personal::<u32, Usage>::new(u32::try_from(hour * 11)?);
            device.record_in(&mut spool, &MOTION, &[minutes.bucket(MINUTES)], now)?;
        }
        device.record_in(
            &mut spool,
            &LINK_LOST,
            &[86_400.into()],
            Millis::from_secs(86_500),
        )?;
        story.say(format!(
            "{} events wait in flash, {} gave way; the sensor goes on, and the power goes without a warning",
            spool.len(),
            spool.loss(Class::Usage).count
        ));
        Ok(())
    })?;
    world.power_on()?;
    let sealed = world.run(|unit| {
        let Booted::Owned(mut device) = unit else {
            return Err("not owned".into());
        };
        let mut spool = open_spool(&mut device, spool)?;
        let waiting = spool.len();
        let (mut scratch, mut out) = ([0; 1024], [0; 1024]);
        let sizes = Sizes::up_to(SizeClass::B1024);
        let (mut sealed, mut events) = (Vec::new(), 0);
        while let Some(batch) = device.batch_of(&mut spool, sizes, &mut scratch, &mut out)? {
            sealed.push(batch.bytes().to_vec());
            events += batch.events();
            let receipt = batch.into_receipt();
            device.acknowledge_in(&mut spool, receipt)?;
        }
        let lengths: Vec<_> = sealed.iter().map(|bytes| bytes.len().to_string()).collect();
        story.say(format!(
            "after a reboot {waiting} events are still there; {events} leave, a batch for each purpose: {} bytes",
            lengths.join(" and ")
        ));
        if u64::try_from(events)? != waiting || !spool.is_empty() {
            return Err("an event got lost over the reboot".into());
        }
        Ok(sealed)
    })?;
    let key = BatchKey::new(&maker.enrolment.telemetry, &ChaCha20Poly1305, &HkdfSha256);
    let mut plain = [0; 1024];
    let registry = EVENTS.hashed(&mut Sha256::new());
    let mut names = std::collections::BTreeSet::new();
    for sealed in &sealed {
        let batch = key.open(sealed, &mut plain)?.read(&registry)?;
        names.extend(batch.events().map(|event| event.definition().name()));
    }
    story.say(format!(
        "the service opens it and reads: {}",
        names.into_iter().collect::<Vec<_>>().join(", ")
    ));
    let wrong = Secret::random(&mut SysRng)?;
    let other = BatchKey::new(&wrong, &ChaCha20Poly1305, &HkdfSha256).open(&sealed[0], &mut plain);
    other.err().ok_or("another key opened the batch")?;
    story.exercised(
        Guideline::Resilience,
        "events survive outage and reboot; an update resumes where the power went",
    );
    story.exercised(
        Guideline::Telemetry,
        format!(
            "password attack reported; {} bytes sealed with COSE_Encrypt0",
            sealed.concat().len()
        ),
    );
    story.exercised(
        Guideline::PersonalData,
        "refused without consent; with it, only in coarse buckets",
    );
    Ok(())
}

pub fn deletion(story: &mut Story, world: &mut World, maker: &Maker, owner: &Owner) -> Result {
    story.chapter("The owner sells it, and deletes everything");
    world.power_on()?;
    let (before, spool) = (world.flash.clone(), world.spool);
    let (steps, state) = world.run(|unit| {
        let Booted::Owned(mut device) = unit else {
            return Err("not owned".into());
        };
        let auth = device.login(&Attempt::from_text(owner.password)?, Millis::from_secs(9000))?;
        let mut device = device.reset(auth).map_err(|(_, error)| error)?;
        let mut steps = 1;
        while device.scrub_step()? == Scrub::Pending {
            steps += 1;
        }
        while device.scrub_spool_step(spool)? == Purge::Pending {
            steps += 1;
        }
        Ok((steps, State::Provisioned))
    })?;
    story.say(format!(
        "one call destroys the owner's key; {steps} short steps remove what it protected"
    ));

    let label = maker.unit.password().label();
    let secrets: [(&str, &[u8]); 8] = [
        ("network name", NETWORK_NAME.as_bytes()),
        ("network passphrase", NETWORK_PASSPHRASE.as_bytes()),
        ("owner's password", owner.password.as_bytes()),
        ("label code", label.as_str().as_bytes()),
        ("telemetry key", maker.enrolment.telemetry.expose()),
        ("identity key", maker.enrolment.identity.expose()),
        ("fuses", world.fuses()),
        ("event name", MOTION.name().as_bytes()),
    ];
    for (name, bytes) in secrets {
        if world.flash.contains(bytes) {
            return Err(format!("{name} found in flash").into());
        }
    }
    // The search itself is put to the test: it finds what is there.
    if !world.flash.contains(updates::APP_V2) {
        return Err("the search does not find the firmware".into());
    }
    let old = updates::same_store_pages(&before, &world.flash, world.store);
    story.say(format!(
        "raw flash of {} KiB searched for {} secrets: none; store pages left as they were: {old}",
        world.flash.image().len() / 1024,
        secrets.len()
    ));
    let waiting = usize::try_from(world.spool.start())?;
    let is_blank = world.flash.image()[waiting..].iter().all(|byte| *byte == 0xFF);
    if old != 0 || !is_blank {
        return Err("old ciphertext is still in flash".into());
    }
    let claimed = world.run(|unit| {
        let found = unit.state();
        let Booted::Provisioned(device) = unit else {
            return Err("not ready for an owner".into());
        };
        let code = Attempt::from_label(label.as_str())?;
        let mut device = device
            .claim(&code, Millis::from_secs(30))
            .map_err(|(_, error)| error)?;
        let gone = device.get(NETWORK, &mut [0; 128]).is_err() && device.consent::<Usage>().is_none();
        Ok(found == state && gone)
    })?;
    if !claimed {
        return Err("something of the old owner is left".into());
    }
    story.say(
        "the next owner claims it with the label: no network, no password, no consent of the one before",
    );
    story.exercised(
        Guideline::EasyDeletion,
        "one call; key destroyed, flash scrubbed and searched, ready for the next owner",
    );
    Ok(())
}
