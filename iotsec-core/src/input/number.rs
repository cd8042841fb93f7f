use core::{fmt, marker::PhantomData};

use super::{
    error::{InputError, InputKind},
    scan,
};

/// An integer from `MIN` to `MAX`.
///
/// ```
/// use iotsec_core::input::{InputKind, Ranged};
///
/// type Brightness = Ranged<0, 100>;
/// assert_eq!(Brightness::parse(b"70")?.get(), 70);
/// assert_eq!(Brightness::parse(b"101").unwrap_err().kind, InputKind::Range);
/// assert!(Brightness::parse(b"070").is_err() && Brightness::parse(b"+70").is_err());
/// # Ok::<(), iotsec_core::input::InputError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ranged<const MIN: i64, const MAX: i64>(i64);

impl<const MIN: i64, const MAX: i64> Ranged<MIN, MAX> {
    /// Takes a number.
    ///
    /// # Errors
    /// [`InputKind::Range`].
    pub fn new(number: i64) -> Result<Self, InputError> {
        const { assert!(MIN <= MAX) };
        if (MIN..=MAX).contains(&number) {
            Ok(Self(number))
        } else {
            Err(InputError::new(InputKind::Range, 0))
        }
    }

    /// Reads decimal digits in their shortest form, `-` in front of a negative number.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn parse(input: &[u8]) -> Result<Self, InputError> {
        Self::new(integer(input)?)
    }

    /// The number.
    pub const fn get(&self) -> i64 {
        self.0
    }
}

impl<const MIN: i64, const MAX: i64> fmt::Display for Ranged<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

pub(super) fn integer(input: &[u8]) -> Result<i64, InputError> {
    let range = InputError::new(InputKind::Range, 0);
    match input {
        [b'-', digits @ ..] => {
            let number = scan::decimal(digits, 1 << 63).map_err(|error| error.within(1))?;
            if number == 0 {
                return Err(InputError::new(InputKind::Form, 0));
            }
            0_i64.checked_sub_unsigned(number).ok_or(range)
        }
        digits => i64::try_from(scan::decimal(digits, u64::MAX)?).map_err(|_| range),
    }
}

/// What a [`Quantity`] is counted in.
pub trait Unit {
    /// Its symbol, as it stands behind the number.
    const SYMBOL: &'static str;
}

/// Units that many devices have. Others implement [`Unit`].
pub mod unit {
    use super::Unit;

    macro_rules! units {
        ($($(#[$doc:meta])* $name:ident $symbol:literal)*) => {$(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
            pub enum $name {}
            impl Unit for $name {
                const SYMBOL: &'static str = $symbol;
            }
        )*};
    }

    units! {
        /// Seconds.
        Second "s"
        /// Milliseconds.
        Millisecond "ms"
        /// Hundredths.
        Percent "%"
        /// Degrees Celsius.
        Celsius "°C"
        /// Millivolts.
        Millivolt "mV"
        /// Decibels over a milliwatt.
        DecibelMilliwatt "dBm"
    }
}

/// An integer from `MIN` to `MAX` in a unit, which has to stand behind it: `250 ms`, `250ms`.
///
/// ```
/// use iotsec_core::input::{InputKind, Quantity, unit::Celsius};
///
/// type Setpoint = Quantity<Celsius, 5, 30>;
/// assert_eq!(Setpoint::parse("21 °C".as_bytes())?.get(), 21);
/// assert_eq!(Setpoint::parse(b"70 F").unwrap_err().kind, InputKind::Form);
/// # Ok::<(), iotsec_core::input::InputError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Quantity<U, const MIN: i64, const MAX: i64>(Ranged<MIN, MAX>, PhantomData<U>);

impl<U: Unit, const MIN: i64, const MAX: i64> Quantity<U, MIN, MAX> {
    /// Takes a number of units.
    ///
    /// # Errors
    /// [`InputKind::Range`].
    pub fn new(number: i64) -> Result<Self, InputError> {
        Ok(Self(Ranged::new(number)?, PhantomData))
    }

    /// Reads a number with its unit, a blank between them or none.
    ///
    /// # Errors
    /// [`InputError`]; [`InputKind::Form`] for another unit, or none.
    pub fn parse(input: &[u8]) -> Result<Self, InputError> {
        let number = input.strip_suffix(U::SYMBOL.as_bytes());
        let number = number.ok_or(InputError::new(InputKind::Form, input.len()))?;
        let number = number.strip_suffix(b" ").unwrap_or(number);
        Ok(Self(Ranged::parse(number)?, PhantomData))
    }

    /// The number of units.
    pub const fn get(&self) -> i64 {
        self.0.get()
    }
}

impl<U: Unit, const MIN: i64, const MAX: i64> fmt::Display for Quantity<U, MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, U::SYMBOL)
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn integers_are_written_in_one_way() {
        type Any = Ranged<{ i64::MIN }, { i64::MAX }>;
        for number in [0, 7, -7, i64::MAX, i64::MIN] {
            assert_eq!(Any::parse(number.to_string().as_bytes()).unwrap().get(), number);
        }
        for text in [
            "",
            "-",
            "-0",
            "00",
            "01",
            "+1",
            " 1",
            "1 ",
            "1.0",
            "1e3",
            "0x1",
            "\u{661}",
            "9223372036854775808",
            "-9223372036854775809",
            "99999999999999999999999",
        ] {
            assert!(Any::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Ranged::<-2, 2>::new(3).is_err() && Ranged::<-2, 2>::new(-3).is_err());
    }

    #[test]
    fn a_quantity_needs_its_unit() {
        type Delay = Quantity<unit::Millisecond, 0, 1000>;
        assert_eq!(Delay::parse(b"250ms").unwrap().to_string(), "250 ms");
        for text in [
            "250", "250 s", "250  ms", "ms", " ms", "250 MS", "1001 ms", "-1 ms",
        ] {
            assert!(Delay::parse(text.as_bytes()).is_err(), "{text}");
        }
        // Seconds end as milliseconds do.
        assert!(Quantity::<unit::Second, 0, 1000>::parse(b"250ms").is_err());
    }
}
