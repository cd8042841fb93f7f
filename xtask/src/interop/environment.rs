//! U-Boot's environment, read and written by libubootenv's tools and by us in turn.

use std::{fs, path::PathBuf, process::Command};

use iotsec::{
    core::hal::{BootControl, Slot, Trial},
    update::linux::{BootOrder, Environment, Place as Copy},
};

use super::Place;
use crate::tool::{self, Failure};

const SIZE: usize = 0x1000;

pub(super) fn check(place: &Place) -> Result<(), Failure> {
    let medium = place.work.join("environment");
    fs::write(&medium, vec![0; 4 * SIZE])?;
    let copies = [SIZE, 3 * SIZE].map(|offset| Copy {
        path: medium.clone(),
        offset: offset as u64,
    });
    let config = place.work.join("fw_env.config");
    let line = |offset: usize| format!("{} {offset:#x} {SIZE:#x}\n", medium.display());
    fs::write(&config, line(SIZE) + &line(3 * SIZE))?;

    Environment::create(copies.clone(), SIZE)?.write()?;
    let mut answers = 0;
    for round in 0..8_u8 {
        let mut boot =
            BootOrder::new(Environment::open(copies.clone(), SIZE)?, Slot::A).with_trial_boots(round + 1);
        boot.select(Slot::B, Trial::Once)?;
        let left = format!("{:x}", round + 1);
        for (name, value) in [
            ("BOOT_ORDER", "B A"),
            ("BOOT_B_LEFT", &left),
            ("BOOT_A_LEFT", "3"),
        ] {
            same(name, value, Some(print(&config, name)?.as_str()))?;
            answers += 1;
        }
        // As the boot script does.
        let value = format!("A B {round}");
        let mut set = Command::new("fw_setenv");
        tool::run(set.arg("-c").arg(&config).args(["BOOT_ORDER", &value]))?;
        let environment = Environment::open(copies.clone(), SIZE)?;
        same("BOOT_ORDER", &value, environment.get("BOOT_ORDER"))?;
        same("BOOT_B_LEFT", &left, environment.get("BOOT_B_LEFT"))?;
        answers += 2;
    }
    println!("U-Boot environment: {answers} variables agree");
    Ok(())
}

fn print(config: &PathBuf, name: &str) -> Result<String, Failure> {
    let mut command = Command::new("fw_printenv");
    let text = tool::text(command.arg("-c").arg(config).args(["-n", name]))?;
    Ok(text.trim_end().to_owned())
}

fn same(name: &str, wanted: &str, found: Option<&str>) -> Result<(), Failure> {
    if found == Some(wanted) {
        Ok(())
    } else {
        Err(format!("U-Boot environment: {name} is {found:?}, not {wanted:?}").into())
    }
}
