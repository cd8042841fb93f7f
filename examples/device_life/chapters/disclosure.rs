//! Who finds a weakness learns from the device itself where to report it.

use iotsec::{
    core::{credential::Attempt, hal::Millis},
    device::Booted,
    guideline::Guideline,
    status::About,
};

use super::{Owner, SUPPORT_ENDS};
use crate::{
    story::Story,
    world::{Result, World},
};

/// In a product these are constants that `iotsec constants` makes of its manifest, as the documents are that
/// `iotsec disclose` writes.
const ABOUT: About<'_> = About {
    name: "Sensor",
    model: "sensor-rev-b",
    vendor: "iotsec.example",
    version: "10",
    support_until: Some(SUPPORT_ENDS),
    disclosure_policy: Some("https://iotsec.example/security/policy"),
};

pub fn weakness(story: &mut Story, world: &mut World, owner: &Owner) -> Result {
    story.chapter("A researcher in the home network finds a weakness, and asks the sensor whom to tell");
    world.power_on()?;
    let (mut public, mut full) = (String::new(), String::new());
    ABOUT.write_public(&mut public)?;
    story.say(&public);
    world.run(|unit| {
        let Booted::Owned(mut device) = unit else {
            return Err("not owned".into());
        };
        let password = Attempt::from_text(owner.password)?;
        let owner = device.login(&password, Millis::from_secs(8000))?;
        Ok(ABOUT.write_for_owner(&owner, &mut full)?)
    })?;
    let page: serde_json::Value = serde_json::from_str(&public)?;
    let says = |name: &str, value: &str| page[name] == value;
    if !says("report_weaknesses", "https://iotsec.example/security/policy")
        || !says("support_until", "2031-12-31")
        || !says("model", "sensor-rev-b")
        || public.contains("version")
        || !full.contains("\"version\":\"10\"")
    {
        return Err("the page does not say what it has to".into());
    }
    story.say("to its owner it says the version too, to nobody else");
    story.exercised(
        Guideline::DisclosurePolicy,
        "without a login the device says where to report, which model it is, and until when it is supported",
    );
    Ok(())
}
