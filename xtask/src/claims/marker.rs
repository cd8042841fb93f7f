//! What stands in a `claim!`.

use proc_macro2::TokenStream;
use syn::{
    Ident, LitStr, Path, Token, bracketed,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
};

/// A claim as it is written.
pub(super) struct Marker {
    pub(super) provisions: Vec<String>,
    pub(super) claims: String,
    pub(super) subject: Subject,
    pub(super) tests: Vec<String>,
}

/// What makes it so.
pub(super) enum Subject {
    /// Functions, as they are called where the claim stands.
    Code(Vec<Vec<String>>),
    /// A command of the maker's.
    Tool(String),
}

impl Marker {
    pub(super) fn read(tokens: TokenStream) -> Result<Self, String> {
        let marker: Self = syn::parse2(tokens).map_err(|error| error.to_string())?;
        if marker.claims.trim() != marker.claims || marker.claims.is_empty() || marker.claims.ends_with('.') {
            return Err("what it claims is a sentence without a full stop".into());
        }
        Ok(marker)
    }
}

impl Parse for Marker {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        key(input, "provisions")?;
        let provisions = texts(input)?;
        input.parse::<Token![,]>()?;
        key(input, "claims")?;
        let claims = input.parse::<LitStr>()?.value();
        input.parse::<Token![,]>()?;
        let subject = if input.fork().parse::<Ident>()? == "tool" {
            key(input, "tool")?;
            Subject::Tool(input.parse::<LitStr>()?.value())
        } else {
            key(input, "code")?;
            let list;
            bracketed!(list in input);
            let paths = Punctuated::<Path, Token![,]>::parse_terminated(&list)?;
            Subject::Code(paths.iter().map(segments).collect())
        };
        input.parse::<Token![,]>()?;
        key(input, "tests")?;
        let tests = texts(input)?;
        input.parse::<Option<Token![,]>>()?;
        Ok(Self {
            provisions,
            claims,
            subject,
            tests,
        })
    }
}

/// The names in a path, without what is generic.
pub(super) fn segments(path: &Path) -> Vec<String> {
    let names = path.segments.iter().map(|one| one.ident.to_string());
    names.collect()
}

fn key(input: ParseStream<'_>, name: &str) -> syn::Result<()> {
    let found: Ident = input.parse()?;
    if found != name {
        return Err(syn::Error::new(
            found.span(),
            format!("{name} is expected here, not {found}"),
        ));
    }
    input.parse::<Token![:]>().map(|_| ())
}

fn texts(input: ParseStream<'_>) -> syn::Result<Vec<String>> {
    let list;
    bracketed!(list in input);
    let texts = Punctuated::<LitStr, Token![,]>::parse_terminated(&list)?;
    Ok(texts.iter().map(LitStr::value).collect())
}
