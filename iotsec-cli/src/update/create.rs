//! `iotsec update create`

use iotsec::{
    core::crypto::{Sha256, Sign, Verify},
    update::{
        ComponentId, DeviceComponent, DeviceIdentity, Envelope, Policy, SequenceNumber, TrustAnchor,
        TrustAnchors, UpdateError,
        builder::{EnvelopeBuilder, ManifestComponent, Payload, Signer},
    },
};

use serde_json::json;

use super::Create;
use crate::{
    Output, Problem,
    file::{self, Access},
    key::{KeyFile, hex, name},
    target::Component,
};

/// What the envelope calls a payload that it carries.
const INTEGRATED: &str = "#payload";

pub(super) fn run(create: &Create) -> Result<Output, Problem> {
    file::must_be_free(&create.out)?;
    let image = file::read(&create.payload)?;
    let size = u32::try_from(image.len()).ok().filter(|size| *size > 0);
    let size = size.ok_or_else(|| {
        Problem::usage(
            "the payload has 1 to 4294967295 bytes",
            "give the image that was built",
        )
    })?;
    let payload = match create.place.uri.as_deref() {
        Some(uri) if uri.is_empty() || uri.starts_with('#') => {
            return Err(Problem::usage(
                "--uri takes an address, which does not begin with #",
                "for a payload inside the envelope use --integrated",
            ));
        }
        Some(uri) => Payload::Uri(uri),
        None if size > create.room.max_integrated => {
            return Err(Problem::usage(
                format!(
                    "a payload of {size} bytes does not go into an envelope for devices with room for {}",
                    create.room.max_integrated
                ),
                "use --uri, or --max-integrated for devices with more room",
            ));
        }
        None => Payload::Integrated {
            name: INTEGRATED,
            bytes: &image,
        },
    };
    let keys = Keys::read(create)?;
    let mut id = [0; MAX_ID];
    let id = component_id(&create.component, &mut id)?;
    let component = ManifestComponent {
        id,
        digest: Sha256::of(&[&image]),
        size,
        payload,
        transport: None,
        invoke: true,
    };

    let envelope = keys.sign(create, component)?;
    keys.check(create, id, &envelope)
        .map_err(Problem::make("envelope"))?;
    file::create(&create.out, &envelope, Access::Public)?;

    let (vendor, class) = create.target.ids();
    let kids: Vec<String> = keys
        .kids
        .iter()
        .map(|kid| kid.as_deref().map_or("-".into(), name))
        .collect();
    let human = format!(
        "{}: {} bytes, sequence {}, {} signature(s), key identifiers {}\n\
         vendor   {vendor}\nclass    {class}\npayload  {size} bytes, SHA-256 {}\n",
        create.out.display(),
        envelope.len(),
        create.sequence,
        kids.len(),
        kids.join(" "),
        hex(&component.digest),
    );
    let json = json!({
        "file": create.out,
        "bytes": envelope.len(),
        "sequence": create.sequence,
        "vendor": vendor.to_string(),
        "class": class.to_string(),
    });
    Ok(Output::new(human, json))
}

/// The encoding of a component identifier.
pub(super) const MAX_ID: usize = 128;

pub(super) fn component_id<'b>(
    component: &Component,
    buffer: &'b mut [u8; MAX_ID],
) -> Result<ComponentId<'b>, Problem> {
    ComponentId::encode(&component.parts(), buffer).map_err(Problem::make("component identifier"))
}

/// The keys that sign.
struct Keys {
    private: Vec<Box<dyn Sign>>,
    public: Vec<Box<dyn Verify>>,
    kids: Vec<Option<Vec<u8>>>,
}

impl Keys {
    fn read(create: &Create) -> Result<Self, Problem> {
        let mut keys = Self {
            private: Vec::new(),
            public: Vec::new(),
            kids: Vec::new(),
        };
        for path in &create.key {
            let key = KeyFile::read(path)?;
            keys.private.push(key.signer()?);
            keys.public.push(key.verifier()?);
            keys.kids.push(key.kid()?);
        }
        if keys.private.len() > TrustAnchors::MAX {
            return Err(Problem::usage(
                format!("at most {} keys can sign", TrustAnchors::MAX),
                "leave out signers that no device asks for",
            ));
        }
        let distinct: std::collections::BTreeSet<_> =
            keys.public.iter().map(|key| key.public_key()).collect();
        if distinct.len() != keys.public.len() {
            return Err(Problem::usage(
                "one key signs twice: a device counts it once",
                "give each key once",
            ));
        }
        Ok(keys)
    }

    fn sign(&self, create: &Create, component: ManifestComponent<'_>) -> Result<Vec<u8>, Problem> {
        let signers: Vec<Signer<'_>> = self
            .private
            .iter()
            .zip(&self.kids)
            .map(|(key, kid)| Signer {
                key: key.as_ref(),
                kid: kid.as_deref(),
            })
            .collect();
        let (vendor, class) = create.target.ids();
        let (carried, uri) = match component.payload {
            Payload::Integrated { bytes, .. } => (bytes.len(), 0),
            Payload::Uri(uri) => (0, uri.len()),
            Payload::Present => (0, 0),
        };
        // One component, a short name for it, its address, and up to eight blocks of 192 bytes.
        let mut scratch = vec![0; 2048 + 2 * uri];
        let mut out = vec![0; 4096 + uri + carried];
        let len = EnvelopeBuilder::new(
            vendor.into_bytes(),
            class.into_bytes(),
            SequenceNumber(create.sequence),
            &[component],
        )
        .write(&signers, &mut Sha256::new(), &mut scratch, &mut out)
        .map_err(Problem::make("envelope"))?
        .len();
        out.truncate(len);
        Ok(out)
    }

    /// What a device that trusts just these keys, and waits for this update, would say.
    fn check(&self, create: &Create, id: ComponentId<'_>, envelope: &[u8]) -> Result<(), UpdateError> {
        let anchors: Vec<TrustAnchor<'_>> = self
            .public
            .iter()
            .zip(&self.kids)
            .map(|(key, kid)| TrustAnchor {
                key: key.as_ref(),
                kid: kid.as_deref(),
            })
            .collect();
        let threshold = u8::try_from(anchors.len()).map_err(|_| UpdateError::TrustAnchors)?;
        let places = [DeviceComponent {
            id,
            capacity: u32::MAX,
            slot: None,
        }];
        let (vendor, class) = create.target.ids();
        let device = DeviceIdentity {
            vendor: vendor.into_bytes(),
            class: class.into_bytes(),
            device: None,
            components: &places,
        };
        let before = SequenceNumber(create.sequence.saturating_sub(1));
        let mut hash = Sha256::new();
        Envelope::parse(envelope, &create.room.limits())?
            .authenticate(&TrustAnchors::new(&anchors, threshold)?, &mut hash)?
            .admit(&device, &Policy::newer_than(before), &mut hash)?;
        Ok(())
    }
}
