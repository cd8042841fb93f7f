//! What the camera's own page says, in the home network.

use iotsec::{
    core::credential::Authenticated,
    net::surface::{Fact, Phase},
    status::About,
};

use crate::product;

const ABOUT: About<'_> = About {
    name: product::NAME,
    model: product::MODEL,
    vendor: product::VENDOR,
    version: product::VERSION,
    support_until: Some(product::SUPPORT_UNTIL),
    disclosure_policy: Some(product::DISCLOSURE_POLICY),
};

/// The document, for whoever asks or for the owner. Before a login it is told only if the interface table lets the
/// service tell which product it is.
pub(crate) fn page(owner: Option<&Authenticated>) -> Result<String, Box<dyn std::error::Error>> {
    let mut page = String::new();
    if let Some(owner) = owner {
        ABOUT.write_for_owner(owner, &mut page)?;
    } else {
        let app = product::SURFACE.gate(Phase::Owned).grant_listen("app")?;
        app.disclosure()
            .tell(Fact::Product, &ABOUT)?
            .write_public(&mut page)?;
    }
    Ok(page)
}
