//! What runs on a unit, and how it is kept up to date.

use crate::{
    section::{sections, words},
    text::{Digest, Id, Link, Prose, Purl, Text, Uuid},
};

sections! {
    /// `[software]`: what identifies it.
    pub struct Software {
        /// The release, as people are told.
        pub version: Text,
        /// The vendor identifier of SUIT; otherwise made of `maker.domain`.
        pub vendor_id: Option<Uuid>,
        /// The class identifier of SUIT; otherwise made of the vendor identifier and `product.model`.
        pub class_id: Option<Uuid>,
    }

    /// `[[board]]`: hardware that the product is built with.
    pub struct Board {
        /// The name of the entry.
        pub id: Id,
        /// Which it is.
        pub description: Prose,
        /// The processor.
        pub processor: Text,
        /// KiB of flash memory.
        pub flash_kib: Option<u32>,
        /// KiB of working memory.
        pub ram_kib: Option<u32>,
        /// Why a mechanism cannot be on this board, where the use of the product limits its resources.
        #[serde(default)]
        pub limit: Vec<Limit>,
    }

    /// `[[board.limit]]`: a limit of resources that follows from the use (EN 303 645, conditions 14 and 15).
    pub struct Limit {
        /// What it rules out.
        pub excludes: Excluded,
        /// Why.
        pub why: Prose,
    }

    /// `[[component]]`: a part of the software (TS 103 701, IXIT 6).
    pub struct Component {
        /// The name of the entry.
        pub id: Id,
        /// What it does.
        pub description: Prose,
        /// The mechanisms that update it, by their ids.
        #[serde(default)]
        pub updates: Vec<Id>,
        /// Why nothing may change it.
        pub immutable: Option<Immutable>,
        /// Which cryptography it contains; none when empty.
        #[serde(default)]
        pub cryptography: Vec<Text>,
        /// What changing that cryptography brings with it.
        pub cryptography_changes: Option<Prose>,
        /// Where it comes from, if cargo does not know it.
        pub origin: Option<Origin>,
    }

    /// `component.origin`: a part that is no crate, such as a library in C or a vendor's radio firmware, for the bill of
    /// materials.
    pub struct Origin {
        /// Who made it.
        pub supplier: Text,
        /// Where its makers are reached or described.
        pub page: Option<Link>,
        /// Its version.
        pub version: Text,
        /// Its licence, as an SPDX expression.
        pub licence: Option<Text>,
        /// Its package URL.
        pub purl: Option<Purl>,
        /// SHA-256 of the file that it came in.
        pub sha256: Option<Digest>,
        /// Ids of other components that it contains or calls.
        #[serde(default)]
        pub needs: Vec<Id>,
    }

    /// `component.immutable`: software that is never updated.
    pub struct Immutable {
        /// What for.
        pub reason: ImmutableReason,
        /// In words.
        pub why: Prose,
    }

    /// `[[update]]`: a mechanism that updates components (IXIT 7).
    pub struct Update {
        /// The name of the entry.
        pub id: Id,
        /// How it works.
        pub description: Prose,
        /// Where updates come from.
        pub delivery: Delivery,
        /// What it guarantees.
        pub guarantees: Vec<Guarantee>,
        /// What checks that.
        pub verified_by: Verifier,
        /// What trust in an update rests on.
        pub trust: Trust,
        /// The algorithms.
        #[serde(default)]
        pub cryptography: Vec<Text>,
        /// Older software is refused.
        #[serde(default)]
        pub refuses_rollback: bool,
        /// How people start it.
        pub initiation: Initiation,
        /// What the owner can set.
        #[serde(default)]
        pub owner: OwnerChoice,
        /// When the device looks for updates.
        pub check: Option<Checking>,
        /// What people are told.
        pub notice: Option<UpdateNotice>,
        /// Percent of battery charge below which nothing is installed.
        #[schemars(range(max = 100))]
        pub least_battery: Option<u8>,
        /// Hours between the notice and the automatic installation.
        #[schemars(range(max = 720))]
        pub grace_hours: Option<u16>,
    }

    /// `update.owner`: what the owner can set.
    #[derive(Default)]
    pub struct OwnerChoice {
        /// Updates can install themselves.
        #[serde(default)]
        pub automatic: bool,
        /// They do from the first day on.
        #[serde(default)]
        pub automatic_by_default: bool,
        /// The owner can put one off or switch the automatic off and on.
        #[serde(default)]
        pub can_postpone: bool,
        /// Days for which one can be put off at most.
        #[schemars(range(min = 1, max = 365))]
        pub postpone_days: Option<u16>,
    }

    /// `update.check`: when the device looks for updates (EN 303 645 5.3-5).
    pub struct Checking {
        /// After each start.
        #[serde(default)]
        pub at_start: bool,
        /// Hours between two looks.
        #[schemars(range(min = 1, max = 8760))]
        pub every_hours: u16,
    }

    /// `update.notice`: what people are told (EN 303 645 5.3-11, 5.3-12).
    pub struct UpdateNotice {
        /// How it reaches them.
        pub how: Prose,
        /// It names the risk that the update removes.
        #[serde(default)]
        pub risk: bool,
        /// It warns when functions are away meanwhile.
        #[serde(default)]
        pub disruption: bool,
        /// The owner can switch it off and on.
        #[serde(default)]
        pub can_disable: bool,
    }

    /// `[[secure-boot]]`: what verifies software when it starts, or notices that it was changed (IXIT 20).
    pub struct SecureBoot {
        /// The name of the entry.
        pub id: Id,
        /// How it works.
        pub description: Prose,
        /// What it guarantees.
        pub guarantees: Vec<Guarantee>,
        /// How a change is noticed.
        pub detection: Prose,
        /// How people are told of it.
        pub notice: Prose,
        /// The endpoints that stay reachable then, by their ids.
        #[serde(default)]
        pub reaches: Vec<Id>,
    }

    /// `[[update-procedure]]`: how the maker brings out a security update (IXIT 8).
    pub struct UpdateProcedure {
        /// The name of the entry.
        pub id: Id,
        /// Who does what.
        pub description: Prose,
        /// Days from the report to the update.
        #[schemars(range(min = 1, max = 365))]
        pub days: u16,
    }

    /// `[replacement]`: what is done for software that cannot be updated (IXIT 9).
    pub struct Replacement {
        /// How the product is isolated.
        pub isolation: Option<Prose>,
        /// How its hardware is replaced.
        pub hardware: Option<Prose>,
        /// Why the software cannot be updated, and where that is published.
        pub why: Option<Prose>,
    }
}

