//! `iotsec update create`

use std::{collections::BTreeSet, path::PathBuf};

use clap::{ArgGroup, Args};
use getrandom::SysRng;
use iotsec::{
    core::crypto::{Ed25519PublicKey, Ed25519SigningKey, Sha256, Sign},
    update::{
        DeviceComponent, DeviceIdentity, Envelope, Policy, SequenceNumber, TrustAnchors, UpdateError,
        builder::{EnvelopeBuilder, ManifestComponent, Payload, Signer},
    },
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    judge::anchors,
    outer::Outer,
    parts::{Item, Parts, Release},
    room::Room,
};
use crate::{
    Output, Problem,
    file::{self, Access},
    key::{KeyFile, PublicKey, hex, name},
    target::Target,
    time::Time,
};

#[derive(Args)]
#[command(group(ArgGroup::new("signers").required(true).args(["key", "unsigned"])))]
pub(crate) struct Create {
    #[command(flatten)]
    target: Target,
    /// Number that orders updates against rollback: above that of every earlier release.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    sequence: u64,
    #[command(flatten)]
    parts: Parts,
    /// For this one device only.
    #[arg(long, value_name = "UUID")]
    device: Option<Uuid>,
    /// Not to be installed at this time or later, by devices that have trusted time; others refuse it.
    #[arg(long, value_name = "TIME")]
    use_before: Option<Time>,
    /// What people read about this release, in English; authentic, and not kept by devices.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Where this envelope can be found.
    #[arg(long, value_name = "URI")]
    reference_uri: Option<String>,
    /// Puts the install section beside the manifest, so that devices keep less.
    #[arg(long)]
    sever_install: bool,
    /// A private key that signs; give it again for further signers.
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// Leaves signing to `iotsec update sign`.
    #[arg(long)]
    unsigned: bool,
    #[command(flatten)]
    room: Room,
    /// Where the envelope goes; must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn run(create: &Create) -> Result<Output, Problem> {
    file::must_be_free(&create.out)?;
    let release = create.parts.read(&create.room)?;
    let keys = if create.unsigned {
        Keys::for_now()?
    } else {
        Keys::read(create)?
    };
    let components: Result<Vec<_>, _> = release.items.iter().map(Item::in_manifest).collect();
    let components = components?;

    let mut envelope = keys.sign(create, &components)?;
    keys.check(create, &components, &envelope)
        .map_err(Problem::make("envelope"))?;
    if create.unsigned {
        let outer = Outer::parse(&envelope).map_err(Problem::make("envelope"))?;
        let unsigned = outer
            .to_sign()
            .and_then(|authentication| Ok(outer.with_blocks(authentication.signed, &[])?));
        envelope = unsigned.map_err(Problem::make("envelope"))?;
    }
    file::create(&create.out, &envelope, Access::Public)?;
    Ok(report(create, &release, &keys, envelope.len()))
}

fn report(create: &Create, release: &Release, keys: &Keys, bytes: usize) -> Output {
    let (vendor, class) = create.target.ids();
    let mut human = format!(
        "{}: {bytes} bytes, sequence {}, ",
        create.out.display(),
        create.sequence
    );
    if create.unsigned {
        human += "not signed yet\n";
    } else {
        let kids: Vec<String> = keys
            .public
            .iter()
            .map(|(_, kid)| kid.as_deref().map_or("-".into(), name))
            .collect();
        human += &format!(
            "{} signature(s), key identifiers {}\n",
            kids.len(),
            kids.join(" ")
        );
    }
    human += &format!("vendor   {vendor}\nclass    {class}\n");
    for item in &release.items {
        let named = if release.items.len() > 1 {
            format!(" for component {}", item.component)
        } else {
            String::new()
        };
        let title = if item.uri.is_some() { "payload" } else { "kept   " };
        human += &format!(
            "{title}  {} bytes, SHA-256 {}{named}\n",
            item.image.len(),
            hex(&item.digest)
        );
        if item.payload().len() != item.image.len() {
            human += &format!("         of which {} bytes travel\n", item.payload().len());
        }
    }
    let components: Vec<Value> = release
        .items
        .iter()
        .map(|item| {
            json!({
                "component": item.component.to_string(),
                "bytes": item.image.len(),
                "digest": hex(&item.digest),
                "uri": item.uri,
                "payload_bytes": item.uri.is_some().then(|| item.payload().len()),
            })
        })
        .collect();
    let json = json!({
        "file": create.out,
        "bytes": bytes,
        "sequence": create.sequence,
        "vendor": vendor.to_string(),
        "class": class.to_string(),
        "signatures": create.key.len(),
        "components": components,
    });
    Output::new(human, json)
}

/// The keys that sign.
struct Keys {
    private: Vec<Box<dyn Sign>>,
    public: Vec<PublicKey>,
}

