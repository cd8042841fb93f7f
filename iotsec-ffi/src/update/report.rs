//! The signed outcome of an update, for whoever sent it.

use core::ffi::c_char;

use iotsec::update::{
    ComponentId,
    report::{Failure, Measured, Outcome, Report},
};

use crate::{
    argument,
    signer::{CSigner, iotsec_signer_t},
    status::{CallError, IOTSEC_OK, Status, iotsec_status_t, status},
};

/// Measured components of one report, at most.
pub const IOTSEC_UPDATE_REPORT_MEASURED_MAX: usize = 8;
/// Bytes of a report without what the caller gives, at most.
pub const IOTSEC_UPDATE_REPORT_BASE: usize = 384;
/// Bytes that each measured component adds beside its name, at most.
pub const IOTSEC_UPDATE_REPORT_COMPONENT: usize = 64;

/// The content of a component, as it was measured. An array of them is not versioned by size: this struct never grows.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_update_measured_t {
    /// Its name, as a CBOR array of byte strings: `component` of `iotsec_update_config_t`.
    pub component: *const u8,
    /// Bytes of `component`.
    pub component_len: usize,
    /// SHA-256 of its content, 32 bytes: `digest` of `iotsec_boot_t`.
    pub digest: *const u8,
    /// Bytes of its content: `size` of `iotsec_boot_t`.
    pub size: u32,
    /// Zero.
    pub reserved: u32,
}

/// What a report says. The pointers are used during the call only.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_update_report_t {
    /// `sizeof(iotsec_update_report_t)`.
    pub struct_size: u32,
    /// `IOTSEC_OK` for an update that is installed and accepted; else why it is not: `cause` of `iotsec_update_status_t`, or
    /// the status of the call that refused it. From it the report has the coarse reason that servers of all makers know.
    pub cause: iotsec_status_t,
    /// SHA-256 of the manifest, 32 bytes: `digest` of an `iotsec_manifest_t`, or what `iotsec_update_authenticate()` gave.
    pub manifest_digest: *const u8,
    /// Where the manifest says that it can be found, text that ends in zero; null where it does not say.
    pub reference_uri: *const c_char,
    /// What the server asked with, which makes an old report worthless.
    pub nonce: *const u8,
    /// Bytes of `nonce`; 0 for none.
    pub nonce_len: usize,
    /// By which the server finds the device's key: a hint, which is not signed.
    pub key_id: *const u8,
    /// Bytes of `key_id`; 0 for none.
    pub key_id_len: usize,
    /// What was found in the components; may be null with 0.
    pub components: *const iotsec_update_measured_t,
    /// At most `IOTSEC_UPDATE_REPORT_MEASURED_MAX`.
    pub component_count: usize,
}

/// Signs with a key of the device what became of an update (SUIT_Report, draft-ietf-suit-report, in a COSE_Sign1), for whoever
/// sent it: they learn which device says so, and that nobody on the way made it up. `out` holds `size`, `len` gets the
/// length; `IOTSEC_UPDATE_REPORT_MAX(components, bytes)` are enough, with so many components, and so many bytes in the URI, the
/// nonce, the key id and the names of components together. `scratch`, of `scratch_size`, is used during the call:
/// `IOTSEC_UPDATE_REPORT_SCRATCH_MAX(components, bytes)` are enough.
///
/// `IOTSEC_ERR_SIZE` for scratch that is too small, or too many components. Writes no flash; after a reset a report is made
/// anew from what `iotsec_update_status()` and `iotsec_update_manifests()` say then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_update_report(
    signer: *const iotsec_signer_t,
    report: *const iotsec_update_report_t,
    scratch: *mut u8,
    scratch_size: usize,
    out: *mut u8,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    status(|| {
        let mut unused = 0;
        // SAFETY: the caller's word, in the documentation.
        let (signer, report, scratch, out) = unsafe {
            (
                CSigner::new(argument::sized(signer)?)?,
                argument::sized(report)?,
                argument::buffer(scratch, scratch_size, &raw mut unused)?,
                argument::buffer(out, size, len)?,
            )
        };
        // SAFETY: as above.
        let (said, key_id, measured) = unsafe { (report.said()?, report.key_id()?, report.measured()?) };
        let report = Report {
            measured: measured.all(),
            ..said
        };
        let payload = measured.longest(&report, key_id).ok_or(CallError::Size)?;
        let scratch_needed = payload.checked_mul(2).ok_or(CallError::Size)?;
        let out = out.at_least(payload.checked_add(ENVELOPE).ok_or(CallError::Size)?)?;
        scratch.fill(|scratch| {
            let scratch = scratch.get_mut(..scratch_needed).ok_or(CallError::Size)?;
            out.fill(|out| Ok(report.sign(&signer, key_id, scratch, out)?.len()))?;
            Ok(0)
        })
    })
}

