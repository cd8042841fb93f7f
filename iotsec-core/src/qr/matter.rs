use super::{
    error::QrError,
    passcode::Passcode,
    text::{Text, position},
};

/// What the person does before a commissioner finds the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommissioningFlow {
    /// Switch it on.
    Standard,
    /// Press something.
    UserIntent,
    /// What the maker's page says.
    Custom,
}

/// What a Matter QR code says (Matter core specification 1.4 §5.1.3), without extensions.
///
/// ```text
/// payload = "MT:" base38(88 bits, least significant first)
/// bits    = version 3 (0) ‖ vendor 16 ‖ product 16 ‖ flow 2 ‖ discovery 8 ‖ discriminator 12 ‖ passcode 27 ‖ 0000
/// ```
///
/// ```
/// use iotsec_core::qr::{CommissioningFlow, MatterPayload, Passcode, QrError};
///
/// let payload = MatterPayload::new(0xFFF1, 0x8000, 3840, Passcode::new(20202021)?)?.discovery(0b10);
/// let mut out = [0; MatterPayload::LEN];
/// assert_eq!(payload.write(&mut out)?, "MT:Y.K9042C00KA0648G00");
/// let read = MatterPayload::parse("MT:Y.K9042C00KA0648G00")?;
/// assert_eq!((read.vendor(), read.discriminator()), (0xFFF1, 3840));
/// # Ok::<(), QrError>(())
/// ```
#[derive(Debug)]
pub struct MatterPayload {
    vendor: u16,
    product: u16,
    flow: CommissioningFlow,
    discovery: u8,
    discriminator: u16,
    passcode: Passcode,
}

impl MatterPayload {
    /// Bytes of the text.
    pub const LEN: usize = 3 + 19;

    /// A payload for the standard flow, and for no way of discovery yet.
    ///
    /// # Errors
    /// [`QrError::Value`] for a discriminator of more than 12 bits.
    pub fn new(vendor: u16, product: u16, discriminator: u16, passcode: Passcode) -> Result<Self, QrError> {
        if discriminator > 0xFFF {
            return Err(QrError::Value);
        }
        Ok(Self {
            vendor,
            product,
            flow: CommissioningFlow::Standard,
            discovery: 0,
            discriminator,
            passcode,
        })
    }

    /// How the device is found, a bit each: 0 soft access point, 1 Bluetooth LE, 2 the network it is in.
    #[must_use]
    pub const fn discovery(mut self, bits: u8) -> Self {
        self.discovery = bits;
        self
    }

    /// For another flow.
    #[must_use]
    pub const fn with_flow(mut self, flow: CommissioningFlow) -> Self {
        self.flow = flow;
        self
    }

    /// The vendor's number.
    pub const fn vendor(&self) -> u16 {
        self.vendor
    }
    /// The product's number.
    pub const fn product(&self) -> u16 {
        self.product
    }
    /// The flow.
    pub const fn flow(&self) -> CommissioningFlow {
        self.flow
    }
    /// How the device is found.
    pub const fn discovery_bits(&self) -> u8 {
        self.discovery
    }
    /// What tells the device from others nearby.
    pub const fn discriminator(&self) -> u16 {
        self.discriminator
    }
    /// The passcode.
    pub const fn passcode(&self) -> &Passcode {
        &self.passcode
    }

    /// Writes the text.
    ///
    /// # Errors
    /// [`QrError::BufferFull`]; [`LEN`](Self::LEN) bytes are enough.
    pub fn write<'o>(&self, out: &'o mut [u8]) -> Result<&'o str, QrError> {
        let flow = match self.flow {
            CommissioningFlow::Standard => 0u8,
            CommissioningFlow::UserIntent => 1,
            CommissioningFlow::Custom => 2,
        };
        let bits = u128::from(self.vendor) << 3
            | u128::from(self.product) << 19
            | u128::from(flow) << 35
            | u128::from(self.discovery) << 37
            | u128::from(self.discriminator) << 45
            | u128::from(self.passcode.expose()) << 57;
        let mut text = Text::new(out);
        text.bytes(PREFIX)?;
        for (shift, bytes, characters) in CHUNKS {
            let mut value = bits >> shift & mask(bytes);
            for _ in 0..characters {
                let symbol = usize::try_from(value % 38).unwrap_or(0);
                text.push(ALPHABET.get(symbol).copied().unwrap_or(b'0'))?;
                value /= 38;
            }
        }
        text.finish()
    }

    /// Reads a text.
    ///
    /// # Errors
    /// [`QrError::Unsupported`] for another version, flow or length; otherwise by what is wrong.
    pub fn parse(text: &str) -> Result<Self, QrError> {
        let body = text.strip_prefix("MT:").ok_or(QrError::Prefix)?.as_bytes();
        if body.len() > 19 {
            return Err(QrError::Unsupported);
        }
        if body.len() != 19 {
            return Err(QrError::Length);
        }
        let mut bits = 0u128;
        let mut at = 0usize;
        for (shift, bytes, characters) in CHUNKS {
            let end = at.saturating_add(characters);
            let mut value = 0u128;
            for (place, byte) in body.get(at..end).unwrap_or_default().iter().enumerate().rev() {
                let symbol = ALPHABET.iter().position(|known| known == byte);
                let symbol = symbol.ok_or(QrError::Character {
                    position: position(at.saturating_add(place).saturating_add(PREFIX.len())),
                })?;
                value = value
                    .saturating_mul(38)
                    .saturating_add(u128::try_from(symbol).unwrap_or(0));
            }
            if value > mask(bytes) {
                return Err(QrError::Value);
            }
            bits |= value << shift;
            at = end;
        }
        let field = |shift: u32, len: u32| bits >> shift & (1u128 << len).saturating_sub(1);
        let flow = match field(35, 2) {
            0 => CommissioningFlow::Standard,
            1 => CommissioningFlow::UserIntent,
            2 => CommissioningFlow::Custom,
            _ => return Err(QrError::Unsupported),
        };
        if field(0, 3) != 0 {
            return Err(QrError::Unsupported);
        }
        if field(84, 4) != 0 {
            return Err(QrError::Value);
        }
        let short = |value: u128| u16::try_from(value).unwrap_or(0);
        let passcode = Passcode::new(u32::try_from(field(57, 27)).unwrap_or(0))?;
        let payload = Self::new(
            short(field(3, 16)),
            short(field(19, 16)),
            short(field(45, 12)),
            passcode,
        )?;
        let discovery = u8::try_from(field(37, 8)).unwrap_or(0);
        Ok(payload.discovery(discovery).with_flow(flow))
    }
}

const fn mask(bytes: u32) -> u128 {
    (1u128 << bytes.saturating_mul(8)).saturating_sub(1)
}

const PREFIX: &[u8] = b"MT:";
/// First bit, bytes and characters of what is encoded together.
const CHUNKS: [(u32, u32, usize); 4] = [(0, 3, 5), (24, 3, 5), (48, 3, 5), (72, 2, 4)];
/// Matter core specification 1.4 §5.1.3.1.
const ALPHABET: [u8; 38] = *b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-.";
