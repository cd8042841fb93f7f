//! Images: what is accepted, what is believed, and how it is read.

use iotsec_core::{
    crypto::{Sha256, Verify},
    hal::FlashError,
};
use iotsec_testkit::mcuboot_vectors;
use iotsec_update::mcuboot::{
    Dependency, Device, Flags, Hashes, Image, ImageBytes, McubootError, SliceBytes, Version,
};

use super::{file, keys, vectors, verified, verify};

#[test]
fn every_committed_image_is_answered_as_its_name_says() {
    let lines = mcuboot_vectors::answer(&vectors().join("mcuboot"), &vectors().join("suit/keys")).unwrap();
    let wrong: Vec<String> = lines
        .iter()
        .filter(|line| line.wrong)
        .map(ToString::to_string)
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let accepted = lines.iter().filter(|line| line.answer.starts_with("accepted"));
    assert_eq!((lines.len(), accepted.count()), (165, 30));
}

#[test]
fn an_image_that_is_refused_for_one_thing_is_refused_for_that_thing() {
    let keys = keys();
    for (name, reason) in [
        ("hash_only", McubootError::Unsigned),
        ("neg_dup_hash_first_wrong", McubootError::EntryRepeated),
        ("neg_hdr_size_max", McubootError::Size),
        ("neg_img_size_max", McubootError::Size),
        ("neg_magic_v1", McubootError::Magic),
        ("neg_no_hash", McubootError::NoHash),
        ("neg_prot_tlv_size_wrong", McubootError::Entries),
        ("neg_two_sigs_first_bad", McubootError::EntryRepeated),
        ("neg_unprotected_dependency", McubootError::EntryMisplaced),
        ("neg_unprotected_seccnt", McubootError::EntryMisplaced),
        ("neg_encrypted", McubootError::Encrypted),
        ("neg_compressed", McubootError::Compressed),
        ("neg_not_bootable", McubootError::NotBootable),
        ("neg_signed_reserved", McubootError::Header),
        ("neg_signed_unknown_flag", McubootError::Flags),
        ("neg_pure_added", McubootError::Signature),
        ("neg_pure_flip_hash", McubootError::Hash),
        ("neg_ecdsa_trailing", McubootError::EntryValue),
        ("untrusted", McubootError::KeyUnknown),
    ] {
        let image = file(&format!("{name}.bin"));
        assert_eq!(verify(&mut SliceBytes(&image), &keys), Err(reason), "{name}");
    }
}

#[test]
fn no_bit_of_an_image_can_be_changed() {
    let keys = keys();
    for name in [
        "ed25519_everything.bin",
        "ed25519_pure.bin",
        "ecdsa_p256_plain.bin",
    ] {
        let mut image = file(name);
        for at in 0..image.len() {
            for bit in 0..8 {
                // P-256 is slow: one bit of each byte of the signature is enough.
                if name.starts_with("ecdsa") && bit != at % 8 {
                    continue;
                }
                image[at] ^= 1 << bit;
                let answer = verify(&mut SliceBytes(&image), &keys);
                assert!(answer.is_err(), "{name}: byte {at}, bit {bit}");
                image[at] ^= 1 << bit;
            }
        }
        assert!(verify(&mut SliceBytes(&image), &keys).is_ok());
    }
}

#[test]
fn no_prefix_of_an_image_is_an_image() {
    let keys = keys();
    for name in [
        "ed25519_everything.bin",
        "ed25519_pure.bin",
        "ecdsa_p256_plain.bin",
    ] {
        let image = file(name);
        for len in 0..image.len() {
            assert!(
                verify(&mut SliceBytes(&image[..len]), &keys).is_err(),
                "{name}: {len}"
            );
        }
    }
}

#[test]
fn what_an_image_says_under_the_signature_is_what_comes_out() {
    let image = verified("ed25519_everything.bin");
    let version = |major, minor, revision, build| Version {
        major,
        minor,
        revision,
        build,
    };
    assert_eq!(image.version(), version(1, 2, 3, 4));
    assert_eq!(image.security_counter(), Some(7));
    assert_eq!(image.vendor().unwrap()[..2], [0x0E, 0x01]);
    assert_eq!(image.class().unwrap()[..2], [0x35, 0xC5]);
    assert_eq!(image.payload(), 32..32 + 256);
    assert_eq!(
        image.dependencies(),
        [
            Dependency {
                image: 1,
                version: version(1, 0, 0, 0)
            },
            Dependency {
                image: 2,
                version: version(2, 3, 4, 5)
            },
        ]
    );
    assert_eq!(
        verified("ed25519_ram_load.bin").flags(),
        Flags::RamLoad(0x2000_0000)
    );
    assert_eq!(verified("ed25519_rom_fixed.bin").flags(), Flags::RomFixed(0x8000));
    assert_eq!(verified("ed25519_pure.bin").digest().len(), 64);
}