/// Bytes of the content without what the caller gives, and of the signature with what stands around it.
const CONTENT: usize = 256;
const ENVELOPE: usize = 128;

const _: () = assert!(IOTSEC_UPDATE_REPORT_BASE == CONTENT + ENVELOPE);

/// The components of a report, as Rust has them.
struct Components<'c> {
    all: [Measured<'c>; IOTSEC_UPDATE_REPORT_MEASURED_MAX],
    count: usize,
}

impl<'c> Components<'c> {
    fn all(&self) -> &[Measured<'c>] {
        self.all.get(..self.count).unwrap_or_default()
    }

    /// Bytes that the content of a report cannot exceed.
    fn longest(&self, report: &Report<'_>, key_id: Option<&[u8]>) -> Option<usize> {
        let mut bytes = CONTENT
            .checked_add(report.reference_uri.len())?
            .checked_add(report.nonce.unwrap_or_default().len())?
            .checked_add(key_id.unwrap_or_default().len())?;
        for component in self.all() {
            bytes = bytes
                .checked_add(IOTSEC_UPDATE_REPORT_COMPONENT)?
                .checked_add(component.id.encoded().len())?;
        }
        Some(bytes)
    }
}

impl iotsec_update_report_t {
    /// All but the components.
    ///
    /// # Safety
    /// The pointers are null or to what the struct says, for as long as the result is used; here and below.
    unsafe fn said<'a>(&self) -> Result<Report<'a>, Status> {
        // SAFETY: the caller's word, passed on.
        let (digest, uri, nonce) = unsafe {
            (
                argument::bytes(self.manifest_digest, 32)?,
                if self.reference_uri.is_null() {
                    ""
                } else {
                    argument::zero_ended(self.reference_uri)?
                },
                optional(self.nonce, self.nonce_len)?,
            )
        };
        Ok(Report {
            reference_uri: uri,
            manifest_digest: digest.try_into().map_err(|_| CallError::Size)?,
            nonce,
            measured: &[],
            outcome: match self.cause {
                IOTSEC_OK => Outcome::Done,
                cause => Outcome::Failed(Failure::of(u16::try_from(cause).map_err(|_| CallError::Config)?)),
            },
        })
    }

    /// # Safety
    /// As above.
    unsafe fn key_id<'a>(&self) -> Result<Option<&'a [u8]>, Status> {
        // SAFETY: the caller's word, passed on.
        unsafe { optional(self.key_id, self.key_id_len) }
    }

    /// # Safety
    /// As above.
    unsafe fn measured<'a>(&self) -> Result<Components<'a>, Status> {
        let nameless = Measured {
            id: ComponentId::from_encoded(&UNNAMED)?,
            digest: [0; 32],
            size: 0,
        };
        let mut components = Components {
            all: [nameless; IOTSEC_UPDATE_REPORT_MEASURED_MAX],
            count: self.component_count,
        };
        // SAFETY: the caller's word, passed on; here and below.
        let given = unsafe { argument::slice(self.components, self.component_count) }?;
        let places = components.all.get_mut(..given.len()).ok_or(CallError::Size)?;
        for (place, given) in places.iter_mut().zip(given) {
            argument::zero(given.reserved)?;
            // SAFETY: as above.
            let (name, digest) = unsafe {
                (
                    argument::bytes(given.component, given.component_len)?,
                    argument::bytes(given.digest, 32)?,
                )
            };
            *place = Measured {
                id: ComponentId::from_encoded(name)?,
                digest: digest.try_into().map_err(|_| CallError::Size)?,
                size: given.size,
            };
        }
        Ok(components)
    }
}

/// # Safety
/// As [`argument::bytes`].
unsafe fn optional<'a>(bytes: *const u8, len: usize) -> Result<Option<&'a [u8]>, Status> {
    match len {
        0 => Ok(None),
        // SAFETY: the caller's word, passed on.
        len => unsafe { argument::bytes(bytes, len) }.map(Some),
    }
}

/// The name in places that hold no component.
static UNNAMED: [u8; 3] = [0x81, 0x41, 0x00];
