//! A fleet's events, drawn with characters.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fmt::Write as _,
    io::{self, IsTerminal as _},
};

use iotsec::telemetry::registry::{Class, RESERVED_IDS};
use iotsec_collector::{
    collector::When,
    export::{Arrival, json::class_name},
};
use serde_json::json;

use super::{Picture, Style, export::said, source::Fleet};
use crate::{Output, Problem, time::Time};

/// Columns that there must be: what stands beside a graph, and some of it.
const LEAST_WIDTH: usize = 60;
const MOST_WIDTH: usize = 400;
/// Rows of a ranking.
const RANKED: usize = 8;
/// What stands before and behind the counts over time.
const BESIDE: usize = 26;
/// Seconds that a column can stand for.
const STEPS: [u64; 19] = [
    1, 5, 15, 60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
    2_419_200, 7_776_000, 31_536_000,
];

/// The characters to draw with.
struct Pen {
    /// From little to much.
    levels: &'static [char],
    full: char,
    line: char,
    /// Escape sequences are understood.
    colour: bool,
}

const UNICODE: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII: [char; 8] = ['.', ':', '-', '=', '+', '*', '%', '#'];

pub(super) fn run(picture: &Picture) -> Result<Output, Problem> {
    let width = picture
        .width
        .or_else(|| env::var("COLUMNS").ok()?.parse().ok())
        .unwrap_or(80);
    if !(LEAST_WIDTH..=MOST_WIDTH).contains(&width) {
        let message = format!("a picture of {width} columns");
        return Err(Problem::usage(
            message,
            format!("say --width {LEAST_WIDTH} to {MOST_WIDTH}"),
        ));
    }
    let fleet = Fleet::read(&picture.source, None)?;
    let arrivals = fleet.arrivals();
    let pen = Pen::new(picture.style);
    let mut out = String::new();
    let over_time = counts_over_time(&mut out, &pen, width, &fleet, &arrivals);
    let (detectors, events): (Vec<_>, Vec<_>) =
        ranked(&arrivals).into_iter().partition(|row| row.is_detector);
    ranking(&mut out, &pen, width, "What detectors found", &detectors);
    ranking(&mut out, &pen, width, "What was reported most", &events);
    losses(&mut out, &pen, width, &fleet);
    remarks(&mut out, &fleet, &arrivals);
    let names = |rows: &[Row]| -> serde_json::Value {
        let rows = rows.iter();
        rows.map(|row| json!({ "event": row.name, "class": class_name(row.class), "count": row.count, "devices": row.devices }))
            .collect()
    };
    let object = json!({
        "devices": fleet.lost.len(),
        "events": arrivals.len(),
        "over_time": over_time,
        "detectors": names(&detectors),
        "reported": names(&events),
    });
    Ok(said(&fleet, out, object))
}

impl Pen {
    fn new(style: Style) -> Self {
        let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        // As POSIX has it: the first of these that is set.
        let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
        let is_utf8 = locale.is_some_and(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        });
        let unicode = style == Style::Unicode || (style == Style::Auto && is_utf8);
        let colour = io::stdout().is_terminal()
            && set("NO_COLOR").is_none()
            && set("TERM").is_some_and(|term| term != "dumb");
        if unicode {
            Self {
                levels: &UNICODE,
                full: '█',
                line: '─',
                colour,
            }
        } else {
            Self {
                levels: &ASCII,
                full: '#',
                line: '-',
                colour,
            }
        }
    }

    /// One character: nothing, or how much of the most.
    fn level(&self, count: u64, most: u64) -> char {
        if count == 0 || most == 0 {
            return ' ';
        }
        let top = self.levels.len() as u64 - 1;
        let at = (count * top).div_ceil(most).min(top);
        usize::try_from(at)
            .ok()
            .and_then(|at| self.levels.get(at))
            .copied()
            .unwrap_or(' ')
    }

    /// At least one character, if there is anything.
    fn bar(&self, count: u64, most: u64, width: usize) -> String {
        let cells = (count * width as u64).div_ceil(most.max(1));
        String::from(self.full).repeat(usize::try_from(cells).unwrap_or(width).min(width))
    }

    fn paint(&self, class: Class, text: &str) -> String {
        let number = match class {
            Class::Critical => 31,
            Class::Security => 33,
            Class::Health => 32,
            Class::Usage => 36,
        };
        if self.colour {
            format!("\x1b[{number}m{text}\x1b[0m")
        } else {
            text.into()
        }
    }
}

