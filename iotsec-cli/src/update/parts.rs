//! The components of a release, from the command line.

use std::{path::PathBuf, str::FromStr};

use clap::Args;
use iotsec::{
    core::{cose::Encrypt, crypto::Sha256},
    update::{
        ComponentId,
        builder::{ManifestComponent, Payload},
        payload::{Chunks, Encoding, Transport},
    },
};

use super::{payload::decoded, room::Room};
use crate::{Problem, file, target::Component};

/// What goes into which component. With one component its name may be left out.
#[derive(Args)]
pub(super) struct Parts {
    /// The name of the component that stands for every NAME= left out: its parts in hexadecimal, joined by
    /// slashes.
    #[arg(long, value_name = "NAME", default_value = "00")]
    component: Component,
    /// An image, as it is to run; give it again for further components.
    #[arg(long, value_name = "[NAME=]IMAGE", required = true)]
    payload: Vec<Named<PathBuf>>,
    /// Devices fetch the payload from here. A URI that begins with # names a payload that the envelope
    /// carries.
    #[arg(long, value_name = "[NAME=]URI", required_unless_present = "integrated")]
    uri: Vec<Named<String>>,
    /// The envelope carries every payload.
    #[arg(long, conflicts_with = "uri")]
    integrated: bool,
    /// A component that stays as it is, with the image that it has: checked, not installed.
    #[arg(long, value_name = "NAME=IMAGE")]
    keep: Vec<Named<PathBuf>>,
    /// A component that is started; without it, that of the first --payload.
    #[arg(long, value_name = "NAME")]
    invoke: Vec<Component>,
    /// What devices fetch in place of the image: compressed, a patch, or encrypted.
    #[arg(long, value_name = "[NAME=]FILE")]
    transport: Vec<Named<PathBuf>>,
    /// The payload is compressed by heatshrink: window and lookahead, such as 8,4.
    #[arg(long, value_name = "[NAME=]W,L")]
    heatshrink: Vec<Named<String>>,
    /// The payload is a patch against this image.
    #[arg(long, value_name = "[NAME=]IMAGE")]
    base: Vec<Named<PathBuf>>,
    /// The payload is encrypted; FILE has the COSE_Encrypt_Tagged.
    #[arg(long, value_name = "[NAME=]FILE")]
    encryption_info: Vec<Named<PathBuf>>,
    /// Digests of all chunks of N bytes go into the manifest (a power of two from 256 up), so that devices
    /// notice a bad chunk at once and go on after a lost connection.
    #[arg(long, value_name = "N")]
    chunk_size: Option<u32>,
}

/// A value for one component.
#[derive(Clone)]
struct Named<T> {
    name: Option<Component>,
    value: T,
}

impl<T: FromStr<Err: std::fmt::Display>> FromStr for Named<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // What stands before an equals sign and is no component belongs to the file or the URI.
        let split = text.split_once('=');
        let named = split.and_then(|(name, value)| Some((name.parse().ok()?, value)));
        let (name, value) = named.map_or((None, text), |(name, value)| (Some(name), value));
        let value = value.parse().map_err(|cause: T::Err| cause.to_string())?;
        Ok(Self { name, value })
    }
}

/// A release, read from its files.
pub(super) struct Release {
    pub(super) items: Vec<Item>,
}

/// One component of it.
pub(super) struct Item {
    pub(super) component: Component,
    id: Vec<u8>,
    pub(super) image: Vec<u8>,
    pub(super) digest: [u8; 32],
    /// Where the payload comes from; a component that is kept has none.
    pub(super) uri: Option<String>,
    packed: Option<Vec<u8>>,
    packed_digest: [u8; 32],
    heatshrink: Option<(u8, u8)>,
    base: Option<Vec<u8>>,
    base_digest: [u8; 32],
    encryption: Option<Vec<u8>>,
    chunks: Option<(u32, Vec<[u8; 32]>)>,
    invoke: bool,
}

