use core::fmt;

use super::{
    description::{Description, Shape},
    error::{DocumentError, Problem},
    reading::{Reading, Value},
};
use crate::input::{
    Base32, Base64, Base64Url, DeviceSerial, Email, Hex, Host, Hostname, Ipv4, Ipv6, Label, MacAddr,
    MqttFilter, MqttTopic, Port, Psk, Quantity, Ranged, SemVer, Ssid, TimeZone, Unit, Url,
};

/// Integers that every JSON implementation carries unchanged (RFC 7493 §2.2).
const SAFE: i64 = (1 << 53) - 1;

/// A type of values in documents. A maker's own types can be, too: what [`read`](Self::read) accepts, the
/// [`SHAPE`](Self::SHAPE) has to allow.
///
/// ```
/// use iotsec_core::input::document::{DocumentError, Field, Problem, Reading, Shape, Value};
///
/// /// A number of leaves.
/// struct Even(i64);
///
/// impl<'a> Field<'a> for Even {
///     const SHAPE: Shape = Shape::Integer { min: 0, max: 100, unit: "" };
///     fn read(value: Value<'a>, reading: &mut Reading<'a>) -> Result<Self, DocumentError> {
///         let number = value.integer(0, 100, reading)?;
///         if number % 2 == 0 { Ok(Self(number)) } else { Err(reading.error(Problem::Range, value.offset())) }
///     }
/// }
/// ```
pub trait Field<'a>: Sized {
    /// What it can hold.
    const SHAPE: Shape;

    /// Reads one.
    ///
    /// # Errors
    /// [`DocumentError`].
    fn read(value: Value<'a>, reading: &mut Reading<'a>) -> Result<Self, DocumentError>;
}

/// What can stand in an object: a [`Field`], or an [`Option`] of one, which may be absent.
pub trait Member<'a>: Sized {
    /// What it can hold.
    const SHAPE: Shape;
    /// Whether it may be absent.
    const OPTIONAL: bool;

    /// Reads one.
    ///
    /// # Errors
    /// [`DocumentError`].
    fn read(value: Value<'a>, reading: &mut Reading<'a>) -> Result<Self, DocumentError>;

    /// What it is when it is absent.
    fn absent() -> Option<Self>;
}

impl<'a, T: Field<'a>> Member<'a> for T {
    const SHAPE: Shape = <T as Field<'a>>::SHAPE;
    const OPTIONAL: bool = false;

    fn read(value: Value<'a>, reading: &mut Reading<'a>) -> Result<Self, DocumentError> {
        <T as Field<'a>>::read(value, reading)
    }

    fn absent() -> Option<Self> {
        None
    }
}

