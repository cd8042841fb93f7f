//! Commands as they go to the TPM, and the templates in them.

use zeroize::Zeroize;

use super::TpmError;

/// More than any command here has.
const MAX_LEN: usize = 2048;

/// `TPM_ST_NO_SESSIONS` and `TPM_ST_SESSIONS`.
pub(super) const TAG_PLAIN: u16 = 0x8001;
pub(super) const TAG_SESSIONS: u16 = 0x8002;

/// `TPM_RH_OWNER`: the storage hierarchy.
const OWNER: u32 = 0x4000_0001;
/// `TPM_RS_PW`: a password in the place of a session.
const PASSWORD: u32 = 0x4000_0009;

const ALG_AES: u16 = 0x0006;
const ALG_KEYED_HASH: u16 = 0x0008;
pub(super) const ALG_SHA256: u16 = 0x000B;
const ALG_NULL: u16 = 0x0010;
const ALG_ECC: u16 = 0x0023;
const ALG_CFB: u16 = 0x0043;
const CURVE_P256: u16 = 0x0003;

/// `TPMA_OBJECT` of the storage key: fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, noDA,
/// restricted, decrypt.
const STORAGE_KEY: u32 = 0x0003_0472;
/// `TPMA_OBJECT` of the sealed key: fixedTPM, fixedParent, userWithAuth, noDA.
const SEALED_KEY: u32 = 0x0000_0452;
/// `TPMA_NV` of a counter: AUTHWRITE, TPM_NT_COUNTER, AUTHREAD, NO_DA.
pub(super) const COUNTER: u32 = 0x0204_0014;
/// Bytes of a counter.
pub(super) const COUNTER_LEN: u16 = 8;

/// `TPMT_PUBLIC` of the sealed key up to the digest that identifies it.
pub(super) const SEALED_PUBLIC: [u8; 12] = {
    let ([a, b], [c, d]) = (ALG_KEYED_HASH.to_be_bytes(), ALG_SHA256.to_be_bytes());
    let ([e, f, g, h], [i, j]) = (SEALED_KEY.to_be_bytes(), ALG_NULL.to_be_bytes());
    // Between attributes and scheme: no policy.
    [a, b, c, d, e, f, g, h, 0, 0, i, j]
};

/// A command under construction, wiped when dropped.
pub(super) struct Command {
    bytes: [u8; MAX_LEN],
    len: usize,
    tag: u16,
    /// Something did not fit.
    overflow: bool,
}

impl Command {
    /// `TPM2_Startup(TPM_SU_CLEAR)`.
    pub(super) fn startup() -> Self {
        let mut command = Self::plain(0x144, None);
        command.u16(0);
        command
    }

    /// `TPM2_CreatePrimary` of the storage key: ECC P-256 by the template that all systems use, so it is the same
    /// at each call until the TPM is cleared.
    pub(super) fn create_storage_key() -> Self {
        let mut command = Self::authorized(0x131, &[OWNER]);
        // No password, and nothing to seal.
        command.sized(|sensitive| {
            sensitive.u16(0);
            sensitive.u16(0);
        });
        command.sized(|public| {
            public.u16(ALG_ECC);
            public.u16(ALG_SHA256);
            public.u32(STORAGE_KEY);
            // No policy.
            public.u16(0);
            for number in [ALG_AES, 128, ALG_CFB, ALG_NULL, CURVE_P256, ALG_NULL] {
                public.u16(number);
            }
            // No point.
            public.u16(0);
            public.u16(0);
        });
        command.no_creation_data();
        command
    }

    /// `TPM2_Create` of an object that holds `secret`.
    pub(super) fn seal(parent: u32, secret: &[u8]) -> Self {
        let mut command = Self::authorized(0x153, &[parent]);
        command.sized(|sensitive| {
            sensitive.u16(0);
            sensitive.sized(|data| data.bytes(secret));
        });
        command.sized(|public| {
            public.bytes(&SEALED_PUBLIC);
            public.u16(0);
        });
        command.no_creation_data();
        command
    }

