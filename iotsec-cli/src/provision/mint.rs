//! Drawing the units of one chunk.

use std::{collections::HashSet, io::Write as _, thread};

use getrandom::SysRng;
use iotsec::{
    core::{
        credential::{DevicePassword, Exposure, PasswordError, UserPassword},
        crypto::{CryptoError, HkdfSha256, Sha256, Sign},
        secret::Secret,
    },
    factory::{BatchKey, SetupCode},
};
use iotsec_product::{Product, factory::KeyOrigin};
use zeroize::Zeroizing;

use super::{
    device_key::DeviceKey,
    entry::{Entry, Matter, VERSION},
    registry::{Hash, Hasher, Registry, What},
};
use crate::{
    Problem,
    ca::{Issuer, Ready},
    key::{KeyFile, hex},
};

/// What all units of a batch are minted from.
pub(super) struct Minter<'a> {
    pub(super) product: &'a Product,
    pub(super) key: &'a KeyFile,
    pub(super) hasher: &'a Hasher,
    /// Certifies the device keys that are made here.
    pub(super) authority: Option<&'a Issuer>,
    /// What passwords are derived from, if they are.
    pub(super) batch_key: Option<&'a BatchKey>,
    /// In hexadecimal.
    pub(super) batch: String,
    /// The running number of the first unit.
    pub(super) first: u32,
    pub(super) count: u32,
}

/// A chunk, ready to be written.
pub(super) struct Chunk {
    pub(super) units: u32,
    pub(super) manifest: Vec<u8>,
    /// `serial,password,set-up code`, a line each.
    pub(super) labels: Zeroizing<Vec<u8>>,
    /// The same, the device key and its certificate.
    pub(super) devices: Zeroizing<Vec<u8>>,
    pub(super) hashes: Vec<Hash>,
}

struct Unit {
    serial: String,
    password: Option<DevicePassword>,
    code: Option<SetupCode>,
    key: Option<DeviceKey>,
    certificate: Option<Vec<u8>>,
    /// Of password and public key, which do not repeat in the lifetime of a product.
    hashes: Vec<Hash>,
    entry: Vec<u8>,
}

impl Minter<'_> {
    /// Mints `units` units behind the first `done`, none of which anything in the registry equals.
    pub(super) fn chunk(&self, done: u32, units: u32, registry: &Registry) -> Result<Chunk, Problem> {
        let threads = thread::available_parallelism().map_or(1, usize::from).min(4);
        let share = units.div_ceil(u32::try_from(threads).unwrap_or(1));
        let drawn: Result<Vec<Vec<Unit>>, Problem> = thread::scope(|scope| {
            let starts = (0..units).step_by(usize::try_from(share).unwrap_or(1));
            let workers: Vec<_> = starts
                .map(|start| {
                    let end = start.saturating_add(share).min(units);
                    scope.spawn(move || self.units(done + start, done + end))
                })
                .collect();
            let failed = || Problem::new("Thread", "a thread ended early", "run the same command again");
            workers
                .into_iter()
                .map(|worker| worker.join().unwrap_or_else(|_| Err(failed())))
                .collect()
        });
        self.collect(units, drawn?.into_iter().flatten(), registry)
    }

    fn units(&self, from: u32, to: u32) -> Result<Vec<Unit>, Problem> {
        let (signer, kid) = (self.key.signer()?, self.key.kid()?);
        let authority = self.authority.map(Issuer::ready).transpose()?;
        (from..to)
            .map(|index| self.unit(index, signer.as_ref(), kid.as_deref(), authority.as_ref()))
            .collect()
    }

    fn unit(
        &self,
        index: u32,
        signer: &dyn Sign,
        kid: Option<&[u8]>,
        authority: Option<&Ready<'_>>,
    ) -> Result<Unit, Problem> {
        let made = Problem::make("unit");
        let product = self.product;
        let serial = product.serial(self.first + index);
        let exposure = Exposure::from(product.credential.exposure);
        let mut hashes = Vec::with_capacity(3);
        let mut password = None;
        if product.credential.password {
            let drawn = password_of(product, self.batch_key, &serial).map_err(&made)?;
            hashes.push(
                self.hasher
                    .hash(What::Password, drawn.label().as_str().as_bytes())?,
            );
            password = Some(drawn);
        }
        let mut code = None;
        if product.credential.setup_code {
            code = Some(SetupCode::generate(&mut SysRng).map_err(&made)?);
        }
        let (mut key, mut device_key, mut certificate) = (None, None, None);
        if product.identity.origin == KeyOrigin::Factory {
            let drawn = DeviceKey::draw(product.identity.kind).map_err(&made)?;
            let public = drawn.public();
            hashes.push(self.hasher.hash(What::PublicKey, public.public_key())?);
            device_key = Some(hex(public.public_key()));
            if let Some(authority) = authority {
                certificate = Some(authority.certify(&serial, public)?);
            }
            key = Some(drawn);
        }
        let entry = Entry {
            version: VERSION,
            batch: self.batch.clone(),
            unit: index + 1,
            count: self.count,
            vendor: product.product.vendor.to_string(),
            product: product.product.name.to_string(),
            model: product.product.model.to_string(),
            serial: serial.clone(),
            entropy_bits: password.is_some().then(|| exposure.entropy_bits()),
            derived: password.is_some() && self.batch_key.is_some(),
            setup_code: code.is_some(),
            device_key,
            certificate: certificate.as_ref().map(|der| hex(&Sha256::of(&[der]))),
            matter: product
                .matter
                .as_ref()
                .map(matter_of)
                .transpose()
                .map_err(&made)?,
            tool: env!("CARGO_PKG_VERSION").into(),
        };
        let entry = entry.sign(signer, kid)?;
        Ok(Unit {
            serial,
            password,
            code,
            key,
            certificate,
            hashes,
            entry,
        })
    }

    fn collect(
        &self,
        units: u32,
        drawn: impl Iterator<Item = Unit>,
        registry: &Registry,
    ) -> Result<Chunk, Problem> {
        let mut seen = HashSet::new();
        let mut manifest = Vec::new();
        let text = |size| Zeroizing::new(Vec::with_capacity(size));
        let (mut labels, mut devices) = (text(CHUNK_TEXT), text(4 * CHUNK_TEXT));
        for mut unit in drawn {
            for hash in &unit.hashes {
                if registry.holds(hash)? || !seen.insert(*hash) {
                    return Err(repeats());
                }
            }
            if let Some(code) = unit.code.take() {
                let (code, hash) = self.free_code(code, &seen, registry)?;
                seen.insert(hash);
                unit.code = Some(code);
            }
            manifest.extend_from_slice(&unit.entry);
            let label = unit.password.as_ref().map(DevicePassword::label);
            let password = label.as_ref().map_or("", |label| label.as_str());
            let code = unit.code.as_ref().map_or("", SetupCode::digits);
            let _ = writeln!(labels, "{},{password},{code}", unit.serial);
            let _ = write!(devices, "{},{password},{code},", unit.serial);
            for byte in unit.key.iter().flat_map(|key| key.secret().expose()) {
                let _ = write!(devices, "{byte:02x}");
            }
            devices.push(b',');
            for byte in unit.certificate.iter().flatten() {
                let _ = write!(devices, "{byte:02x}");
            }
            devices.push(b'\n');
        }
        Ok(Chunk {
            units,
            manifest,
            labels,
            devices,
            hashes: seen.into_iter().collect(),
        })
    }

    /// Eight digits repeat by chance soon; a code that was given out is drawn again as a whole.
    fn free_code(
        &self,
        mut code: SetupCode,
        seen: &HashSet<Hash>,
        registry: &Registry,
    ) -> Result<(SetupCode, Hash), Problem> {
        for _ in 0..CODE_DRAWS {
            let hash = self.hasher.hash(What::SetupCode, code.digits().as_bytes())?;
            if !seen.contains(&hash) && !registry.holds(&hash)? {
                return Ok((code, hash));
            }
            code = SetupCode::generate(&mut SysRng).map_err(Problem::make("unit"))?;
        }
        Err(Problem::new(
            "SetupCodesUsedUp",
            format!("{CODE_DRAWS} set-up codes in a row were given out before"),
            "test the station's entropy source, or begin a station directory for the next product",
        ))
    }
}

