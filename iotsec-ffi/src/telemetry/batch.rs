//! Batches: sealed for a service, under the name of the device or a pseudonym.

use iotsec::telemetry::{
    batch::{SealTo, SealedBatch},
    stream::{Disguised, Stream},
};

use super::{
    Telemetry,
    config::{Sealer, Service, iotsec_service_t},
    iotsec_telemetry_t,
    registry::{iotsec_purpose_t, purpose_of},
};
use crate::{
    argument::{self, Buffer, Out},
    object,
    status::{CallError, Status, iotsec_status_t, status},
};

/// Seals the most urgent events that wait, as many as fit, into `batch`, which holds `batch_size`: at least
/// `service->largest`, and more makes batches fuller. They are all of one purpose, to be filed under the name of the
/// device: to tell everything, call again after the acknowledgement. Writes the length to `batch_len`, which is 0 when
/// there is nothing to tell, and to `receipt` the number to acknowledge it by. `scratch`, of `scratch_size` bytes, at
/// least `service->largest`, is used during the call and wiped.
///
/// Nothing leaves the device's flash before `iotsec_telemetry_acknowledge()`: called again, it seals anew what waits, and
/// the receipt of the batch before counts no more. `IOTSEC_ERR_SPOOL_UNPURGED` until `iotsec_telemetry_purge_step()` is
/// done. Writes no flash.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_batch(
    telemetry: *mut iotsec_telemetry_t,
    service: *const iotsec_service_t,
    scratch: *mut u8,
    scratch_size: usize,
    batch: *mut u8,
    batch_size: usize,
    batch_len: *mut usize,
    receipt: *mut u32,
) -> iotsec_status_t {
    let mut unused = 0;
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let buffers = Buffers {
            service: Service::new(service)?,
            scratch: argument::buffer(scratch, scratch_size, &raw mut unused)?,
            out: argument::buffer(batch, batch_size, batch_len)?,
            receipt: argument::out(receipt)?,
        };
        object::enter(telemetry, |telemetry| telemetry.seal(buffers, None))
    })
}

/// The same for one purpose, to be sent under `iotsec_telemetry_pseudonym()` of the same purpose and epoch and under
/// nothing else. The numbers in it go with that pseudonym alone, so that a service which opens batches of several cannot
/// tell by them which are of one device. With `IOTSEC_SEAL_SHARED` the key tells it all the same.
///
/// `IOTSEC_ERR_TRAIL_NOT_CONSENTED` when the purpose is off; otherwise as `iotsec_telemetry_batch()` and
/// `iotsec_telemetry_pseudonym()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_batch_for(
    telemetry: *mut iotsec_telemetry_t,
    purpose: iotsec_purpose_t,
    epoch: u32,
    service: *const iotsec_service_t,
    scratch: *mut u8,
    scratch_size: usize,
    batch: *mut u8,
    batch_size: usize,
    batch_len: *mut usize,
    receipt: *mut u32,
) -> iotsec_status_t {
    let mut unused = 0;
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let buffers = Buffers {
            service: Service::new(service)?,
            scratch: argument::buffer(scratch, scratch_size, &raw mut unused)?,
            out: argument::buffer(batch, batch_size, batch_len)?,
            receipt: argument::out(receipt)?,
        };
        object::enter(telemetry, |telemetry| {
            let stream = telemetry.stream(purpose_of(purpose)?, epoch)?;
            telemetry.seal(buffers, Some(&stream))
        })
    })
}

/// What a batch is sealed for, and where it goes.
struct Buffers<'a> {
    service: Service,
    scratch: Buffer<'a>,
    out: Buffer<'a>,
    receipt: Out<'a, u32>,
}

impl Telemetry {
    /// Seals a batch, and keeps its receipt in place of the one before.
    fn seal(&mut self, buffers: Buffers<'_>, stream: Option<&Stream<Disguised<'_>>>) -> Result<(), Status> {
        let Buffers {
            service,
            scratch,
            out,
            receipt,
        } = buffers;
        let largest = service.sizes.largest().sealed_len();
        let out = out.at_least(largest)?;
        scratch.fill(|scratch| {
            if scratch.len() < largest {
                return Err(CallError::Size.into());
            }
            let number = self.batches.wrapping_add(1);
            out.fill(|out| self.seal_into(&service, stream, scratch, out))?;
            self.batches = number;
            receipt.set(number);
            Ok(0)
        })
    }

    fn seal_into(
        &mut self,
        service: &Service,
        stream: Option<&Stream<Disguised<'_>>>,
        scratch: &mut [u8],
        out: &mut [u8],
    ) -> Result<usize, Status> {
        self.receipt = None;
        let sealed = match service.sealer() {
            Sealer::Shared(key) => self.sealed(&key, service, stream, scratch, out)?,
            Sealer::Public(key) => self.sealed(&key, service, stream, scratch, out)?,
        };
        let Some(sealed) = sealed else { return Ok(0) };
        let len = sealed.bytes().len();
        let receipt = sealed.into_receipt();
        self.receipt = Some(receipt);
        Ok(len)
    }

    fn sealed<'a, K: SealTo>(
        &'a mut self,
        key: &K,
        service: &Service,
        stream: Option<&Stream<Disguised<'_>>>,
        scratch: &mut [u8],
        out: &'a mut [u8],
    ) -> Result<Option<SealedBatch<'a>>, Status> {
        let (spool, flash, consents) = (&mut self.spool, &mut self.flash, &self.consents);
        let (sizes, rng) = (service.sizes, &mut self.entropy);
        Ok(match stream {
            Some(stream) => spool.batch_for(flash, stream, consents, key, sizes, rng, scratch, out)?,
            None => spool.batch(flash, consents, key, sizes, rng, scratch, out)?,
        })
    }
}
