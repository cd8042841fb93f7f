//! Where a product takes input from, declared once (EN 303 645, provision 5.13-1).
//!
//! A maker lists every interface through which something comes in: what of, in which form, who may send it, and what
//! happens to what is not valid. The list stands beside the documents it names and takes their bounds from them, so that
//! it cannot say other bounds than the parser has; and it writes itself as rows of the table InpVal, number 29, which
//! ETSI TS 103 701 has laboratories ask for.
//!
//! ```
//! use iotsec_core::{document, input_sources};
//! use iotsec_core::input::{Quantity, Ssid, unit::Percent};
//! use iotsec_core::input::document::Document;
//! use iotsec_core::input::source::{Accepts, Form, InputSource, Interface, OnInvalid, Sender};
//!
//! document! { pub struct Settings { level: Quantity<Percent, 0, 100> } }
//!
//! input_sources! {
//!     /// What this lamp listens to.
//!     pub static SOURCES = [
//!         InputSource::new(
//!             "wifi-ssid", Interface::User("set-up page"), Form::Text, Accepts::value::<Ssid>("Ssid"),
//!             Sender::Paired, OnInvalid::Answer,
//!         ),
//!         InputSource::new(
//!             "settings", Interface::Network("MQTT, lamps/ID/settings"), Form::JsonOrCbor,
//!             Accepts::Document(Settings::DESCRIPTION), Sender::Service, OnInvalid::Drop,
//!         ),
//!     ]
//! }
//!
//! let rows = SOURCES.rows().to_string();
//! assert!(rows.contains(r#""ID":"InpVal-wifi-ssid","Source":"user interface: set-up page","#));
//! assert!(rows.contains(r#""provision":"5.13-1B""#) && rows.contains(r#""maximum":100"#));
//! ```

use core::fmt;

use super::document::{
    Description, Field, Shape,
    description::{is_name, is_same},
    json_schema::{escape, shape, string},
};

/// Sources in one table at most; more than a product has interfaces.
pub const MAX_SOURCES: usize = 64;

/// Through what an input comes in, with the name by which other tables know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Interface {
    /// A person enters it. In the table UserIntf, number 27.
    User(&'static str),
    /// Another program calls. In the table ExtAPI, number 28.
    Api(&'static str),
    /// It arrives from a network. In the table ComMech, number 11.
    Network(&'static str),
    /// It is on the device itself, where others can put it: a card, a code for the camera, a connector.
    Physical(&'static str),
}

impl Interface {
    /// Its name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::User(name) | Self::Api(name) | Self::Network(name) | Self::Physical(name) => name,
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "user interface",
            Self::Api(_) => "API",
            Self::Network(_) => "network",
            Self::Physical(_) => "physical interface",
        }
    }

    /// The provision that asks for validation: 5.13-1A for what people enter, 5.13-1B for what comes over networks.
    pub const fn provision(&self) -> &'static str {
        match self {
            Self::User(_) | Self::Physical(_) => "5.13-1A",
            Self::Api(_) | Self::Network(_) => "5.13-1B",
        }
    }
}

/// How an input is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// A text alone.
    Text,
    /// JSON.
    Json,
    /// CBOR in deterministic encoding.
    Cbor,
    /// Either of them.
    JsonOrCbor,
    /// A signed, authenticated or encrypted message of COSE.
    Cose,
    /// Bytes of another format.
    Bytes,
}

impl Form {
    const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "JSON",
            Self::Cbor => "deterministic CBOR",
            Self::JsonOrCbor => "JSON or deterministic CBOR",
            Self::Cose => "COSE",
            Self::Bytes => "bytes",
        }
    }
}

/// What reads an input, and the bounds that it holds it to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Accepts {
    /// A document.
    Document(&'static Description),
    /// One value.
    Value {
        /// The type that it is parsed into.
        parser: &'static str,
        /// What it can hold.
        shape: Shape,
    },
    /// What has a parser of its own, such as an update.
    Other {
        /// The type that it is parsed into.
        parser: &'static str,
        /// Most bytes.
        max_bytes: u32,
    },
}

