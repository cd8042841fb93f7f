//! How a section of the manifest is declared.

/// Structures that refuse names which they do not know, in kebab case.
macro_rules! sections {
    ($($(#[$meta:meta])* pub struct $name:ident { $($body:tt)* })+) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name { $($body)* }
    )+};
}

/// Words of the manifest, in kebab case, with what they are called for people.
macro_rules! words {
    ($($(#[$meta:meta])* pub enum $name:ident { $($(#[$about:meta])* $variant:ident = $said:literal),+ $(,)? })+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$about])* $variant),+ }

        impl $name {
            /// In words.
            pub const fn said(self) -> &'static str {
                match self { $(Self::$variant => $said),+ }
            }
        }
    )+};
}

pub(crate) use {sections, words};
