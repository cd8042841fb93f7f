//! `iotsec trust init`, `rotate` and `revoke`.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use iotsec::{
    core::{
        cose::Key,
        crypto::{PublicKey, Sha256},
        hal::UnixTime,
    },
    update::{
        DeviceIdentity,
        trust::{Role, TlsAnchor, Trust, TrustBundle, TrustBundleContent, TrustError},
    },
};
use serde_json::json;

use super::{Finish, Init, Revoke, Roles, Rotate, Tls, sign};
use crate::{
    Output, Problem,
    file::{self, Access},
    key::{KeyFile, cose_key, hex, unhex},
};

pub(super) fn init(init: &Init) -> Result<Output, Problem> {
    let (vendor, class) = init.target.ids();
    let mut draft = Draft {
        version: 1,
        expires: init.expires,
        vendor: vendor.into_bytes(),
        class: class.into_bytes(),
        roles: [const { None }; 4],
        revoked: BTreeSet::new(),
        tls: Vec::new(),
    };
    draft.set_roles(&init.roles)?;
    draft.set_tls(&init.tls)?;
    draft.finish(None, &init.finish)
}

pub(super) fn rotate(rotate: &Rotate) -> Result<Output, Problem> {
    let present = file::read(&rotate.present)?;
    let trust = believe(&rotate.present, &present)?;
    let mut draft = Draft::after(&trust);
    draft.set_roles(&rotate.roles)?;
    if rotate.no_tls {
        draft.tls.clear();
    }
    draft.set_tls(&rotate.tls)?;
    if rotate.no_expiry {
        draft.expires = None;
    }
    draft.expires = rotate.expires.or(draft.expires);
    draft.finish(Some(&trust), &rotate.finish)
}

pub(super) fn revoke(revoke: &Revoke) -> Result<Output, Problem> {
    let present = file::read(&revoke.present)?;
    let trust = believe(&revoke.present, &present)?;
    let mut draft = Draft::after(&trust);
    for name in &revoke.revoke {
        draft.revoked.insert(thumbprint_of(name)?);
    }
    draft.leave_out_revoked();
    draft.set_roles(&revoke.roles)?;
    for (role, name) in ROLES {
        let Some(members) = draft.role(role) else { continue };
        if members.keys.len() < usize::from(members.threshold) {
            let left = members.keys.len();
            return Err(Problem::new(
                "Threshold",
                format!(
                    "the {name} role needs {} keys and is left with {left}",
                    members.threshold
                ),
                format!("give its keys anew with --{name} and, if need be, --{name}-threshold"),
            ));
        }
    }
    draft.finish(Some(&trust), &revoke.finish)
}

/// The names of the roles on the command line.
pub(super) const ROLES: [(Role, &str); 4] = [
    (Role::Root, "root"),
    (Role::Update, "update"),
    (Role::Freshness, "freshness"),
    (Role::Recovery, "recovery"),
];

/// The bundle in a file, which the maker trusts: it is signed by its own root.
pub(super) fn believe<'a>(path: &Path, message: &'a [u8]) -> Result<Trust<'a>, Problem> {
    let product = product(message).map_err(Problem::refused(path))?;
    let mut scratch = vec![0; TrustBundle::MAX_LEN];
    Trust::factory(
        message,
        &product,
        PublicKey::from_cose,
        &mut Sha256::new(),
        &mut scratch,
    )
    .map_err(Problem::refused(path))
}

/// A device of the product that a bundle is for.
pub(super) fn product(message: &[u8]) -> Result<DeviceIdentity<'static>, TrustError> {
    let payload = sign::payload_of(message)?;
    let bundle = TrustBundle::parse(payload, &mut Sha256::new())?;
    Ok(DeviceIdentity {
        vendor: *bundle.vendor(),
        class: *bundle.class(),
        device: None,
        components: &[],
    })
}

/// A key file's public half as bundles have it: with an identifier, so that devices try it first.
pub(super) fn public_key(path: &Path) -> Result<Vec<u8>, Problem> {
    let file = KeyFile::read(path)?;
    let public = file.anchor()?;
    let plain = cose_key(public.public_key(), None, None).map_err(Problem::make("trust bundle"))?;
    let thumbprint = thumbprint(&plain)?;
    let kid = file.kid()?.unwrap_or_else(|| sign::kid_of(&thumbprint));
    let named = cose_key(public.public_key(), Some(&kid), None).map_err(Problem::make("trust bundle"))?;
    Ok(named.to_vec())
}

pub(super) fn thumbprint(key: &[u8]) -> Result<[u8; 32], Problem> {
    let key = Key::parse(key).map_err(Problem::make("fingerprint"))?;
    Ok(key.thumbprint(&mut Sha256::new()))
}

