//! A simulated device, which installs what the tool made.

use std::collections::BTreeMap;

use iotsec::{
    core::{
        cose::Key,
        crypto::{Ed25519PublicKey, Sha256},
        hal::{Region, Slot},
    },
    update::{
        ComponentId, DeviceComponent, DeviceIdentity, Envelope, Limits, TrustAnchor, TrustAnchors,
        UpdateError, Updater,
        boot::{BootConfig, Selection, Verified, select},
        install::{Clean, Finish, InstallError, State},
        payload::{Check, Decode, PayloadError},
        rollback::{Rollback, RollbackPolicy},
        slot::{SlotLayout, UpdateLayout},
    },
};
use iotsec_testkit::{Geometry, Power, SimCounter, SimFlash, Violation, World};

use crate::bench::Bench;

/// The identifiers of `--vendor-domain example.com --model lamp-2`.
pub(crate) const DEVICE: &str = "--vendor-domain example.com --model lamp-2";
const VENDOR: [u8; 16] = 0xcfbff0d1_9375_5685_968c_48ce8b15ae17_u128.to_be_bytes();
const CLASS: [u8; 16] = 0x09208fa2_31fa_5e77_9f1f_a7e4ea720185_u128.to_be_bytes();

/// Everything of a device with `N` components, `00`, `01`…, that outlives a reset.
pub(crate) struct Device<const N: usize> {
    pub(crate) flash: SimFlash,
    pub(crate) counter: SimCounter,
    layout: UpdateLayout<N>,
    trusted: [u8; 32],
}

/// Why an update is not staged.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Admission(UpdateError),
    Install(InstallError),
    /// The device was reset.
    Reset,
}

/// Where payloads are, and what becomes of them on their way.
pub(crate) struct Network {
    files: BTreeMap<String, Vec<u8>>,
    /// Bytes that come at once.
    pub(crate) packet: usize,
    /// The device is reset after so many of the calls that it makes.
    pub(crate) calls: usize,
    /// Every packet with a number divisible by this is damaged.
    pub(crate) damaged: usize,
    packets: usize,
    /// Bytes that were sent and taken.
    pub(crate) sent: usize,
}

impl Network {
    pub(crate) fn new(files: &[(&str, Vec<u8>)]) -> Self {
        Self {
            files: files
                .iter()
                .map(|(uri, bytes)| ((*uri).to_owned(), bytes.clone()))
                .collect(),
            packet: 251,
            calls: usize::MAX,
            damaged: usize::MAX,
            packets: 0,
            sent: 0,
        }
    }

    fn packet(&mut self, uri: &str, offset: u32) -> Vec<u8> {
        let file = &self.files[uri];
        let from = offset as usize;
        let mut packet = file[from..file.len().min(from + self.packet)].to_vec();
        if !packet.is_empty() {
            self.packets += 1;
            if self.packets.is_multiple_of(self.damaged) {
                packet[0] ^= 0x20;
            }
        }
        packet
    }
}

impl<const N: usize> World for Device<N> {
    fn power(&self) -> &Power {
        self.flash.power()
    }
    fn violation(&self) -> Option<Violation> {
        self.flash.violation()
    }
}

impl<const N: usize> Clone for Device<N> {
    fn clone(&self) -> Self {
        let flash = self.flash.clone();
        let counter = self.counter.clone().powered_by(flash.power());
        Self {
            flash,
            counter,
            ..*self
        }
    }
}

impl<const N: usize> Device<N> {
    /// With room for images of so many pages, which trusts `maker.pub` of the bench.
    pub(crate) fn new(bench: &Bench, geometry: &Geometry, pages: u32) -> Self {
        let page = geometry.pages(0, 1).unwrap().page_size();
        let mut next = 0;
        let mut region = |pages: u32| -> Region {
            next += pages;
            geometry.pages(next - pages, pages).unwrap()
        };
        let mut slot = || SlotLayout {
            manifest: region(4096_u32.div_ceil(page) + 1),
            images: std::array::from_fn(|_| region(pages)),
        };
        let (a, b) = (slot(), slot());
        let journal = region(4096_u32.div_ceil(page).max(3));
        let flash = SimFlash::new(geometry.clone());
        Self {
            counter: SimCounter::new().powered_by(flash.power()),
            flash,
            layout: UpdateLayout::new(a, b, journal).unwrap(),
            trusted: *Key::parse(&bench.read("maker.pub")).unwrap().x(),
        }
    }

    /// As it leaves the factory.
    pub(crate) fn with_factory(mut self, envelope: &[u8], images: [&[u8]; N]) -> Self {
        let slot = *self.layout.slot(Slot::A);
        slot.provision(&mut self.flash, envelope, images).unwrap();
        self
    }