impl Keys {
    fn read(create: &Create) -> Result<Self, Problem> {
        let mut keys = Self {
            private: Vec::new(),
            public: Vec::new(),
        };
        for path in &create.key {
            let key = KeyFile::read(path)?;
            keys.private.push(key.signer()?);
            keys.public.push((key.verifier()?, key.kid()?));
        }
        if keys.private.len() > TrustAnchors::MAX {
            return Err(Problem::usage(
                format!("at most {} keys can sign", TrustAnchors::MAX),
                "leave out signers that no device asks for",
            ));
        }
        let distinct: BTreeSet<_> = keys.public.iter().map(|(key, _)| key.public_key()).collect();
        if distinct.len() != keys.public.len() {
            return Err(Problem::usage(
                "one key signs twice: a device counts it once",
                "give each key once",
            ));
        }
        Ok(keys)
    }

    /// A key for this moment, so that an envelope which is signed elsewhere is judged as well.
    fn for_now() -> Result<Self, Problem> {
        let made = Problem::make("key");
        let private = Ed25519SigningKey::generate(&mut SysRng).map_err(&made)?;
        let public = Ed25519PublicKey::from_bytes(private.public_key()).map_err(&made)?;
        Ok(Self {
            private: vec![Box::new(private)],
            public: vec![(Box::new(public), None)],
        })
    }

    fn sign(&self, create: &Create, components: &[ManifestComponent<'_>]) -> Result<Vec<u8>, Problem> {
        let signers: Vec<Signer<'_>> = self
            .private
            .iter()
            .zip(&self.public)
            .map(|(key, (_, kid))| Signer {
                key: key.as_ref(),
                kid: kid.as_deref(),
            })
            .collect();
        let (vendor, class) = create.target.ids();
        let sequence = SequenceNumber(create.sequence);
        let mut builder = EnvelopeBuilder::new(vendor.into_bytes(), class.into_bytes(), sequence, components);
        if let Some(device) = create.device {
            builder = builder.device(device.into_bytes());
        }
        if let Some(time) = create.use_before {
            builder = builder.use_before(time.unix());
        }
        if let Some(uri) = &create.reference_uri {
            builder = builder.reference_uri(uri);
        }
        if let Some(text) = &create.description {
            builder = builder.description(text);
        }
        if create.sever_install {
            builder = builder.sever_install();
        }
        // Names, addresses, what is told of payloads; then up to eight blocks of 192 bytes.
        let told: usize = components.iter().map(told).sum();
        let text = [&create.description, &create.reference_uri];
        let text: usize = text.iter().map(|text| text.as_ref().map_or(0, String::len)).sum();
        let mut scratch = vec![0; 2048 + 2 * (told + text)];
        let mut out = vec![0; 4096 + 2 * (told + text) + components.iter().map(carried).sum::<usize>()];
        let len = builder
            .write(&signers, &mut Sha256::new(), &mut scratch, &mut out)
            .map_err(Problem::make("envelope"))?
            .len();
        out.truncate(len);
        Ok(out)
    }

    /// What a device that trusts just these keys, and waits for this update, would say.
    fn check(
        &self,
        create: &Create,
        components: &[ManifestComponent<'_>],
        envelope: &[u8],
    ) -> Result<(), UpdateError> {
        let anchors = anchors(&self.public);
        let threshold = u8::try_from(anchors.len()).map_err(|_| UpdateError::TrustAnchors)?;
        let places: Vec<DeviceComponent<'_>> = components
            .iter()
            .map(|component| DeviceComponent {
                id: component.id,
                capacity: u32::MAX,
                slot: None,
            })
            .collect();
        let (vendor, class) = create.target.ids();
        let device = DeviceIdentity {
            vendor: vendor.into_bytes(),
            class: class.into_bytes(),
            device: create.device.map(Uuid::into_bytes),
            components: &places,
        };
        let policy = Policy {
            now: Time::now().map(Time::unix),
            ..Policy::newer_than(SequenceNumber(create.sequence.saturating_sub(1)))
        };
        let mut hash = Sha256::new();
        Envelope::parse(envelope, &create.room.limits())?
            .authenticate(&TrustAnchors::new(&anchors, threshold)?, &mut hash)?
            .admit(&device, &policy, &mut hash)?;
        Ok(())
    }
}

/// Bytes of the manifest that one component may take.
fn told(component: &ManifestComponent<'_>) -> usize {
    let uri = match component.payload {
        Payload::Integrated { name, .. } => name.len(),
        Payload::Uri(uri) => uri.len(),
        Payload::Present => 0,
    };
    let transport = component.transport.map_or(0, |transport| {
        let chunks = transport
            .chunks
            .map_or(0, |chunks| transport.size.div_ceil(chunks.size()));
        let chunks = usize::try_from(chunks).unwrap_or(usize::MAX);
        256 + 32 * chunks + transport.encryption.map_or(0, <[u8]>::len)
    });
    512 + uri + transport
}

fn carried(component: &ManifestComponent<'_>) -> usize {
    match component.payload {
        Payload::Integrated { bytes, .. } => bytes.len(),
        Payload::Uri(_) | Payload::Present => 0,
    }
}