impl Accepts {
    /// One value of the type `T`, by the name that it has in the code.
    pub const fn value<T: Field<'static>>(parser: &'static str) -> Self {
        Self::Value {
            parser,
            shape: T::SHAPE,
        }
    }

    /// The type that it is parsed into.
    pub const fn parser(&self) -> &'static str {
        match self {
            Self::Document(description) => description.name(),
            Self::Value { parser, .. } | Self::Other { parser, .. } => parser,
        }
    }
}

/// Who may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sender {
    /// Anybody who reaches the interface.
    Anyone,
    /// Whoever has the device in hand.
    Holder,
    /// Whoever paired, or knows the password of the device.
    Paired,
    /// The owner, authenticated.
    Owner,
    /// The service that the device is connected to, authenticated.
    Service,
    /// The maker, by signature.
    Maker,
}

impl Sender {
    const fn name(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::Holder => "whoever holds the device",
            Self::Paired => "whoever paired",
            Self::Owner => "the owner, authenticated",
            Self::Service => "the service, authenticated",
            Self::Maker => "the maker, by signature",
        }
    }
}

/// What happens to an input that is not valid. It is never used in part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnInvalid {
    /// The sender is told an error.
    Answer,
    /// It is dropped, and the sender told nothing.
    Drop,
    /// It is dropped, and so is the connection.
    Disconnect,
    /// It is dropped and counted as a security event.
    Report,
}

impl OnInvalid {
    const fn name(self) -> &'static str {
        match self {
            Self::Answer => "refused as a whole, with an error to the sender",
            Self::Drop => "dropped as a whole, without an answer",
            Self::Disconnect => "dropped as a whole, with the connection",
            Self::Report => "dropped as a whole, and reported as a security event",
        }
    }
}

/// One place where something comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputSource {
    id: &'static str,
    interface: Interface,
    form: Form,
    accepts: Accepts,
    sender: Sender,
    on_invalid: OnInvalid,
}

impl InputSource {
    /// Declares a source. It is checked when it joins the table. Its id keeps its meaning from release to release.
    pub const fn new(
        id: &'static str,
        interface: Interface,
        form: Form,
        accepts: Accepts,
        sender: Sender,
        on_invalid: OnInvalid,
    ) -> Self {
        Self {
            id,
            interface,
            form,
            accepts,
            sender,
            on_invalid,
        }
    }

    /// Its id.
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// Through what it comes in.
    pub const fn interface(&self) -> Interface {
        self.interface
    }

    /// How it is written.
    pub const fn form(&self) -> Form {
        self.form
    }

    /// What reads it.
    pub const fn accepts(&self) -> &Accepts {
        &self.accepts
    }

    /// Who may send it.
    pub const fn sender(&self) -> Sender {
        self.sender
    }

    /// What happens when it is not valid.
    pub const fn on_invalid(&self) -> OnInvalid {
        self.on_invalid
    }
}

/// All sources of a product, checked. Make it with [`input_sources!`](crate::input_sources!).
#[derive(Clone, Copy, Debug)]
pub struct SourceTable {
    sources: &'static [InputSource],
}

impl SourceTable {
    /// Joins declarations.
    ///
    /// # Errors
    /// [`SourceError`] for the first rule that is broken.
    ///
    /// ```
    /// use iotsec_core::input::{Port, source::{
    ///     Accepts, Form, InputSource, Interface, OnInvalid, Sender, SourceError, SourceTable,
    /// }};
    ///
    /// const PORT: InputSource = InputSource::new(
    ///     "port", Interface::User("set-up page"), Form::Json, Accepts::value::<Port>("Port"),
    ///     Sender::Owner, OnInvalid::Answer,
    /// );
    /// assert_eq!(SourceTable::new(&[PORT]).unwrap().sources(), [PORT]);
    /// assert_eq!(SourceTable::new(&[PORT, PORT]).err(), Some(SourceError::Duplicate));
    /// ```
    pub const fn new(sources: &'static [InputSource]) -> Result<Self, SourceError> {
        if sources.is_empty() || sources.len() > MAX_SOURCES {
            return Err(SourceError::Count);
        }
        let mut left = sources;
        while let [source, rest @ ..] = left {
            left = rest;
            if !is_name(source.id) {
                return Err(SourceError::Id);
            }
            if source.interface.name().is_empty() || source.accepts.parser().is_empty() {
                return Err(SourceError::Name);
            }
            let fits = match (&source.accepts, source.form) {
                (Accepts::Document(_), Form::Json | Form::Cbor | Form::JsonOrCbor) => true,
                (Accepts::Document(_), _) => false,
                (Accepts::Value { .. }, Form::Cose | Form::Bytes) => false,
                (Accepts::Other { max_bytes, .. }, _) => *max_bytes > 0,
                _ => true,
            };
            if !fits {
                return Err(SourceError::Form);
            }
            let mut others = rest;
            while let [other, rest @ ..] = others {
                if is_same(source.id, other.id) {
                    return Err(SourceError::Duplicate);
                }
                others = rest;
            }
        }
        Ok(Self { sources })
    }