fn time_of(arrival: &Arrival<'_>) -> Option<u64> {
    match arrival.record.when {
        When::Known(time) => Some(time.0),
        When::Unbelievable(_) | When::Unknown => None,
    }
}

fn counts_over_time(
    out: &mut String,
    pen: &Pen,
    width: usize,
    fleet: &Fleet,
    arrivals: &[Arrival<'_>],
) -> serde_json::Value {
    let (devices, events) = (fleet.lost.len(), arrivals.len());
    let times: Vec<u64> = arrivals.iter().filter_map(time_of).collect();
    let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) else {
        let _ = writeln!(
            out,
            "{}, {}, none with a time\n",
            counted(devices, "device"),
            counted(events, "event")
        );
        return json!({});
    };
    let columns = (width - BESIDE) as u64;
    let fits = |step: &&u64| last / **step - first / **step < columns;
    let step = STEPS.iter().find(fits).copied().unwrap_or(u64::MAX);
    let start = first / step;
    let columns = usize::try_from(last / step - start + 1).unwrap_or(1);
    let _ = writeln!(
        out,
        "{}, {}",
        counted(devices, "device"),
        counted(events, "event")
    );
    let _ = writeln!(
        out,
        "{} to {}, a column for {}\n",
        minute(*first),
        minute(*last),
        duration(step)
    );
    let mut series = serde_json::Map::new();
    for class in Class::ALL {
        let mut counts = vec![0u64; columns];
        for arrival in arrivals
            .iter()
            .filter(|one| one.record.event.definition().class() == class)
        {
            let at = time_of(arrival).and_then(|time| usize::try_from(time / step - start).ok());
            if let Some(count) = at.and_then(|at| counts.get_mut(at)) {
                *count += 1;
            }
        }
        let (total, most) = (
            counts.iter().sum::<u64>(),
            counts.iter().copied().max().unwrap_or(0),
        );
        let graph: String = counts.iter().map(|count| pen.level(*count, most)).collect();
        let graph = pen.paint(class, &graph);
        let _ = writeln!(out, "{:<9}{total:>6}  {graph}  max {most}", class_name(class));
        series.insert(class_name(class).into(), json!(counts));
    }
    out.push('\n');
    json!({ "start": start.saturating_mul(step), "step_s": step, "counts": series })
}

/// One kind of event.
struct Row {
    name: &'static str,
    class: Class,
    is_detector: bool,
    count: u64,
    devices: usize,
}

/// The most frequent first, and by name.
fn ranked(arrivals: &[Arrival<'_>]) -> Vec<Row> {
    let mut kinds: BTreeMap<&'static str, (Row, BTreeSet<&str>)> = BTreeMap::new();
    for arrival in arrivals {
        let definition = arrival.record.event.definition();
        let new = || {
            let row = Row {
                name: definition.name(),
                class: definition.class(),
                is_detector: definition.id() >= RESERVED_IDS,
                count: 0,
                devices: 0,
            };
            (row, BTreeSet::new())
        };
        let (row, devices) = kinds.entry(definition.name()).or_insert_with(new);
        row.count += 1;
        devices.insert(arrival.device);
    }
    let mut rows: Vec<Row> = kinds
        .into_values()
        .map(|(row, devices)| Row {
            devices: devices.len(),
            ..row
        })
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.count));
    rows
}

