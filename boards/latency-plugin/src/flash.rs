//! Flash with wait states, behind a small cache of whole lines.

/// Addresses from `start` up to, not including, `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first address.
    pub start: u32,
    /// The first address behind it.
    pub end: u32,
}

/// The size of a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// How many lines it keeps.
    pub lines: usize,
    /// How long a line is: what the flash delivers at once. A power of two.
    pub bytes: u32,
}

/// One port to the flash, for instructions or data.
#[derive(Clone, Debug)]
pub struct Port {
    ranges: Vec<Range>,
    wait_states: u32,
    line_bits: u32,
    /// Line numbers and when they were last used.
    kept: Vec<(u32, u64)>,
    capacity: usize,
    uses: u64,
    last: u32,
    prefetch: bool,
    /// The line being read ahead, and the cycle at which it will be there.
    ahead: Option<(u32, u64)>,
}

/// No line has this number, lines having at least two bytes.
const NO_LINE: u32 = u32::MAX;

impl Port {
    /// A port whose cache is empty.
    pub fn new(ranges: &[Range], wait_states: u32, cache: Geometry, prefetch: bool) -> Port {
        Port {
            ranges: ranges.to_vec(),
            wait_states,
            line_bits: cache.bytes.max(2).trailing_zeros(),
            kept: Vec::with_capacity(cache.lines),
            capacity: cache.lines.max(1),
            uses: 0,
            last: NO_LINE,
            prefetch,
            ahead: None,
        }
    }

    /// Whether it ever waits.
    pub fn waits(&self) -> bool {
        self.wait_states > 0 && !self.ranges.is_empty()
    }

    /// Cycles that reading at `address` waits, at cycle `now`.
    pub fn read(&mut self, address: u32, now: u64) -> u32 {
        let line = address >> self.line_bits;
        if line == self.last || !self.waits() {
            return 0;
        }
        if !self.ranges.iter().any(|range| (range.start..range.end).contains(&address)) {
            return 0;
        }
        self.last = line;
        self.uses += 1;
        let waited = match (self.find(line), self.ahead) {
            (Some(place), _) => {
                self.kept[place].1 = self.uses;
                0
            }
            (None, Some((ahead, ready))) if ahead == line => {
                self.keep(line);
                ready.saturating_sub(now).min(self.wait_states.into()) as u32
            }
            _ => {
                self.keep(line);
                self.wait_states
            }
        };
        let next = line.wrapping_add(1);
        if self.prefetch && self.ahead.is_none_or(|(ahead, _)| ahead != next) && self.find(next).is_none() {
            self.ahead = Some((next, now + u64::from(waited) + 1 + u64::from(self.wait_states)));
        }
        waited
    }

    fn find(&self, line: u32) -> Option<usize> {
        self.kept.iter().position(|&(kept, _)| kept == line)
    }

    /// Keeps `line`, in place of the one unused for longest if the cache is full.
    fn keep(&mut self, line: u32) {
        let entry = (line, self.uses);
        if self.kept.len() < self.capacity {
            self.kept.push(entry);
        } else if let Some(oldest) = self.kept.iter_mut().min_by_key(|(_, used)| *used) {
            *oldest = entry;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLASH: Range = Range { start: 0x1000, end: 0x2000 };

    fn port(lines: usize, prefetch: bool) -> Port {
        Port::new(&[FLASH], 5, Geometry { lines, bytes: 16 }, prefetch)
    }

    #[test]
    fn a_line_waits_once_while_it_is_kept() {
        let mut port = port(2, false);
        assert_eq!([0x1000, 0x1004, 0x100f].map(|at| port.read(at, 0)), [5, 0, 0]);
        assert_eq!([0x1010, 0x1000, 0x1010].map(|at| port.read(at, 0)), [5, 0, 0]);
        // A third line takes the place of the first, which was used before the second.
        assert_eq!([0x1020, 0x1010, 0x1000].map(|at| port.read(at, 0)), [5, 0, 5]);
    }

    #[test]
    fn ram_and_no_wait_states_cost_nothing() {
        let mut port = port(1, false);
        assert_eq!([0xfff, 0x2000, 0x2000_0000].map(|at| port.read(at, 0)), [0; 3]);
        let mut quick = Port::new(&[FLASH], 0, Geometry { lines: 1, bytes: 16 }, true);
        assert!(!quick.waits());
        assert_eq!(quick.read(0x1000, 0), 0);
    }

    #[test]
    fn reading_ahead_hides_the_wait_as_far_as_time_allows() {
        let mut port = port(4, true);
        assert_eq!(port.read(0x1000, 100), 5);
        // There at cycle 111.
        assert_eq!(port.read(0x1010, 108), 3);
        assert_eq!(port.read(0x1020, 200), 0);
        // A jump is not foreseen.
        assert_eq!(port.read(0x1100, 300), 5);
    }
}
