//! What one store took on one flash, and how it is shown.

use iotsec_testkit::Stats;

use super::workload::{Case, PAGE};

/// Figures, or why there are none.
pub(crate) type Outcome = Result<Figures, String>;

/// Counts, which repeat exactly.
pub(crate) struct Figures {
    /// The seed, where it is not that of all the others.
    pub(crate) other_seed: Option<u64>,
    /// Bytes of keys and values that were put.
    pub(crate) payload: u64,
    pub(crate) puts: u64,
    /// What the flash did for them.
    pub(crate) updates: Stats,
    /// Pages erased in one call, at most.
    pub(crate) most_erases: u64,
    /// Bytes read by each get beyond key and value, with everything in RAM that the store keeps there.
    pub(crate) beyond_payload: Vec<u64>,
    /// Bytes read by opening the store.
    pub(crate) open: u64,
    /// Bytes read by the first get after that.
    pub(crate) first_get: u64,
    /// Erases of the page that was erased least and of the one that was erased most.
    pub(crate) wear: (u32, u32),
    /// Bytes.
    pub(crate) ram: usize,
}

/// What a get read.
pub(crate) struct Spent {
    pub(crate) bytes_read: u64,
    pub(crate) beyond_payload: u64,
}

impl Figures {
    /// Bytes programmed for a byte of key and value.
    pub(crate) fn write_amplification(&self) -> f64 {
        ratio(self.updates.bytes_written, self.payload)
    }

    /// Bytes erased for a byte of key and value.
    pub(crate) fn erase_amplification(&self) -> f64 {
        let page = u64::try_from(PAGE).unwrap_or(u64::MAX);
        ratio(self.updates.sectors_erased * page, self.payload)
    }

    /// Program operations for a put.
    pub(crate) fn writes(&self) -> f64 {
        ratio(self.updates.writes, self.puts)
    }

    /// The most bytes that a get read beyond key and value.
    pub(crate) fn most_beyond_payload(&self) -> u64 {
        self.beyond_payload.iter().max().copied().unwrap_or(0)
    }

    fn cells(&self) -> [String; COLUMNS] {
        let gets = u64::try_from(self.beyond_payload.len()).unwrap_or(u64::MAX);
        [
            format!("{:.2}", self.write_amplification()),
            format!("{:.2}", self.erase_amplification()),
            self.updates.sectors_erased.to_string(),
            format!("{:.2}", self.writes()),
            format!("{:.0}", ratio(self.updates.bytes_read, self.puts)),
            format!("{:.0}", ratio(self.beyond_payload.iter().sum(), gets)),
            self.most_beyond_payload().to_string(),
            self.open.to_string(),
            self.first_get.to_string(),
            self.most_erases.to_string(),
            format!("{}..{}", self.wear.0, self.wear.1),
            self.ram.to_string(),
        ]
    }
}

const COLUMNS: usize = 12;
const HEADINGS: [&str; COLUMNS] = [
    "WA",
    "erase WA",
    "erases",
    "writes/put",
    "read/put",
    "get +avg",
    "get +max",
    "open",
    "1st get",
    "erases/put",
    "wear",
    "RAM",
];
const NAME_WIDTH: usize = 42;

/// The heading of a case and of its columns, in Markdown that is also a table on a terminal.
pub(crate) fn heading(case: &Case) -> String {
    let rule = HEADINGS.map(|heading| format!("{}:|", "-".repeat(width(heading) + 1)));
    format!(
        "### {}\n\n{}|{}|{}\n",
        case.name,
        line("store", &HEADINGS.map(str::to_owned)),
        "-".repeat(NAME_WIDTH + 2),
        rule.concat()
    )
}

/// The row of a store.
pub(crate) fn row(store: &str, outcome: &Outcome) -> String {
    match outcome {
        Ok(figures) => match figures.other_seed {
            Some(seed) => line(&format!("{store}, seed {seed}"), &figures.cells()),
            None => line(store, &figures.cells()),
        },
        Err(why) => format!("| {store:<NAME_WIDTH$} | {why} |\n"),
    }
}

fn line(store: &str, cells: &[String; COLUMNS]) -> String {
    let mut line = format!("| {store:<NAME_WIDTH$} |");
    for (heading, cell) in HEADINGS.iter().zip(cells) {
        line.push_str(&format!(" {cell:>0$} |", width(heading)));
    }
    line.push('\n');
    line
}

/// Room for the heading, and for most numbers.
fn width(heading: &str) -> usize {
    heading.len().max(6)
}

#[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