/// Salt and discriminator of a unit. Discriminators tell apart what is set up in one room, and repeat.
fn matter_of(about: &iotsec_product::factory::Matter) -> Result<Matter, CryptoError> {
    let discriminator = u16::from_be_bytes(*Secret::<2>::random(&mut SysRng)?.expose()) & 0xFFF;
    let salt = Secret::<32>::random(&mut SysRng)?;
    Ok(Matter {
        vendor: about.vendor_id,
        product: about.product_id,
        discovery: about.discovery_bits(),
        discriminator,
        iterations: about.iterations,
        salt: hex(salt.expose()),
    })
}

/// The password of a unit: drawn, or derived when there is a key to derive it from. One that shows anything of what
/// can be read off the unit is passed over.
pub(super) fn password_of(
    product: &Product,
    batch_key: Option<&BatchKey>,
    serial: &str,
) -> Result<DevicePassword, CryptoError> {
    let about = &product.product;
    let exposure = Exposure::from(product.credential.exposure);
    let context = [
        about.name.as_str(),
        about.model.as_str(),
        about.vendor.as_str(),
        serial,
    ];
    let mut derived = match batch_key {
        Some(key) => Some(key.unit(&HkdfSha256, about.model.as_str(), serial)?),
        None => None,
    };
    for _ in 0..MAX_DRAWS {
        let password = match &mut derived {
            Some(stream) => DevicePassword::generate(exposure, stream)?,
            None => DevicePassword::generate(exposure, &mut SysRng)?,
        };
        let label = password.label();
        let checked = UserPassword::new(label.as_str(), exposure, &context);
        if !matches!(checked, Err(PasswordError::Context | PasswordError::Predictable)) {
            return Ok(password);
        }
    }
    Err(CryptoError::Entropy)
}

/// One draw in 10 000 shows four letters of a name, so a good source misses eight times in a row once in 10^32.
const MAX_DRAWS: usize = 8;
/// With half of all codes given out, a good source misses so often once in 10^19.
const CODE_DRAWS: usize = 64;
/// Text of a chunk, a quarter of that with certificates, so that no copy is left behind in memory when it grows.
const CHUNK_TEXT: usize = super::CHUNK as usize * 300;

fn repeats() -> Problem {
    Problem::new(
        "EntropyRepeats",
        "a password or key came up that was minted before; nothing of this chunk was written",
        "test the station's entropy source; then run the same command again, which draws anew",
    )
}