impl Parts {
    /// Reads everything.
    pub(super) fn read(&self, room: &Room) -> Result<Release, Problem> {
        let mut items = Vec::new();
        for (kept, named) in self
            .payload
            .iter()
            .map(|named| (false, named))
            .chain(self.keep.iter().map(|named| (true, named)))
        {
            items.push(self.item(named, kept)?);
        }
        self.invoked(&mut items)?;
        for (position, item) in items.iter().enumerate() {
            if items
                .iter()
                .skip(position + 1)
                .any(|other| other.component == item.component)
            {
                return Err(Problem::usage(
                    format!("component {} is given twice", item.component),
                    "write NAME= before each --payload and --keep",
                ));
            }
        }
        for names in [
            names(&self.uri),
            names(&self.transport),
            names(&self.heatshrink),
            names(&self.base),
            names(&self.encryption_info),
        ] {
            self.all_known(&names, &items)?;
        }
        let carried: usize = items
            .iter()
            .filter(|item| item.is_carried())
            .map(|item| item.payload().len())
            .sum();
        if u32::try_from(carried).map_or(true, |carried| carried > room.max_integrated) {
            return Err(Problem::usage(
                format!(
                    "a payload of {carried} bytes does not go into an envelope for devices with room for {}",
                    room.max_integrated
                ),
                "use --uri, or --max-integrated for devices with more room",
            ));
        }
        Ok(Release { items })
    }

    fn item(&self, named: &Named<PathBuf>, kept: bool) -> Result<Item, Problem> {
        let component = named.name.as_ref().unwrap_or(&self.component);
        let image = file::read(&named.value)?;
        if u32::try_from(image.len()).ok().is_none_or(|size| size == 0) {
            return Err(Problem::usage(
                "the payload has 1 to 4294967295 bytes",
                "give the image that was built",
            ));
        }
        let packed = self.file_of(&self.transport, component)?;
        let base = self.file_of(&self.base, component)?;
        let mut item = Item {
            id: component.encoded()?,
            component: component.clone(),
            digest: Sha256::of(&[&image]),
            uri: if kept { None } else { Some(self.uri_of(component)?) },
            packed_digest: Sha256::of(&[packed.as_ref().unwrap_or(&image)]),
            heatshrink: self
                .of(&self.heatshrink, component)?
                .map(|text| sizes(text))
                .transpose()?,
            base_digest: Sha256::of(&[base.as_deref().unwrap_or_default()]),
            encryption: self.file_of(&self.encryption_info, component)?,
            chunks: None,
            invoke: false,
            image,
            packed,
            base,
        };
        item.check_transport()?;
        if let (Some(size), false) = (self.chunk_size, kept) {
            let bytes = usize::try_from(size).unwrap_or(usize::MAX).max(1);
            let digests = item.payload().chunks(bytes).map(|chunk| Sha256::of(&[chunk]));
            item.chunks = Some((size, digests.collect()));
        }
        Ok(item)
    }

    fn invoked(&self, items: &mut [Item]) -> Result<(), Problem> {
        if self.invoke.is_empty() {
            // The first --payload.
            if let Some(first) = items.first_mut() {
                first.invoke = true;
            }
        }
        let names: Vec<_> = self.invoke.iter().collect();
        self.all_known(&names, items)?;
        for item in items {
            item.invoke |= self.invoke.contains(&item.component);
        }
        Ok(())
    }

    /// The value for this component; there is at most one.
    fn of<'v, T>(&self, values: &'v [Named<T>], component: &Component) -> Result<Option<&'v T>, Problem> {
        let mut found = values
            .iter()
            .filter(|named| named.name.as_ref().unwrap_or(&self.component) == component);
        let first = found.next().map(|named| &named.value);
        if found.next().is_some() {
            return Err(Problem::usage(
                format!("an option is given twice for component {component}"),
                "write NAME= before the value that is meant for another component",
            ));
        }
        Ok(first)
    }

    fn file_of(&self, values: &[Named<PathBuf>], component: &Component) -> Result<Option<Vec<u8>>, Problem> {
        self.of(values, component)?
            .map(|path| file::read(path))
            .transpose()
    }

    fn uri_of(&self, component: &Component) -> Result<String, Problem> {
        if self.integrated {
            return Ok(if *component == self.component {
                INTEGRATED.into()
            } else {
                format!("{INTEGRATED}-{component}")
            });
        }
        match self.of(&self.uri, component)? {
            Some(uri) if !uri.is_empty() => Ok(uri.clone()),
            _ => Err(Problem::usage(
                format!("component {component} has a payload and no place to fetch it from"),
                format!("add --uri {component}=URI, or --integrated"),
            )),
        }
    }

    fn all_known(&self, names: &[&Component], items: &[Item]) -> Result<(), Problem> {
        let strange = names
            .iter()
            .find(|name| !items.iter().any(|item| item.component == ***name));
        match strange {
            None => Ok(()),
            Some(name) => Err(Problem::usage(
                format!("component {name} has an option and no image"),
                format!("add --payload {name}=IMAGE, or correct the name"),
            )),
        }
    }
}

fn names<T>(values: &[Named<T>]) -> Vec<&Component> {
    values.iter().filter_map(|named| named.name.as_ref()).collect()
}