/// Of a key file, or one that is given as such.
fn thumbprint_of(name: &str) -> Result<[u8; 32], Problem> {
    match unhex(name) {
        Some(thumbprint) => Ok(thumbprint),
        None => {
            let file = KeyFile::read(name.as_ref())?;
            let key = file.verifier()?;
            let plain = cose_key(key.public_key(), None, None).map_err(Problem::make("fingerprint"))?;
            thumbprint(&plain)
        }
    }
}

/// A bundle in the making.
struct Draft {
    version: u64,
    expires: Option<u64>,
    vendor: [u8; 16],
    class: [u8; 16],
    roles: [Option<Members>; 4],
    revoked: BTreeSet<[u8; 32]>,
    tls: Vec<Anchor>,
}

/// The keys of a role, encoded.
struct Members {
    threshold: u8,
    keys: Vec<Vec<u8>>,
}

enum Anchor {
    Certificate(Vec<u8>),
    Spki([u8; 32]),
}

impl Draft {
    /// What there is, with the next version.
    fn after(trust: &Trust<'_>) -> Self {
        let bundle = trust.bundle();
        let encoded = |key: Key<'_>| {
            let written = key.write(&mut [0; Key::MAX_LEN]).map(<[u8]>::to_vec);
            written.unwrap_or_default()
        };
        Self {
            version: bundle.version().saturating_add(1),
            expires: bundle.expires().map(|time| time.0),
            vendor: *bundle.vendor(),
            class: *bundle.class(),
            roles: Role::ALL.map(|role| {
                let (threshold, keys) = bundle.role(role)?;
                Some(Members {
                    threshold,
                    keys: keys.map(encoded).collect(),
                })
            }),
            revoked: bundle.revoked().copied().collect(),
            tls: bundle
                .tls_anchors()
                .filter_map(|anchor| match anchor {
                    TlsAnchor::Certificate(der) => Some(Anchor::Certificate(der.to_vec())),
                    TlsAnchor::Spki(digest) => Some(Anchor::Spki(*digest)),
                    _ => None,
                })
                .collect(),
        }
    }

    fn role(&self, role: Role) -> Option<&Members> {
        let place = Role::ALL.iter().position(|other| *other == role)?;
        self.roles.get(place)?.as_ref()
    }

    fn set_roles(&mut self, roles: &Roles) -> Result<(), Problem> {
        let given = [
            (&roles.root, roles.root_threshold),
            (&roles.update, roles.update_threshold),
            (&roles.freshness, roles.freshness_threshold),
            (&roles.recovery, roles.recovery_threshold),
        ];
        for (((paths, threshold), members), (_, name)) in given.into_iter().zip(&mut self.roles).zip(ROLES) {
            if !paths.is_empty() {
                let keys: Result<_, _> = paths.iter().map(|path| public_key(path)).collect();
                let before = members.as_ref().map_or(1, |members| members.threshold);
                *members = Some(Members {
                    threshold: threshold.unwrap_or(before),
                    keys: keys?,
                });
            } else if let Some(threshold) = threshold {
                let members = members.as_mut().ok_or_else(|| {
                    Problem::usage(
                        format!("--{name}-threshold without --{name}"),
                        format!("give the public keys of the role with --{name}"),
                    )
                })?;
                members.threshold = threshold;
            }
        }
        Ok(())
    }

    fn set_tls(&mut self, tls: &Tls) -> Result<(), Problem> {
        for path in &tls.tls_cert {
            let der = file::read(path)?;
            if der.first() != Some(&0x30) {
                return Err(Problem::new(
                    "Certificate",
                    format!("{} is not a certificate in DER", path.display()),
                    "convert it with `openssl x509 -outform DER`",
                ));
            }
            self.tls.push(Anchor::Certificate(der));
        }
        self.tls.extend(tls.tls_spki.iter().copied().map(Anchor::Spki));
        Ok(())
    }

    fn leave_out_revoked(&mut self) {
        for members in self.roles.iter_mut().flatten() {
            let revoked = &self.revoked;
            members
                .keys
                .retain(|key| thumbprint(key).is_ok_and(|thumbprint| !revoked.contains(&thumbprint)));
        }
    }

    /// The content in its encoding.
    fn write(&self) -> Result<Vec<u8>, TrustError> {
        let mut encoded: Vec<&[u8]> = Vec::new();
        let mut thumbprints = Vec::new();
        let mut places = Vec::new();
        let mut hash = Sha256::new();
        for members in self.roles.iter().flatten() {
            let mut of_role = Vec::new();
            for key in &members.keys {
                let thumbprint = Key::parse(key)?.thumbprint(&mut hash);
                let known = thumbprints.iter().position(|other| *other == thumbprint);
                let place = known.unwrap_or_else(|| {
                    thumbprints.push(thumbprint);
                    encoded.push(key);
                    thumbprints.len() - 1
                });
                of_role.push(u8::try_from(place).map_err(|_| TrustError::Keys)?);
            }
            of_role.sort_unstable();
            places.push(of_role);
        }
        let keys: Result<Vec<Key<'_>>, _> = encoded.into_iter().map(Key::parse).collect();
        let present = Role::ALL.iter().zip(&self.roles);
        let present = present.filter_map(|(role, members)| Some((*role, members.as_ref()?.threshold)));
        let roles: Vec<(Role, u8, &[u8])> = present
            .zip(&places)
            .map(|((role, threshold), places)| (role, threshold, places.as_slice()))
            .collect();
        let revoked: Vec<[u8; 32]> = self.revoked.iter().copied().collect();
        let tls: Vec<TlsAnchor<'_>> = self
            .tls
            .iter()
            .map(|anchor| match anchor {
                Anchor::Certificate(der) => TlsAnchor::Certificate(der),
                Anchor::Spki(digest) => TlsAnchor::Spki(digest),
            })
            .collect();
        let mut out = vec![0; 65536];
        let content = TrustBundleContent {
            version: self.version,
            expires: self.expires.map(UnixTime),
            vendor: self.vendor,
            class: self.class,
            keys: &keys?,
            roles: &roles,
            revoked: &revoked,
            tls: &tls,
        };
        let len = content.write(&mut hash, &mut out)?.len();
        out.truncate(len);
        Ok(out)
    }

    /// Signs, takes the step as a device would, and writes the file.
    fn finish(&self, present: Option<&Trust<'_>>, finish: &Finish) -> Result<Output, Problem> {
        let out = &finish.signing.out;
        file::must_be_free(out)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |now| now.as_secs());
        if self.expires.is_some_and(|expires| expires < now) {
            return Err(Problem::usage(
                "the bundle would have expired already",
                "give a later day with --expires (or, rotating, --no-expiry)",
            ));
        }
        let payload = self.write().map_err(Problem::make("trust bundle"))?;
        let message = sign::sign(&payload, &[], &finish.signing.key)?;
        let complete = match self.judge(present, &message) {
            Ok(()) => true,
            Err(TrustError::OldRoot | TrustError::NewRoot) if finish.unfinished => false,
            Err(cause) => return Err(Problem::make("trust bundle")(cause)),
        };
        file::create(out, &message, Access::Public)?;
        let state = if complete {
            ""
        } else {
            ", UNFINISHED: others have to sign it with `iotsec trust sign`"
        };
        let mut human = format!(
            "{}: {} bytes, version {}, {} signature(s){state}\n",
            out.display(),
            message.len(),
            self.version,
            finish.signing.key.len()
        );
        let leaving = present.map_or(Ok(Vec::new()), |present| self.leaving(present))?;
        for thumbprint in &leaving {
            let _ = writeln!(
                human,
                "note     update key {thumbprint} counts no more: what it signed and still runs will not boot, \
                 so release under a key that stays before devices get this bundle"
            );
        }
        let json = json!({
            "no_longer_update": leaving,
            "file": out,
            "bytes": message.len(),
            "version": self.version,
            "complete": complete,
        });
        Ok(Output::new(human, json))
    }

    /// Update keys of the present bundle that this one has no more.
    fn leaving(&self, present: &Trust<'_>) -> Result<Vec<String>, Problem> {
        let stays = self.role(Role::Update).map_or(&[][..], |members| &members.keys);
        let stays: Result<Vec<_>, _> = stays.iter().map(|key| thumbprint(key)).collect();
        let stays = stays?;
        let before = present.bundle().role(Role::Update);
        Ok(before
            .into_iter()
            .flat_map(|(_, keys)| keys.map(|key| key.thumbprint(&mut Sha256::new())))
            .filter(|thumbprint| !stays.contains(thumbprint))
            .map(|thumbprint| hex(&thumbprint))
            .collect())
    }

    fn judge(&self, present: Option<&Trust<'_>>, message: &[u8]) -> Result<(), TrustError> {
        let device = DeviceIdentity {
            vendor: self.vendor,
            class: self.class,
            device: None,
            components: &[],
        };
        let (mut hash, mut scratch) = (Sha256::new(), vec![0; TrustBundle::MAX_LEN]);
        match present {
            None => {
                Trust::factory(message, &device, PublicKey::from_cose, &mut hash, &mut scratch).map(|_| ())
            }
            Some(present) => present
                .rotate(message, &device, PublicKey::from_cose, &mut hash, &mut scratch)
                .map(|_| ()),
        }
    }
}