    /// `TPM2_Load` of what `TPM2_Create` answered.
    pub(super) fn load(parent: u32, private: &[u8], public: &[u8]) -> Self {
        let mut command = Self::authorized(0x157, &[parent]);
        command.sized(|field| field.bytes(private));
        command.sized(|field| field.bytes(public));
        command
    }

    /// `TPM2_Unseal`.
    pub(super) fn unseal(object: u32) -> Self {
        Self::authorized(0x15E, &[object])
    }

    /// `TPM2_FlushContext`, whose handle is a parameter.
    pub(super) fn flush(object: u32) -> Self {
        Self::plain(0x165, Some(object))
    }

    /// `TPM2_NV_DefineSpace` for a counter.
    pub(super) fn define_counter(index: u32) -> Self {
        let mut command = Self::authorized(0x12A, &[OWNER]);
        // No password.
        command.u16(0);
        command.sized(|public| {
            public.u32(index);
            public.u16(ALG_SHA256);
            public.u32(COUNTER);
            public.u16(0);
            public.u16(COUNTER_LEN);
        });
        command
    }

    /// `TPM2_NV_ReadPublic`.
    pub(super) fn read_public(index: u32) -> Self {
        Self::plain(0x169, Some(index))
    }

    /// `TPM2_NV_Increment`.
    pub(super) fn increment(index: u32) -> Self {
        Self::authorized(0x134, &[index, index])
    }

    /// `TPM2_NV_Read` of a whole counter.
    pub(super) fn read_counter(index: u32) -> Self {
        let mut command = Self::authorized(0x14E, &[index, index]);
        command.u16(COUNTER_LEN);
        command.u16(0);
        command
    }

    /// `TPM_ST_SESSIONS` or `TPM_ST_NO_SESSIONS`, as the answer has it.
    pub(super) const fn tag(&self) -> u16 {
        self.tag
    }

    /// The whole command.
    pub(super) fn finish(&mut self) -> Result<&[u8], TpmError> {
        let len = u32::try_from(self.len).map_err(|_| TpmError::Sealed)?;
        if let Some(place) = self.bytes.get_mut(2..6) {
            place.copy_from_slice(&len.to_be_bytes());
        }
        match self.bytes.get(..self.len) {
            Some(bytes) if !self.overflow => Ok(bytes),
            _ => Err(TpmError::Sealed),
        }
    }

    fn header(tag: u16, code: u32) -> Self {
        let mut command = Self {
            bytes: [0; MAX_LEN],
            len: 0,
            tag,
            overflow: false,
        };
        command.u16(tag);
        // The length, when it is known.
        command.u32(0);
        command.u32(code);
        command
    }

    fn plain(code: u32, handle: Option<u32>) -> Self {
        let mut command = Self::header(TAG_PLAIN, code);
        if let Some(handle) = handle {
            command.u32(handle);
        }
        command
    }

    /// With an empty password for the first handle.
    fn authorized(code: u32, handles: &[u32]) -> Self {
        let mut command = Self::header(TAG_SESSIONS, code);
        for handle in handles {
            command.u32(*handle);
        }
        // Nine bytes: no nonce, no attributes, no password.
        command.u32(9);
        command.u32(PASSWORD);
        command.u16(0);
        command.bytes(&[0]);
        command.u16(0);
        command
    }

    /// No outside information, no registers.
    fn no_creation_data(&mut self) {
        self.u16(0);
        self.u32(0);
    }

    fn u16(&mut self, number: u16) {
        self.bytes(&number.to_be_bytes());
    }

    fn u32(&mut self, number: u32) {
        self.bytes(&number.to_be_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let end = self.len.saturating_add(bytes.len());
        match self.bytes.get_mut(self.len..end) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.len = end;
            }
            None => self.overflow = true,
        }
    }

    /// A structure behind its length in two bytes.
    fn sized(&mut self, write: impl FnOnce(&mut Self)) {
        let start = self.len;
        self.u16(0);
        let from = self.len;
        write(self);
        match u16::try_from(self.len.saturating_sub(from)) {
            Ok(len) => {
                if let Some(place) = self.bytes.get_mut(start..from) {
                    place.copy_from_slice(&len.to_be_bytes());
                }
            }
            Err(_) => self.overflow = true,
        }
    }
}

impl Drop for Command {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}