fn ranking(out: &mut String, pen: &Pen, width: usize, title: &str, rows: &[Row]) {
    if rows.is_empty() {
        return;
    }
    heading(out, pen, width, title);
    let most = rows.first().map_or(1, |row| row.count);
    let names = width / 3;
    for row in rows.iter().take(RANKED) {
        let bar = pen.bar(row.count, most, width - names - 30);
        let space = " ".repeat(width - names - 30 - bar.chars().count());
        let bar = pen.paint(row.class, &bar);
        let name = fitted(row.name, names);
        let devices = counted(row.devices, "device");
        let _ = writeln!(
            out,
            "{:<9}{name} {bar}{space}{:>7}  {devices:>11}",
            class_name(row.class),
            row.count
        );
    }
    more(out, rows.len());
}

fn losses(out: &mut String, pen: &Pen, width: usize, fleet: &Fleet) {
    let total = |lost: &[u64; 4]| lost.iter().fold(0u64, |sum, lost| sum.saturating_add(*lost));
    let mut devices: Vec<(&String, &[u64; 4])> =
        fleet.lost.iter().filter(|(_, lost)| total(lost) > 0).collect();
    if devices.is_empty() {
        return;
    }
    devices.sort_by_key(|(_, lost)| std::cmp::Reverse(total(lost)));
    heading(out, pen, width, "Devices that lost events");
    let most = devices.first().map_or(1, |(_, lost)| total(lost));
    let names = width / 5;
    let bars = width / 4;
    for (device, lost) in devices.iter().take(RANKED) {
        let bar = pen.bar(total(lost), most, bars);
        let classes = Class::ALL.iter().zip(*lost).filter(|(_, lost)| **lost > 0);
        let classes: Vec<String> = classes
            .map(|(class, lost)| format!("{} {lost}", class_name(*class)))
            .collect();
        let text = format!(
            "{} {bar:<bars$}{:>7}  {}",
            fitted(device, names),
            total(lost),
            classes.join(", ")
        );
        let _ = writeln!(out, "{}", text.chars().take(width).collect::<String>().trim_end());
    }
    more(out, devices.len());
}

fn remarks(out: &mut String, fleet: &Fleet, arrivals: &[Arrival<'_>]) {
    let timeless = arrivals
        .iter()
        .filter(|arrival| time_of(arrival).is_none())
        .count();
    let clocks = fleet.wrong_clocks.len();
    let refused = fleet.refused.len();
    for (count, what, text) in [
        (
            timeless,
            "event",
            "of a device that did not know the time, in no column",
        ),
        (
            usize::try_from(fleet.repeated).unwrap_or(usize::MAX),
            "event",
            "that came again, counted once",
        ),
        (
            usize::try_from(fleet.forgotten).unwrap_or(usize::MAX),
            "event",
            "too old to be told from repetitions",
        ),
        (clocks, "device", "whose clock cannot be right"),
        (refused, "batch", "refused"),
    ] {
        if count > 0 {
            let _ = writeln!(out, "{} {text}", counted(count, what));
        }
    }
}

fn heading(out: &mut String, pen: &Pen, width: usize, title: &str) {
    let line = String::from(pen.line).repeat(width.saturating_sub(title.chars().count() + 1));
    let _ = writeln!(out, "{title} {line}");
}

fn more(out: &mut String, rows: usize) {
    if rows > RANKED {
        let _ = writeln!(out, "and {} more", rows - RANKED);
    }
    out.push('\n');
}

fn counted(count: usize, what: &str) -> String {
    let plural = match (count, what) {
        (1, _) => "",
        (_, "batch") => "es",
        _ => "s",
    };
    format!("{count} {what}{plural}")
}

/// Just so many columns: letters that are not of the Latin script could be of any width, and control characters could
/// do anything.
fn fitted(text: &str, width: usize) -> String {
    let plain = |c: char| if c.is_control() || c > '\u{24F}' { '?' } else { c };
    let mut text: String = text.chars().map(plain).collect();
    if text.chars().count() > width {
        text = text.chars().take(width.saturating_sub(2)).collect::<String>() + "..";
    }
    format!("{text:<width$}")
}

/// A time to the minute, without the letters between.
fn minute(time: u64) -> String {
    Time(time)
        .to_string()
        .chars()
        .take(16)
        .collect::<String>()
        .replace('T', " ")
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => counted(usize::try_from(seconds / 86_400).unwrap_or(usize::MAX), "day"),
    }
}
