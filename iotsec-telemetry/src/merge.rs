use crate::segment::Entry;

/// The first entries of the four classes, up to a quota each, in the order in which they were recorded.
#[derive(Clone)]
pub(crate) struct Merge<I> {
    streams: [Stream<I>; 4],
}

#[derive(Clone)]
struct Stream<I> {
    first: Option<Entry>,
    rest: I,
    left: usize,
}

impl<I: Iterator<Item = Entry>> Merge<I> {
    pub(crate) fn new(streams: [I; 4], quota: [usize; 4]) -> Self {
        let mut streams = streams.map(|mut rest| Stream {
            first: rest.next(),
            rest,
            left: 0,
        });
        for (stream, quota) in streams.iter_mut().zip(quota) {
            stream.left = quota;
        }
        Self { streams }
    }
}

impl<I: Iterator<Item = Entry>> Iterator for Merge<I> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let candidates = self.streams.iter_mut().filter(|stream| stream.left > 0);
        let candidates = candidates.filter_map(|stream| Some((stream.first?, stream)));
        let (entry, stream) = candidates.min_by_key(|(entry, _)| (entry.boot, entry.sequence))?;
        stream.first = stream.rest.next();
        stream.left = stream.left.saturating_sub(1);
        Some(entry)
    }
}

/// How many of each class are among the `chosen` most urgent, of so many that there are.
pub(crate) fn quota(available: [usize; 4], chosen: usize) -> [usize; 4] {
    let mut left = chosen;
    available.map(|available| {
        let taken = available.min(left);
        left = left.saturating_sub(taken);
        taken
    })
}
