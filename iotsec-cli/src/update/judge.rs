//! A device as the command line describes it, and what it says of an envelope.

use std::{path::PathBuf, str::FromStr};

use clap::Args;
use iotsec::{
    core::{crypto::Sha256, hal::UnixTime},
    update::{
        Accepted, ComponentId, DeviceComponent, DeviceIdentity, Envelope, SequenceNumber, TrustAnchor,
        TrustAnchors, UpdateError, rollback::RollbackPolicy,
    },
};
use uuid::Uuid;

use super::{outer, room::Room};
use crate::{
    Problem,
    key::{KeyFile, PublicKey},
    target::{Component, Target},
    time::Time,
};

/// A device: whom it trusts, what it is, and what is installed on it.
#[derive(Args)]
pub(crate) struct Judge {
    /// A trusted key; give it again for further ones.
    #[arg(long, value_name = "PUB", required = true)]
    key: Vec<PathBuf>,
    /// How many of the trusted keys must have signed.
    #[arg(long, value_name = "K", default_value_t = 1)]
    pub(super) threshold: u8,
    #[command(flatten)]
    target: Target,
    /// The device identifier, of a device that has one.
    #[arg(long, value_name = "UUID")]
    device: Option<Uuid>,
    /// A component that the device has, as in `update create`, and the bytes that it has room for; give it
    /// again for further ones.
    #[arg(long, value_name = "NAME[=BYTES]", default_value = "00")]
    component: Vec<Place>,
    /// Bytes of the largest image that the device has room for, where a component does not say.
    #[arg(long, value_name = "BYTES", default_value_t = u32::MAX)]
    capacity: u32,
    /// The sequence number that is installed; 0 is a device fresh from the factory.
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    pub(super) installed: u64,
    /// The device takes the installed sequence number once more.
    #[arg(long)]
    reinstall: bool,
    /// The device's trusted time, if not that of this computer.
    #[arg(long, value_name = "TIME")]
    time: Option<Time>,
    /// The device has no trusted time.
    #[arg(long, conflicts_with = "time")]
    no_clock: bool,
    #[command(flatten)]
    room: Room,
}

#[derive(Clone)]
struct Place {
    component: Component,
    capacity: Option<u32>,
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, capacity) = match text.split_once('=') {
            Some((name, bytes)) => (name, Some(bytes.parse().map_err(|_| "BYTES is a number")?)),
            None => (text, None),
        };
        Ok(Self {
            component: name.parse()?,
            capacity,
        })
    }
}

/// How far an envelope came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Read,
    Authenticate,
    Admit,
}

impl Stage {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Authenticate => "authenticated",
            Self::Admit => "admitted",
        }
    }
}

impl Judge {
    pub(super) fn keys(&self) -> usize {
        self.key.len()
    }

    pub(super) fn ids(&self) -> (Uuid, Uuid) {
        self.target.ids()
    }

    pub(super) fn clock(&self) -> Option<Time> {
        if self.no_clock {
            None
        } else {
            self.time.or_else(Time::now)
        }
    }

    /// The names of the components, in the device's order.
    pub(super) fn places(&self) -> Vec<String> {
        self.component
            .iter()
            .map(|place| place.component.to_string())
            .collect()
    }

    /// Says whether the device takes `bytes`; `refused` makes a problem of the reason if not.
    pub(super) fn admit<T>(
        &self,
        bytes: &[u8],
        refused: impl Fn(Stage, UpdateError) -> Problem,
        then: impl FnOnce(&Accepted<'_>, [u8; 32]) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let mut keys: Vec<PublicKey> = Vec::new();
        for path in &self.key {
            let key = KeyFile::read(path)?;
            keys.push((key.anchor()?, key.kid()?));
        }
        let anchors = anchors(&keys);
        let anchors = TrustAnchors::new(&anchors, self.threshold).map_err(|_| self.unusable())?;
        let encoded: Result<Vec<Vec<u8>>, Problem> = self
            .component
            .iter()
            .map(|place| place.component.encoded())
            .collect();
        let encoded = encoded?;
        let mut places = Vec::new();
        for (place, encoded) in self.component.iter().zip(&encoded) {
            places.push(DeviceComponent {
                id: ComponentId::from_encoded(encoded).map_err(Problem::make("component identifier"))?,
                capacity: place.capacity.unwrap_or(self.capacity),
                slot: None,
            });
        }
        let (vendor, class) = self.target.ids();
        let device = DeviceIdentity {
            vendor: vendor.into_bytes(),
            class: class.into_bytes(),
            device: self.device.map(Uuid::into_bytes),
            components: &places,
        };
        let policy = RollbackPolicy::new(0).map_err(Problem::make("policy"))?;
        let now: Option<UnixTime> = self.clock().map(Time::unix);
        let mut policy = policy.admission(SequenceNumber(self.installed), now);
        policy.reinstall = self.reinstall;

        // The reader would stumble over something inside another kind of file.
        if outer::is_something_else(bytes) {
            return Err(refused(Stage::Read, UpdateError::NotAnEnvelope));
        }
        let mut hash = Sha256::new();
        let envelope =
            Envelope::parse(bytes, &self.room.limits()).map_err(|cause| refused(Stage::Read, cause))?;
        let authentic = envelope
            .authenticate(&anchors, &mut hash)
            .map_err(|cause| refused(Stage::Authenticate, cause))?;
        let digest = *authentic.manifest_digest();
        let accepted = authentic
            .admit(&device, &policy, &mut hash)
            .map_err(|cause| refused(Stage::Admit, cause))?;
        then(&accepted, digest)
    }

    fn unusable(&self) -> Problem {
        Problem::usage(
            format!(
                "a threshold of {} of {} keys cannot be used",
                self.threshold,
                self.key.len()
            ),
            format!(
                "give 1 to {} different keys, and a threshold of 1 to all of them",
                TrustAnchors::MAX
            ),
        )
    }
}

/// Keys with their identifiers.
pub(super) fn anchors(keys: &[PublicKey]) -> Vec<TrustAnchor<'_>> {
    keys.iter()
        .map(|(key, kid)| TrustAnchor {
            key: key.as_ref(),
            kid: kid.as_deref(),
        })
        .collect()
}