    /// The declarations.
    pub const fn sources(&self) -> &'static [InputSource] {
        self.sources
    }

    /// The rows of the table, as a JSON array of objects: `ID`, `Source` and `Description` are the columns of InpVal;
    /// behind them stand the parts of the description, and the bounds as JSON Schema.
    pub const fn rows(&self) -> Rows {
        Rows(*self)
    }
}

/// Why a table is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{}", self.message())]
#[non_exhaustive]
pub enum SourceError {
    /// No source, or more than [`MAX_SOURCES`].
    Count,
    /// An id that is no name of letters, digits, `-` and `_`.
    Id,
    /// An interface or parser without a name.
    Name,
    /// A form that does not fit what is accepted, or no bound.
    Form,
    /// Two sources of the same id.
    Duplicate,
}

impl SourceError {
    /// What is wrong, for a compiler to say.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Count => "a table has 1 to 64 sources",
            Self::Id => "an id has 1 to 48 letters, digits, '-' and '_'",
            Self::Name => "an interface and a parser have names",
            Self::Form => "the form does not fit what is accepted",
            Self::Duplicate => "two sources have the same id",
        }
    }
}

/// A table, written as rows of evidence.
#[derive(Clone, Copy, Debug)]
pub struct Rows(SourceTable);

impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (count, source) in self.0.sources.iter().enumerate() {
            f.write_str(if count == 0 { "\n" } else { ",\n" })?;
            row(f, source)?;
        }
        f.write_str("\n]\n")
    }
}

fn row(f: &mut fmt::Formatter<'_>, source: &InputSource) -> fmt::Result {
    let (form, parser) = (source.form.name(), source.accepts.parser());
    let (sender, on_invalid) = (source.sender.name(), source.on_invalid.name());
    f.write_str("{\"ID\":\"InpVal-")?;
    f.write_str(source.id)?;
    write!(f, "\",\"Source\":\"{}: ", source.interface.kind())?;
    escape(f, source.interface.name())?;
    write!(f, "\",\"Description\":\"{form}, parsed into ")?;
    escape(f, parser)?;
    write!(
        f,
        " before anything is done with it; sent by {sender}; what is not valid is {on_invalid}\""
    )?;
    write!(
        f,
        ",\"provision\":\"{}\",\"form\":\"{form}\",\"parser\":",
        source.interface.provision()
    )?;
    string(f, parser)?;
    write!(f, ",\"sender\":\"{sender}\",\"on_invalid\":\"{on_invalid}\"")?;
    match &source.accepts {
        Accepts::Document(description) => {
            write!(
                f,
                ",\"max_bytes\":{},\"schema\":{}",
                description.max_bytes(),
                description.json_schema()
            )?;
        }
        Accepts::Value { shape: shaped, .. } => {
            f.write_str(",\"schema\":{")?;
            shape(f, shaped)?;
            f.write_str("}")?;
        }
        Accepts::Other { max_bytes, .. } => write!(f, ",\"max_bytes\":{max_bytes}")?,
    }
    f.write_str("}")
}