#[test]
fn a_device_takes_only_what_is_meant_for_it() {
    let everything = || verified("ed25519_everything.bin");
    let images = [(9, 9, 9), (1, 0, 0), (2, 3, 4)].map(|(major, minor, revision)| Version {
        major,
        minor,
        revision,
        build: 0,
    });
    let device = Device {
        vendor: everything().vendor().copied(),
        class: everything().class().copied(),
        security_counter: Some(7),
        installed: Some(Version {
            major: 1,
            minor: 2,
            revision: 3,
            build: 99,
        }),
        images: &images,
        ..Device::default()
    };
    assert!(everything().admit(&device).is_ok());

    let refused = |change: &dyn Fn(&mut Device<'_>), reason| {
        let mut device = device;
        change(&mut device);
        assert_eq!(everything().admit(&device), Err(reason));
    };
    refused(&|device| device.vendor = None, McubootError::WrongVendor);
    refused(&|device| device.vendor = Some([1; 16]), McubootError::WrongVendor);
    refused(&|device| device.class = None, McubootError::WrongClass);
    refused(&|device| device.class = Some([1; 16]), McubootError::WrongClass);
    refused(
        &|device| device.security_counter = Some(8),
        McubootError::Rollback,
    );
    refused(
        &|device| device.installed.as_mut().unwrap().revision = 4,
        McubootError::Downgrade,
    );
    refused(&|device| device.images = &[], McubootError::Dependency);
    let mut older = images;
    older[2].revision = 3;
    let older = Device {
        images: &older,
        ..device
    };
    assert_eq!(everything().admit(&older), Err(McubootError::Dependency));

    let plain = |device: &Device<'_>| verified("ed25519.bin").admit(device).err();
    assert_eq!(plain(&Device::default()), None);
    assert_eq!(plain(&device), Some(McubootError::WrongVendor));
    let counted = Device {
        security_counter: Some(0),
        ..Device::default()
    };
    assert_eq!(plain(&counted), Some(McubootError::Rollback), "it carries none");

    let fixed = |rom, ram, name| {
        let device = Device {
            rom,
            ram,
            ..Device::default()
        };
        verified(name).admit(&device).err()
    };
    assert_eq!(fixed(Some(0x8000), None, "ed25519_rom_fixed.bin"), None);
    assert_eq!(fixed(None, Some(0x2000_0000), "ed25519_ram_load.bin"), None);
    for (rom, ram, name) in [
        (None, None, "ed25519_rom_fixed.bin"),
        (Some(0x9000), Some(0x8000), "ed25519_rom_fixed.bin"),
        (None, None, "ed25519_ram_load.bin"),
        (Some(0x2000_0000), None, "ed25519_ram_load.bin"),
    ] {
        assert_eq!(fixed(rom, ram, name), Some(McubootError::WrongAddress));
    }
}

/// Counts how often each byte is read, and turns hostile after the first time.
struct Once {
    bytes: Vec<u8>,
    reads: Vec<u32>,
}

impl ImageBytes for Once {
    fn size(&self) -> u32 {
        u32::try_from(self.bytes.len()).unwrap()
    }
    fn read(&mut self, at: u32, out: &mut [u8]) -> Result<(), FlashError> {
        let at = usize::try_from(at).unwrap();
        for (index, byte) in out.iter_mut().enumerate() {
            let index = at + index;
            let read = self.bytes.get(index).ok_or(FlashError::OutOfBounds)?;
            *byte = if self.reads[index] == 0 { *read } else { !*read };
            self.reads[index] += 1;
        }
        Ok(())
    }
    fn mapped(&self) -> Option<&[u8]> {
        None
    }
}

#[test]
fn every_byte_is_read_once_so_that_what_is_checked_is_what_is_believed() {
    for name in [
        "ed25519_everything.bin",
        "ecdsa_p256_fullpub.bin",
        "ed25519_header_512.bin",
    ] {
        let bytes = file(name);
        let mut once = Once {
            reads: vec![0; bytes.len()],
            bytes,
        };
        let image = verify(&mut once, &keys()).unwrap();
        assert_eq!(image, verified(name));
        assert!(once.reads.iter().all(|count| *count == 1), "{name}");
    }
}

#[test]
fn a_signature_over_the_bytes_is_not_checked_without_them() {
    let bytes = file("ed25519_pure.bin");
    let mut unmapped = Once {
        reads: vec![0; bytes.len()],
        bytes,
    };
    assert_eq!(verify(&mut unmapped, &keys()), Err(McubootError::NotMapped));
}

#[test]
fn a_hash_that_is_not_there_is_not_used() {
    let bytes = file("ed25519_pure.bin");
    let keys = keys();
    let keys: Vec<&dyn Verify> = keys.iter().map(AsRef::as_ref).collect();
    let mut bytes = SliceBytes(&bytes);
    let mut sha256 = Sha256::new();
    let mut hashes = Hashes {
        sha256: &mut sha256,
        sha512: None,
    };
    let answer = Image::read(&mut bytes)
        .unwrap()
        .verify(&mut bytes, &keys, &mut hashes);
    assert_eq!(answer, Err(McubootError::HashKind));
}