    fn with_config<R>(
        layout: UpdateLayout<N>,
        trusted: &[u8; 32],
        work: impl FnOnce(&BootConfig<'_, N>) -> R,
    ) -> R {
        let public = Ed25519PublicKey::from_bytes(trusted).unwrap();
        let anchors = [TrustAnchor {
            key: &public,
            kid: None,
        }];
        let names: [[u8; 3]; N] = std::array::from_fn(|number| [0x81, 0x41, number.to_le_bytes()[0]]);
        let places: Vec<DeviceComponent<'_>> = names
            .iter()
            .zip(&layout.slot(Slot::A).images)
            .map(|(name, region)| DeviceComponent {
                id: ComponentId::from_encoded(name).unwrap(),
                capacity: region.len(),
                slot: None,
            })
            .collect();
        let device = DeviceIdentity {
            vendor: VENDOR,
            class: CLASS,
            device: None,
            components: &places,
        };
        work(&BootConfig::new(
            layout,
            TrustAnchors::new(&anchors, 1).unwrap(),
            device,
        ))
    }

    /// Starts what is authentic; `None` when nothing is.
    pub(crate) fn boot(&mut self) -> Option<Verified<N>> {
        let (flash, counter) = (&mut self.flash, &mut self.counter);
        Self::with_config(self.layout, &self.trusted, |config| {
            let mut rollback = Rollback::new(counter, POLICY);
            match select(flash, config, &mut rollback, &mut Sha256::new(), &mut [0; 8192]) {
                Ok(Selection::Boot(image)) => Some(image),
                _ => None,
            }
        })
    }

    /// One life of the application, from the boot to a staged update or to what stops it.
    pub(crate) fn stage<P: Decode, C: Check>(
        &mut self,
        envelope: &[u8],
        network: &mut Network,
        decoder: P,
        check: C,
    ) -> Result<(), Stop> {
        let running = self.boot().ok_or(Stop::Reset)?.running();
        let mut rollback = Rollback::new(&mut self.counter, POLICY);
        let flash = &mut self.flash;
        let mut updater = Updater::mount(flash, self.layout, running, &mut rollback, Sha256::new())?;
        while matches!(updater.state(), State::Failed | State::Updated) {
            if updater.clean(flash)? == Clean::Done {
                break;
            }
        }
        if updater.state() == State::Staged {
            return Ok(());
        }
        let accepted = Self::with_config(self.layout, &self.trusted, |config| {
            Envelope::parse(envelope, &Limits::DEFAULT)?
                .authenticate(&config.anchors, &mut Sha256::new())?
                .admit(
                    &config.device_a,
                    &POLICY.admission(updater.installed(), None),
                    &mut Sha256::new(),
                )
        });
        let accepted = accepted.map_err(Stop::Admission)?;
        let mut session = updater.start_with(flash, accepted, &mut rollback, decoder, check)?;
        while let Some(wanted) = session.wanted() {
            network.calls = network.calls.checked_sub(1).ok_or(Stop::Reset)?;
            let packet = network.packet(wanted.uri, wanted.offset);
            match updater.write(&mut session, flash, &packet) {
                Ok(taken) => network.sent += taken,
                // It says what it wants again.
                Err(InstallError::Payload(PayloadError::ChunkDigest(_))) => network.sent += packet.len(),
                Err(error) => return Err(error.into()),
            }
        }
        let candidate = loop {
            network.calls = network.calls.checked_sub(1).ok_or(Stop::Reset)?;
            if let Finish::Done(candidate) = updater.finish(&mut session, flash)? {
                break candidate;
            }
        };
        Ok(updater.install(flash, candidate)?)
    }

    /// Boots what was staged, which finds itself well. The device had no trouble with its flash.
    pub(crate) fn accept(&mut self) {
        let image = self.boot().unwrap();
        let mut rollback = Rollback::new(&mut self.counter, POLICY);
        let mut updater = Updater::mount(
            &mut self.flash,
            self.layout,
            image.running(),
            &mut rollback,
            Sha256::new(),
        )
        .unwrap();
        assert_eq!(updater.state(), State::Trial);
        updater.accept(&mut self.flash, &mut rollback).unwrap();
        assert_eq!(self.flash.violation(), None);
    }

    /// The first bytes of a component in a slot.
    pub(crate) fn image(&self, slot: Slot, place: usize, len: usize) -> &[u8] {
        let start = self.layout.slot(slot).images[place].start() as usize;
        &self.flash.image()[start..start + len]
    }
}

const POLICY: RollbackPolicy = match RollbackPolicy::new(0) {
    Ok(policy) => policy,
    Err(_) => unreachable!(),
};

impl From<InstallError> for Stop {
    fn from(error: InstallError) -> Self {
        Self::Install(error)
    }
}
