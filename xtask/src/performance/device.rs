//! A file system on a block device of its own, whose counters tell what reaches the device.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    bench,
    tool::{self, Failure},
};

const CAPACITY: u64 = 128 << 20;

/// The table of the stores that Linux has. Needs root, for a loop device and for mounting.
pub(super) fn table(root: &Path) -> Result<String, Failure> {
    let folder = root.join("target/device");
    fs::create_dir_all(&folder)?;
    let image = folder.join("image");
    File::create(&image)?.set_len(CAPACITY)?;
    // Nothing is left for the kernel to initialise while stores are measured.
    let mut format = Command::new("mkfs.ext4");
    format.args([
        "-q",
        "-F",
        "-b",
        "4096",
        "-E",
        "lazy_itable_init=0,lazy_journal_init=0",
    ]);
    tool::run(format.arg(&image))?;
    let device = Device::attach(&image)?;
    let mounted = Mount::new(&device, folder.join("mounted"))?;
    let stat = Path::new("/sys/class/block").join(device.name()?).join("stat");
    bench::device(root, &mounted.0, &stat)
}

/// A loop device, detached when this goes.
struct Device(String);

impl Device {
    fn attach(image: &Path) -> Result<Self, Failure> {
        let mut attach = Command::new("losetup");
        let path = tool::text(attach.args(["--find", "--show"]).arg(image))?;
        Ok(Self(path.trim().to_owned()))
    }

    fn name(&self) -> Result<&str, Failure> {
        let name = self.0.strip_prefix("/dev/");
        Ok(name.ok_or_else(|| format!("{} is no device", self.0))?)
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        let _ = Command::new("losetup").args(["--detach", &self.0]).status();
    }
}

/// A mounted file system, unmounted when this goes.
struct Mount(PathBuf);

impl Mount {
    fn new(device: &Device, folder: PathBuf) -> Result<Self, Failure> {
        fs::create_dir_all(&folder)?;
        tool::run(Command::new("mount").arg(&device.0).arg(&folder))?;
        Ok(Self(folder))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}