/// Declares a [`SourceTable`](crate::input::source::SourceTable) as a static and checks it while compiling.
///
/// ```compile_fail
/// use iotsec_core::{input_sources, input::source::SourceTable};
/// input_sources! { static NONE = [] }
/// ```
#[macro_export]
macro_rules! input_sources {
    ($(#[$meta:meta])* $visibility:vis static $name:ident = [$($source:expr),* $(,)?]) => {
        $(#[$meta])*
        $visibility static $name: $crate::input::source::SourceTable = {
            const CHECKED: ::core::result::Result<
                $crate::input::source::SourceTable,
                $crate::input::source::SourceError,
            > = $crate::input::source::SourceTable::new(&[$($source),*]);
            match CHECKED {
                ::core::result::Result::Ok(table) => table,
                ::core::result::Result::Err(error) => ::core::panic!("{}", error.message()),
            }
        };
    };
}

#[cfg(test)]
mod tests {
    use std::{string::ToString as _, vec};

    use super::*;
    use crate::{
        document,
        input::{Label, Port, document::Document as _},
    };

    document! {
        /// What a lamp is told.
        struct Settings<'a> within 512 bytes { name: Label<'a, 32>, port: Port = 8883 }
    }

    const NAME: InputSource = InputSource::new(
        "name",
        Interface::User("the \"page\""),
        Form::Text,
        Accepts::value::<Label<'static, 32>>("Label<32>"),
        Sender::Owner,
        OnInvalid::Answer,
    );
    const SETTINGS: InputSource = InputSource::new(
        "settings",
        Interface::Network("MQTT"),
        Form::Cbor,
        Accepts::Document(Settings::DESCRIPTION),
        Sender::Service,
        OnInvalid::Report,
    );
    const UPDATE: InputSource = InputSource::new(
        "update",
        Interface::Physical("USB"),
        Form::Cose,
        Accepts::Other {
            parser: "Envelope",
            max_bytes: 4096,
        },
        Sender::Maker,
        OnInvalid::Drop,
    );

    #[test]
    fn rows_are_json_with_the_columns_of_the_table_and_the_bounds_of_the_parser() {
        input_sources! { static TABLE = [NAME, SETTINGS, UPDATE] }
        let rows: serde_json::Value = serde_json::from_str(&TABLE.rows().to_string()).unwrap();
        let rows = rows.as_array().unwrap();
        assert_eq!(rows.len(), TABLE.sources().len());
        for (row, source) in rows.iter().zip(TABLE.sources()) {
            assert_eq!(row["ID"], ["InpVal-", source.id()].concat());
            let description = row["Description"].as_str().unwrap();
            for part in ["form", "parser", "sender", "on_invalid"] {
                assert!(description.contains(row[part].as_str().unwrap()), "{part}");
            }
            assert_eq!(row["provision"], source.interface().provision());
        }
        assert_eq!(rows[0]["Source"], "user interface: the \"page\"");
        assert_eq!(rows[0]["schema"]["maxLength"], 32);
        assert_eq!(
            (&rows[0]["provision"], &rows[1]["provision"]),
            (&"5.13-1A".into(), &"5.13-1B".into())
        );
        assert_eq!(rows[1]["max_bytes"], 512);
        let schema: serde_json::Value =
            serde_json::from_str(&Settings::DESCRIPTION.json_schema().to_string()).unwrap();
        assert_eq!(rows[1]["schema"], schema);
        assert_eq!(rows[2]["max_bytes"], 4096);
    }

    #[test]
    fn tables_are_checked() {
        let refused = |source: InputSource| SourceTable::new(vec![source].leak()).err();
        assert_eq!(SourceTable::new(&[]).err(), Some(SourceError::Count));
        assert_eq!(
            SourceTable::new(vec![NAME; 65].leak()).err(),
            Some(SourceError::Count)
        );
        assert_eq!(refused(InputSource { id: "a b", ..NAME }), Some(SourceError::Id));
        let nameless = Interface::Api("");
        assert_eq!(
            refused(InputSource {
                interface: nameless,
                ..NAME
            }),
            Some(SourceError::Name)
        );
        assert_eq!(
            refused(InputSource {
                form: Form::Text,
                ..SETTINGS
            }),
            Some(SourceError::Form)
        );
        assert_eq!(
            refused(InputSource {
                form: Form::Cose,
                ..NAME
            }),
            Some(SourceError::Form)
        );
        assert_eq!(
            SourceTable::new(&[NAME, SETTINGS, NAME]).err(),
            Some(SourceError::Duplicate)
        );
    }
}