impl Item {
    /// What devices get.
    pub(super) fn payload(&self) -> &[u8] {
        self.packed.as_ref().unwrap_or(&self.image)
    }

    pub(super) fn is_carried(&self) -> bool {
        self.uri.as_deref().is_some_and(|uri| uri.starts_with('#'))
    }

    pub(super) fn id(&self) -> Result<ComponentId<'_>, Problem> {
        ComponentId::from_encoded(&self.id).map_err(Problem::make("component identifier"))
    }

    pub(super) fn in_manifest(&self) -> Result<ManifestComponent<'_>, Problem> {
        Ok(ManifestComponent {
            id: self.id()?,
            digest: self.digest,
            size: length(&self.image),
            payload: match self.uri.as_deref() {
                None => Payload::Present,
                Some(name) if self.is_carried() => Payload::Integrated {
                    name,
                    bytes: self.payload(),
                },
                Some(uri) => Payload::Uri(uri),
            },
            transport: self.transport()?,
            invoke: self.invoke,
        })
    }

    fn transport(&self) -> Result<Option<Transport<'_>>, Problem> {
        if self.packed.is_none() && self.chunks.is_none() {
            return Ok(None);
        }
        let chunks = self.chunks.as_ref().map(|(size, digests)| {
            Chunks::new(*size, digests).map_err(|_| {
                Problem::usage(
                    format!("chunks of {size} bytes cannot be"),
                    "give a power of two from 256 up, such as 4096",
                )
            })
        });
        Ok(Some(Transport {
            size: length(self.payload()),
            digest: self.packed.is_some().then_some(&self.packed_digest),
            chunks: chunks.transpose()?,
            encoding: match (self.heatshrink, &self.base) {
                (Some((window, lookahead)), _) => Encoding::Heatshrink { window, lookahead },
                (None, Some(base)) => Encoding::Delta {
                    base: &self.base_digest,
                    base_size: length(base),
                },
                (None, None) => Encoding::Plain,
            },
            encryption: self.encryption.as_deref(),
        }))
    }

    /// Makes the image from the payload as a device does, where that takes no key.
    fn check_transport(&self) -> Result<(), Problem> {
        let described = self.heatshrink.is_some() || self.base.is_some() || self.encryption.is_some();
        if described != self.packed.is_some() || self.heatshrink.is_some() && self.base.is_some() {
            return Err(Problem::usage(
                "--transport goes with --heatshrink, --base or --encryption-info, and the first two exclude each other",
                "say how the payload was made from the image",
            ));
        }
        if let Some(info) = &self.encryption {
            return self.check_encrypted(info);
        }
        if self.packed.is_none() {
            return Ok(());
        }
        if let Some(transport) = self.transport()? {
            let base = self.base.as_deref().unwrap_or_default();
            let image = decoded(&transport, self.payload(), base, length(&self.image))
                .map_err(Problem::make("image from its payload"))?;
            if image != self.image {
                return Err(Problem::new(
                    "OtherImage",
                    format!("the payload of component {} makes another image", self.component),
                    "make the payload anew from the image that is given",
                ));
            }
        }
        Ok(())
    }
}

impl Item {
    /// Devices read the encryption info when they begin to install, which is late to find that it is none.
    fn check_encrypted(&self, info: &[u8]) -> Result<(), Problem> {
        let message = Encrypt::parse(info).map_err(|cause| {
            Problem::make("encryption info")(cause)
                .with_remedy("give the file that `iotsec update encrypt` wrote with --info")
        })?;
        let content = self.payload().len().checked_sub(message.algorithm().tag_len());
        let encoded = self.heatshrink.is_some() || self.base.is_some();
        if content.is_none() || !encoded && content != Some(self.image.len()) {
            return Err(Problem::new(
                "OtherImage",
                format!(
                    "the payload of component {} is not that image, encrypted",
                    self.component
                ),
                "encrypt the image that is given, or say with --heatshrink or --base what was made of it first",
            ));
        }
        Ok(())
    }
}

/// What the envelope calls a payload that it carries.
const INTEGRATED: &str = "#payload";

fn sizes(text: &str) -> Result<(u8, u8), Problem> {
    let pair = text.split_once(',');
    pair.and_then(|(window, lookahead)| Some((window.parse().ok()?, lookahead.parse().ok()?)))
        .ok_or_else(|| {
            Problem::usage(
                format!("{text} is no window and lookahead"),
                "give the two numbers that the payload was compressed with, such as 8,4",
            )
        })
}

/// Images are no longer than that.
fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}
