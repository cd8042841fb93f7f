//! Documents that a maker describes once, with the bounds of every field, and gets typed from JSON or CBOR.
//!
//! [`document!`](crate::document!) takes a structure whose fields have types of this module's parent, and makes of it:
//! a type whose fields can only be read; a parser for JSON and one for CBOR, which accept the same values; and a
//! [`Description`], which writes itself as JSON Schema and as CDDL, so that whoever sends documents is told the same
//! bounds. A document is refused whole, and the first reason is an error of its own: a name that is unknown, stands
//! twice or is missing, a value of another type, out of range, or that the parser of its type refuses. The error says at
//! which byte and in which field, and repeats nothing of the document.
//!
//! In CBOR a document is a map with text keys, in deterministic encoding ([`cbor`](crate::cbor)); in JSON an object
//! ([`json`](super::json)). A field that may be absent is left out: `null` is another type. Quantities are integers, in
//! the unit that the description names. What is bytes elsewhere, such as [`Hex`](super::Hex), is text in both.
//!
//! ```
//! use iotsec_core::document;
//! use iotsec_core::input::{Label, Port, Hostname, Quantity, unit::Second};
//! use iotsec_core::input::document::{Document, DocumentError, List, Problem};
//!
//! document! {
//!     /// Where a lamp reports to.
//!     pub struct Reporting<'a> within 1024 bytes {
//!         /// Tried in order.
//!         servers: List<Server<'a>, 1, 3>,
//!         /// Between two reports.
//!         interval: Quantity<Second, 10, 86_400> = 300,
//!         mode: Mode = "quiet",
//!         room: Option<Label<'a, 32>>,
//!     }
//!
//!     pub struct Server<'a> {
//!         host: Hostname<'a>,
//!         port: Port = 8883,
//!     }
//!
//!     pub enum Mode {
//!         Quiet = "quiet",
//!         Loud = "loud",
//!     }
//! }
//!
//! let json = br#"{"servers": [{"host": "a.example"}, {"host": "b.example", "port": 443}], "room": "K\u00fcche"}"#;
//! let mut scratch = [0; 64];
//! let reporting = Reporting::from_json(json, &mut scratch)?;
//! assert_eq!(reporting.interval().get(), 300);
//! assert_eq!(reporting.room().map(|room| room.as_str()), Some("Küche"));
//! assert!(reporting.servers().iter().map(|server| server.port().get()).eq([8883, 443]));
//! assert_eq!(*reporting.mode(), Mode::Quiet);
//!
//! let error = Reporting::from_json(br#"{"servers": [{"host": "a.example", "port": 0}]}"#, &mut []).err().unwrap();
//! assert_eq!((error.problem, error.offset), (Problem::Range, 43));
//! assert_eq!(error.path.names(Reporting::DESCRIPTION).to_string(), "servers[0].port");
//! # Ok::<(), DocumentError>(())
//! ```

mod cddl;
pub(in crate::input) mod description;
mod error;
mod field;
pub(in crate::input) mod json_schema;
mod reading;
#[cfg(test)]
mod tests;

pub use cddl::Cddl;
pub use description::{
    DeclarationError, Default, Description, FieldDescription, MAX_BYTES, MAX_FIELDS, MAX_NAME_LEN, Shape,
};
pub use error::{DocumentError, FieldPath, MAX_DEPTH, Names, Problem};
#[doc(hidden)]
pub use field::absent;
pub use field::{Field, List, Member};
pub use json_schema::JsonSchema;
pub use reading::{Elements, Entries, Members, Name, Reading, Value, read_cbor, read_json};

/// A document as a whole. [`document!`](crate::document!) implements it.
pub trait Document<'a>: Field<'a> {
    /// What it consists of, to be checked.
    #[doc(hidden)]
    const FIELDS: &'static [FieldDescription];

    /// What it consists of.
    const DESCRIPTION: &'static Description;

    /// Reads a document from JSON. Texts with escapes are written into `scratch`, which never takes more bytes than the
    /// document has; others are borrowed from it. Whoever reads a secret, such as a [`Psk`](super::Psk), wipes both.
    ///
    /// # Errors
    /// [`DocumentError`].
    fn from_json(input: &'a [u8], scratch: &'a mut [u8]) -> Result<Self, DocumentError> {
        read_json(input, Self::DESCRIPTION.max_bytes(), scratch, |value, reading| {
            <Self as Field<'a>>::read(value, reading)
        })
    }