impl<'a, T: Field<'a>> Member<'a> for Option<T> {
    const SHAPE: Shape = <T as Field<'a>>::SHAPE;
    const OPTIONAL: bool = true;

    fn read(value: Value<'a>, reading: &mut Reading<'a>) -> Result<Self, DocumentError> {
        <T as Field<'a>>::read(value, reading).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

/// What a field is that the object at `offset` does not have.
#[doc(hidden)]
pub fn absent<'a, T: Member<'a>>(
    description: &'static Description,
    place: u8,
    offset: usize,
    reading: &mut Reading<'a>,
) -> Result<T, DocumentError> {
    let field = description.fields().get(usize::from(place));
    reading.step(place, offset, |reading| {
        match field.and_then(super::FieldDescription::default) {
            Some(default) => T::read(Value::from_default(default, offset), reading),
            None => T::absent().ok_or(reading.error(Problem::Missing, offset)),
        }
    })
}

impl<'a> Field<'a> for bool {
    const SHAPE: Shape = Shape::Bool;

    fn read(value: Value<'a>, reading: &mut Reading<'a>) -> Result<Self, DocumentError> {
        value.bool(reading)
    }
}

const fn integer(min: i64, max: i64, unit: &'static str) -> Shape {
    assert!(
        -SAFE <= min && max <= SAFE,
        "JSON carries integers up to 2^53 - 1"
    );
    Shape::Integer { min, max, unit }
}

impl<'a, const MIN: i64, const MAX: i64> Field<'a> for Ranged<MIN, MAX> {
    const SHAPE: Shape = integer(MIN, MAX, "");

    fn read(value: Value<'a>, reading: &mut Reading<'a>) -> Result<Self, DocumentError> {
        let number = value.integer(MIN, MAX, reading)?;
        Self::new(number).map_err(|_| reading.error(Problem::Range, value.offset()))
    }
}

/// The number alone: the unit is that of the description.
impl<'a, U: Unit, const MIN: i64, const MAX: i64> Field<'a> for Quantity<U, MIN, MAX> {
    const SHAPE: Shape = integer(MIN, MAX, U::SYMBOL);

    fn read(value: Value<'a>, reading: &mut Reading<'a>) -> Result<Self, DocumentError> {
        let number = value.integer(MIN, MAX, reading)?;
        Self::new(number).map_err(|_| reading.error(Problem::Range, value.offset()))
    }
}

impl<'a> Field<'a> for Port {
    const SHAPE: Shape = integer(1, 65_535, "");

    fn read(value: Value<'a>, reading: &mut Reading<'a>) -> Result<Self, DocumentError> {
        let wrong = reading.error(Problem::Range, value.offset());
        let number = value.integer(1, 65_535, reading)?;
        let number = u16::try_from(number).map_err(|_| wrong)?;
        Self::new(number).map_err(|_| wrong)
    }
}

macro_rules! texts {
    ($($type:ty $([$(const $n:ident),*])?, $min:expr, $max:expr, $format:literal, $pattern:literal;)*) => {$(
        impl<'a $($(, const $n: usize)*)?> Field<'a> for $type {
            const SHAPE: Shape = Shape::Text {
                min: $min,
                max: $max,
                format: $format,
                pattern: $pattern,
            };

            fn read(value: Value<'a>, reading: &mut Reading<'a>) -> Result<Self, DocumentError> {
                value.parse(reading, Self::parse)
            }
        }
    )*};
}

// Lengths are those of the parsers, a dot at the end of a host name included.
texts! {
    Hostname<'a>, 1, Hostname::MAX_LEN + 1, "hostname", "[0-9A-Za-z]([0-9A-Za-z-]*[0-9A-Za-z])?([.][0-9A-Za-z]([0-9A-Za-z-]*[0-9A-Za-z])?)*[.]?";
    Host<'a>, 1, Hostname::MAX_LEN + 1, "", "";
    Ipv4, 7, 15, "ipv4", "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])([.](25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}";
    Ipv6, 2, 45, "ipv6", "[0-9A-Fa-f:.]+";
    MacAddr, 12, 17, "", "[0-9A-Fa-f:.-]+";
    Url<'a>, 1, Url::MAX_LEN, "uri", "[A-Za-z]+://[!-~]+";
    MqttTopic<'a>, 1, MqttTopic::MAX_LEN, "", "";
    MqttFilter<'a>, 1, MqttTopic::MAX_LEN, "", "";
    Email<'a>, 3, Email::MAX_LEN, "email", "[!-~]+@[0-9A-Za-z.-]+";
    TimeZone<'a>, 4, TimeZone::MAX_LEN, "", "[!-~]+";
    SemVer<'a>, 5, SemVer::MAX_LEN, "", "[0-9]+[.][0-9]+[.][0-9]+[0-9A-Za-z.+-]*";
    DeviceSerial<'a>, 1, DeviceSerial::MAX_LEN, "", "[0-9A-Za-z]([0-9A-Za-z.-]*[0-9A-Za-z])?";
    Label<'a, N> [const N], 1, N, "", "";
    Ssid, 1, Ssid::MAX_LEN, "", "";
    Psk, 8, Psk::MAX_LEN, "", "[ -~]+";
    Hex<N> [const N], N.saturating_mul(2), N.saturating_mul(2), "", "[0-9A-Fa-f]*";
    Base32<N> [const N], N.div_ceil(5).saturating_mul(8), N.div_ceil(5).saturating_mul(8), "", "[A-Z2-7]*=*";
    Base64<N> [const N], N.div_ceil(3).saturating_mul(4), N.div_ceil(3).saturating_mul(4), "", "[0-9A-Za-z+/]*=*";
    Base64Url<N> [const N], N.saturating_mul(4).div_ceil(3), N.saturating_mul(4).div_ceil(3), "", "[0-9A-Za-z_-]*";
}

/// `MIN` to `MAX` values of one type, at most 255.
///
/// ```
/// use iotsec_core::{document, input::{Ranged, document::{Document, DocumentError, List, Problem}}};
///
/// document! { pub struct Curve { points: List<Ranged<0, 100>, 1, 8> } }
/// let curve = Curve::from_cbor(&[0xA1, 0x66, b'p', b'o', b'i', b'n', b't', b's', 0x82, 0x05, 0x18, 0x32])?;
/// assert!(curve.points().iter().map(Ranged::get).eq([5, 50]));
/// let error = Curve::from_json(br#"{"points": []}"#, &mut []).err().unwrap();
/// assert_eq!((error.problem, error.offset), (Problem::TooFew, 11));
/// # Ok::<(), DocumentError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct List<T, const MIN: usize, const MAX: usize> {
    /// Those in front are there.
    elements: [Option<T>; MAX],
}

impl<T, const MIN: usize, const MAX: usize> List<T, MIN, MAX> {
    /// The elements, in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.elements.iter().flatten()
    }

    /// The element at this place.
    pub fn element(&self, place: usize) -> Option<&T> {
        self.elements.get(place)?.as_ref()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T: fmt::Debug, const MIN: usize, const MAX: usize> fmt::Debug for List<T, MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

const fn bound(number: usize) -> u8 {
    assert!(number <= 255, "a list has at most 255 elements");
    let [byte, ..] = number.to_le_bytes();
    byte
}

impl<'a, T: Field<'a>, const MIN: usize, const MAX: usize> Field<'a> for List<T, MIN, MAX> {
    const SHAPE: Shape = {
        assert!(MIN <= MAX && MAX > 0);
        Shape::List {
            element: &<T as Field<'a>>::SHAPE,
            min: bound(MIN),
            max: bound(MAX),
        }
    };

    fn read(value: Value<'a>, reading: &mut Reading<'a>) -> Result<Self, DocumentError> {
        let offset = value.offset();
        let (mut elements, mut count) = ([const { None }; MAX], 0_usize);
        for element in value.elements(reading)? {
            let at = element.offset();
            let place = elements.get_mut(count);
            let place = place.ok_or(reading.error(Problem::TooMany, at))?;
            let step = u8::try_from(count).unwrap_or(u8::MAX);
            *place = Some(reading.step(step, at, |reading| <T as Field<'a>>::read(element, reading))?);
            count = count.saturating_add(1);
        }
        if count < MIN {
            return Err(reading.error(Problem::TooFew, offset));
        }
        Ok(Self { elements })
    }
}
