//! `iotsec provision labels`

mod content;
mod drawing;
mod picture;
mod scalable;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::{
    folder::Folder,
    meter::Meter,
    side_by_side::{each, some},
    unit::{Sealing, Source, Unit, Units},
};
use crate::{Output, Problem};
use content::Content;
use drawing::Drawing;

#[derive(Args)]
pub(crate) struct Labels {
    #[command(flatten)]
    source: Source,
    /// The directory that the labels go to; made when it is not there.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Only files of this kind; may be repeated. All three without it.
    #[arg(long, value_enum)]
    only: Vec<Kind>,
    /// Leave the QR code out, where model or serial numbers are not what one can hold.
    #[arg(long)]
    no_qr: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// For printers that take vectors: SERIAL.qr.svg and SERIAL.label.svg.
    Svg,
    /// For printers that take pixels, 16 of them a millimetre: SERIAL.qr.png and SERIAL.label.png.
    Png,
    /// SERIAL.txt: the lines of the label, and the text in the QR code.
    Text,
}

pub(super) fn labels(command: &Labels) -> Result<Output, Problem> {
    let keys = command.source.keys()?;
    let mut units = Units::open(&command.source.dir, &keys, Sealing::Labels)?;
    let folder = Folder::open(&command.out)?;
    let make = |unit: &Unit| command.files(unit, &folder);
    let (mut labels, mut codes) = (0_u32, 0_u32);
    let mut meter: Option<Meter> = None;
    loop {
        let some = some(&mut units)?;
        if some.is_empty() {
            break;
        }
        for with_code in each(&some, make)? {
            labels += 1;
            codes += u32::from(with_code);
        }
        meter
            .get_or_insert_with(|| Meter::new(units.count(), 0))
            .show(labels);
    }
    if let Some(meter) = meter {
        meter.done();
    }
    let (written, kept) = folder.finish()?;
    let mut human = format!(
        "{labels} labels in {} (secret: print, then destroy)\n",
        command.out.display()
    );
    if kept > 0 {
        human += &format!("{kept} files were there already, the same to the byte\n");
    }
    if codes == 0 && !command.no_qr {
        human += "no QR codes: the station knows no device keys, whose fingerprint they would carry\n";
    }
    Ok(Output::new(
        human,
        json!({
            "labels": labels,
            "qr_codes": codes,
            "written": written,
            "kept": kept,
            "directory": command.out,
        }),
    ))
}

impl Labels {
    /// The files of one unit. Whether its label has a QR code.
    fn files(&self, unit: &Unit, folder: &Folder) -> Result<bool, Problem> {
        let wants = |kind| self.only.is_empty() || self.only.contains(&kind);
        let content = Content::of(unit, !self.no_qr)?;
        let drawing = Drawing::of(&content)?;
        let stem = unit.file_stem();
        if wants(Kind::Text) {
            folder.put(&format!("{stem}.txt"), content.text().as_bytes())?;
        }
        if wants(Kind::Svg) {
            folder.put(
                &format!("{stem}.label.svg"),
                scalable::label(&drawing)?.as_bytes(),
            )?;
            if let Some(code) = drawing.code() {
                folder.put(&format!("{stem}.qr.svg"), scalable::code(code).as_bytes())?;
            }
        }
        if wants(Kind::Png) {
            folder.put(&format!("{stem}.label.png"), &picture::label(&drawing)?)?;
            if let Some(code) = drawing.code() {
                folder.put(&format!("{stem}.qr.png"), &picture::code(code)?)?;
            }
        }
        Ok(drawing.code().is_some())
    }
}