    /// Reads a document from CBOR.
    ///
    /// # Errors
    /// [`DocumentError`].
    fn from_cbor(input: &'a [u8]) -> Result<Self, DocumentError> {
        read_cbor(input, Self::DESCRIPTION.max_bytes(), |value, reading| {
            <Self as Field<'a>>::read(value, reading)
        })
    }
}

/// Declares documents, objects in them and choices, and checks the descriptions while compiling.
///
/// A `struct` has at most the lifetime of what it borrows. `within N bytes` bounds a document; without it,
/// [`MAX_BYTES`](crate::input::document::MAX_BYTES) does. A field is `name: Type`, with `= literal` for a default,
/// and with `name as "other-name": Type` where its name is none in Rust. An [`Option`] may be absent. An `enum` is a
/// choice of texts. Comments become descriptions; `#[derive(..)]` is passed on behind them.
///
/// ```
/// use iotsec_core::{document, input::{Ranged, document::{Document, DocumentError}}};
///
/// document! {
///     #[derive(Debug, PartialEq)]
///     struct Dusk {
///         level as "dusk-level": Ranged<0, 100> = 30,
///     }
/// }
/// let dusk = Dusk::from_cbor(&[0xA0])?;
/// assert_eq!((dusk.level().get(), &dusk), (30, &Dusk::from_json(b"{}", &mut [])?));
/// # Ok::<(), DocumentError>(())
/// ```
///
/// A default has to be in range:
///
/// ```compile_fail
/// # use iotsec_core::{document, input::{Ranged, document::Document}};
/// document! { struct Dusk { level: Ranged<0, 100> = 101 } }
/// let dusk = Dusk::from_json(b"{}", &mut []);
/// ```
///
/// and two fields have two names:
///
/// ```compile_fail
/// # use iotsec_core::{document, input::{Ranged, document::Document}};
/// document! { struct Dusk { level: bool, other as "level": bool } }
/// let dusk = Dusk::from_json(b"{}", &mut []);
/// ```
#[macro_export]
macro_rules! document {
    () => {};
    (
        $(#[doc = $about:literal])*
        $(#[derive($($derive:path),* $(,)?)])?
        $visibility:vis struct $name:ident<$life:lifetime> $(within $bytes:literal bytes)? {
            $($fields:tt)*
        }
        $($rest:tt)*
    ) => {
        $crate::document! {
            @struct [$($about)*] [$($($derive)*)?] [$visibility] $name [$life] [<$life>] [$($bytes)?] { $($fields)* }
        }
        $crate::document! { $($rest)* }
    };
    (
        $(#[doc = $about:literal])*
        $(#[derive($($derive:path),* $(,)?)])?
        $visibility:vis struct $name:ident $(within $bytes:literal bytes)? {
            $($fields:tt)*
        }
        $($rest:tt)*
    ) => {
        $crate::document! {
            @struct [$($about)*] [$($($derive)*)?] [$visibility] $name ['document] [] [$($bytes)?] { $($fields)* }
        }
        $crate::document! { $($rest)* }
    };
    (
        $(#[doc = $about:literal])*
        $visibility:vis enum $name:ident {
            $($(#[doc = $line:literal])* $variant:ident = $text:literal),* $(,)?
        }
        $($rest:tt)*
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $visibility enum $name {
            $($(#[doc = $line])* #[doc = ""] #[doc = ::core::concat!("`", $text, "`")] $variant,)*
        }

        impl<'document> $crate::input::document::Field<'document> for $name {
            const SHAPE: $crate::input::document::Shape =
                $crate::input::document::Shape::Choice(&[$($text),*]);

            fn read(
                value: $crate::input::document::Value<'document>,
                reading: &mut $crate::input::document::Reading<'document>,
            ) -> ::core::result::Result<Self, $crate::input::document::DocumentError> {
                let place = value.choice(&[$($text),*], reading)?;
                let mut choices = [$(Self::$variant),*].into_iter();
                let wrong = reading.error($crate::input::document::Problem::Choice, value.offset());
                choices.nth(place).ok_or(wrong)
            }
        }
        $crate::document! { $($rest)* }
    };
    (
        @struct [$($about:literal)*] [$($derive:path)*] [$visibility:vis]
        $name:ident [$life:lifetime] [$($generics:tt)*] [$($bytes:literal)?]
        {
            $(
                $(#[doc = $line:literal])*
                $field:ident $(as $key:literal)? : $type:ty $(= $default:literal)?
            ),* $(,)?
        }
    ) => {
        $(#[doc = $about])*
        $(#[derive($derive)])*
        $visibility struct $name $($generics)* {
            $($field: $type,)*
        }

        #[allow(dead_code)]
        impl $($generics)* $name $($generics)* {
            $(
                $(#[doc = $line])*
                #[doc = ""]
                #[doc = ::core::concat!("`", $crate::document!(@key $field $($key)?), "` of the document.")]
                $visibility const fn $field(&self) -> &$type {
                    &self.$field
                }
            )*
        }

        impl<$life> $crate::input::document::Document<$life> for $name $($generics)* {
            const FIELDS: &'static [$crate::input::document::FieldDescription] =
                &[$($crate::input::document::FieldDescription::new(
                    $crate::document!(@key $field $($key)?),
                    ::core::concat!($($line, "\n"),*),
                    <$type as $crate::input::document::Member<'_>>::SHAPE,
                    <$type as $crate::input::document::Member<'_>>::OPTIONAL,
                    $crate::document!(@default $($default)?),
                )),*];

            const DESCRIPTION: &'static $crate::input::document::Description =
                &match $crate::input::document::Description::new(
                    ::core::stringify!($name),
                    ::core::concat!($($about, "\n"),*),
                    <Self as $crate::input::document::Document<$life>>::FIELDS,
                    $crate::document!(@bytes $($bytes)?),
                ) {
                    ::core::result::Result::Ok(description) => description,
                    ::core::result::Result::Err(error) => ::core::panic!("{}", error.message()),
                };
        }

        impl<$life> $crate::input::document::Field<$life> for $name $($generics)* {
            const SHAPE: $crate::input::document::Shape = $crate::input::document::Shape::Object(
                <Self as $crate::input::document::Document<$life>>::DESCRIPTION,
            );

            fn read(
                value: $crate::input::document::Value<$life>,
                reading: &mut $crate::input::document::Reading<$life>,
            ) -> ::core::result::Result<Self, $crate::input::document::DocumentError> {
                let offset = value.offset();
                let description = <Self as $crate::input::document::Document<$life>>::DESCRIPTION;
                $(let mut $field: ::core::option::Option<$type> = ::core::option::Option::None;)*
                let mut members = value.members(description, reading)?;
                while let ::core::option::Option::Some((found, value)) = members.next(reading)? {
                    let mut places = 0_u8..;
                    $(
                        if places.next() == ::core::option::Option::Some(found) {
                            let at = value.offset();
                            $field = ::core::option::Option::Some(reading.step(found, at, |reading| {
                                <$type as $crate::input::document::Member<$life>>::read(value, reading)
                            })?);
                            continue;
                        }
                    )*
                }
                let mut places = 0_u8..;
                ::core::result::Result::Ok(Self {
                    $($field: {
                        let place = places.next().unwrap_or(u8::MAX);
                        match $field {
                            ::core::option::Option::Some(value) => value,
                            ::core::option::Option::None => {
                                $crate::input::document::absent(description, place, offset, reading)?
                            }
                        }
                    },)*
                })
            }
        }
    };
    (@key $field:ident) => { ::core::stringify!($field) };
    (@key $field:ident $key:literal) => { $key };
    (@default) => { ::core::option::Option::None };
    (@default $default:literal) => {
        match $crate::input::document::Default::from_literal(::core::stringify!($default)) {
            ::core::result::Result::Ok(default) => ::core::option::Option::Some(default),
            ::core::result::Result::Err(error) => ::core::panic!("{}", error.message()),
        }
    };
    (@bytes) => { $crate::input::document::MAX_BYTES };
    (@bytes $bytes:literal) => { $bytes };
}