words! {
    /// What a limit of resources rules out.
    pub enum Excluded {
        /// What makes guessing through a network impracticable (condition 14).
        BruteForceProtection = "protection against guessing through a network",
        /// A mechanism for updates (condition 15).
        Update = "an update mechanism",
    }

    /// Why software is never updated.
    pub enum ImmutableReason {
        /// The first link of a chain of trust, in memory that cannot be written.
        Security = "for security",
        /// Anything else.
        Other = "for another reason",
    }

    /// Where updates come from.
    pub enum Delivery {
        /// Through a network interface.
        Network = "through a network",
        /// Through a port, by somebody who stands before the device.
        Local = "at the device",
    }

    /// What a mechanism guarantees.
    pub enum Guarantee {
        /// Nothing was changed.
        Integrity = "integrity",
        /// It comes from whom it says.
        Authenticity = "authenticity",
        /// Nobody else reads it.
        Confidentiality = "confidentiality",
        /// It is not an old one.
        ReplayProtection = "protection against replay",
        /// It is there when it is needed.
        Availability = "availability",
    }

    /// What checks an update.
    pub enum Verifier {
        /// The device, before it installs.
        Device = "the device itself, before it installs",
        /// Another device of the maker.
        Hub = "another device",
        /// A service.
        Service = "a service",
    }

    /// What trust in an update rests on.
    pub enum Trust {
        /// A signature of the maker.
        Signature = "a signature under keys that the device holds",
        /// An authenticated channel.
        Channel = "an authenticated channel",
        /// The owner confirms it.
        User = "confirmation by the user",
    }

    /// How an update is started.
    pub enum Initiation {
        /// By itself.
        Automatic = "by itself",
        /// From the app or a web page.
        App = "from the app",
        /// On the device.
        Device = "on the device",
        /// With tools that most people do not have.
        Service = "by a technician",
    }
}

impl Initiation {
    /// A user with limited technical knowledge manages (EN 303 645 5.3-3).
    pub const fn is_simple(self) -> bool {
        !matches!(self, Self::Service)
    }
}
