//! Telling it, and keeping the evidence.

use std::collections::BTreeMap;

use iotsec::guideline::Guideline;

use crate::world::Result;

/// Prints what happens, and remembers which guideline it exercised and how.
#[derive(Default)]
pub struct Story {
    chapter: u32,
    evidence: BTreeMap<Guideline, String>,
}

impl Story {
    pub fn chapter(&mut self, title: &str) {
        self.chapter += 1;
        println!("\n{}. {title}", self.chapter);
    }

    pub fn say(&self, line: impl AsRef<str>) {
        println!("   {}", line.as_ref());
    }

    /// What was refused, and why, with the error's number.
    pub fn refused(&self, what: &str, error: &(impl std::fmt::Display + iotsec::core::error::ErrorCode)) {
        println!("   refused   {what:<22} {error} (error {})", error.code());
    }

    /// A fact that was just checked.
    pub fn exercised(&mut self, guideline: Guideline, evidence: impl Into<String>) {
        self.evidence.insert(guideline, evidence.into());
    }

    /// The thirteen rows. A row without evidence says so, and is an error.
    pub fn table(&self) -> Result {
        println!("\nThe 13 guidelines of the Code of Practice, in this life");
        for guideline in Guideline::ALL {
            let evidence = self.evidence.get(&guideline);
            let (mark, line) = match evidence {
                Some(line) => ("exercised", line.as_str()),
                None => ("not yet", ""),
            };
            println!(
                "  {:>2}  {:<34} {mark:<10} {line}",
                guideline.number(),
                guideline.title()
            );
        }
        let (done, all) = (self.evidence.len(), Guideline::ALL.len());
        println!("\n{done} of {all} exercised");
        if done < all {
            return Err("a guideline was not exercised".into());
        }
        Ok(())
    }
}
