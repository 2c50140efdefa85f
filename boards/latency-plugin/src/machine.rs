//! Counting instructions and cycles between the markers.

#[cfg(test)]
mod tests;

use crate::decode::{Decoded, Kind, Registers, decode};
use crate::flash::Port;
use crate::options::Options;
use crate::timing::{Core, Overlap};

/// A place in the firmware that begins or ends a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// What follows is the layer's.
    Begin,
    /// The layer has ended before.
    End,
}

/// An instruction with all that is known before it runs.
#[derive(Clone, Copy, Debug)]
pub struct Insn {
    address: u32,
    next: u32,
    cycles: u32,
    /// Added if it branches.
    refill: u32,
    /// Added if it is branched to.
    straddling: u32,
    decoded: Decoded,
    conditional: bool,
    marker: Option<Marker>,
}

impl Insn {
    /// What its time depends on.
    pub fn decoded(&self) -> &Decoded {
        &self.decoded
    }

    /// Whether an if-then instruction before it decides whether it runs.
    pub fn is_conditional(&self) -> bool {
        self.conditional
    }
}

/// What a layer took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Instructions.
    pub insns: u64,
    /// Cycles, estimated.
    pub cycles: u64,
}

/// What the instruction before has left behind.
#[derive(Clone, Copy, Debug, Default)]
struct Before {
    /// Registers whose new values come too late for an address.
    computed: Registers,
    /// Registers it has loaded; a load that others may overlap with, if any.
    loaded: Registers,
    /// Whether a load or store may go along with it.
    overlaps: bool,
    /// Whether another instruction may be paired with it.
    open: bool,
    kind: Kind,
    writes: Registers,
}

/// A core that counts.
#[derive(Debug)]
pub struct Machine {
    core: Core,
    multiply_cycles: u32,
    markers: (u32, u32),
    code: Port,
    data: Port,
    counting: bool,
    layer: Layer,
    /// Where the next instruction is unless this one branches.
    expected: Option<u32>,
    /// What it takes if it branches.
    refill: u32,
    before: Before,
    /// Cycles due if the conditional load or store at hand turns out to run.
    deferred: u32,
}

impl Machine {
    /// A core that waits for the first marker.
    pub fn new(options: &Options) -> Machine {
        let port = |cache, prefetch| Port::new(&options.flash, options.wait_states, cache, prefetch);
        Machine {
            core: options.core,
            multiply_cycles: options.multiply_cycles,
            markers: (options.begin, options.end),
            code: port(options.instruction_cache, options.prefetch),
            data: port(options.data_cache, false),
            counting: false,
            layer: Layer { insns: 0, cycles: 0 },
            expected: None,
            refill: 0,
            before: Before::default(),
            deferred: 0,
        }
    }

    /// Prepares the instruction at `address`; `conditional` if an if-then instruction governs it.
    pub fn translate(&self, address: u32, bytes: &[u8], conditional: bool) -> Insn {
        let decoded = decode(bytes);
        let straddles = bytes.len() == 4 && address & 3 == 2;
        let marker = match address {
            at if at == self.markers.0 => Some(Marker::Begin),
            at if at == self.markers.1 => Some(Marker::End),
            _ => None,
        };
        Insn {
            address,
            next: address.wrapping_add(bytes.len() as u32),
            cycles: self.core.cycles(decoded.kind, self.multiply_cycles),
            refill: self.core.refill(decoded.kind),
            straddling: if straddles { self.core.straddling_refill() } else { 0 },
            decoded,
            conditional,
            marker,
        }
    }

    /// Whether [`Machine::access`] must be told what `insn` reads.
    pub fn follows_accesses(&self, insn: &Insn) -> bool {
        insn.decoded.kind.accesses_memory() && (insn.conditional || self.data.waits())
    }

    /// `insn` runs. Returns the layer if it has just ended.
    pub fn step(&mut self, insn: &Insn) -> Option<Layer> {
        if let Some(marker) = insn.marker {
            return self.mark(marker);
        }
        if !self.counting {
            return None;
        }
        let mut cycles = self.issue(insn);
        if self.expected.is_some_and(|expected| expected != insn.address) {
            cycles += self.refill + insn.straddling;
        }
        self.expected = Some(insn.next);
        self.refill = insn.refill;
        if self.code.waits() {
            let now = self.layer.cycles;
            let first = self.code.read(insn.address, now);
            cycles += first + self.code.read(insn.next.wrapping_sub(1), now + u64::from(first));
        }
        self.layer.insns += 1;
        self.layer.cycles += u64::from(cycles);
        None
    }

    /// The instruction at hand accesses memory at `address`.
    pub fn access(&mut self, address: u32, is_store: bool) {
        if !self.counting {
            return;
        }
        self.layer.cycles += u64::from(std::mem::take(&mut self.deferred));
        if !is_store {
            self.layer.cycles += u64::from(self.data.read(address, self.layer.cycles));
        }
    }

    fn mark(&mut self, marker: Marker) -> Option<Layer> {
        let was_counting = std::mem::replace(&mut self.counting, marker == Marker::Begin);
        if marker == Marker::End {
            return was_counting.then_some(self.layer);
        }
        // Time goes on in the ports: a line on its way at the layer's begin is there.
        self.layer = Layer { insns: 0, cycles: 0 };
        self.expected = None;
        self.before = Before::default();
        self.deferred = 0;
        None
    }

    /// Cycles of `insn` after what went before, its branch and its fetch left out.
    fn issue(&mut self, insn: &Insn) -> u32 {
        self.deferred = 0;
        let Decoded { kind, address, writes, loaded, .. } = insn.decoded;
        if insn.conditional && kind.accesses_memory() {
            // If it does not run, it takes a cycle all the same.
            self.deferred = insn.cycles.saturating_sub(1);
            self.before = Before::default();
            return 1;
        }
        match self.core.overlap() {
            Overlap::None => insn.cycles,
            Overlap::Memory => {
                let before = self.before;
                let accesses = kind.accesses_memory();
                self.before = Before {
                    computed: if accesses { 0 } else { writes },
                    loaded,
                    overlaps: matches!(kind, Kind::Load { to_pc: false }),
                    ..before
                };
                if !accesses {
                    return insn.cycles;
                }
                let late = u32::from(before.computed & address != 0);
                let single = matches!(kind, Kind::Load { to_pc: false } | Kind::Store { .. });
                let overlaps = single && before.overlaps && before.loaded & address == 0;
                // A store with an immediate offset has but one cycle to begin with.
                late + insn.cycles - u32::from(overlaps && insn.cycles > 1)
            }
            Overlap::Pairs => self.pair(insn),
        }
    }

    /// Cycles where two instructions may go together.
    fn pair(&mut self, insn: &Insn) -> u32 {
        let Decoded { kind, reads, writes, loaded, .. } = insn.decoded;
        let before = self.before;
        let alone = matches!(
            kind,
            Kind::Several { .. } | Kind::TableBranch | Kind::System | Kind::Divide | Kind::FloatDivide
        );
        let is_product = |kind| {
            matches!(kind, Kind::Multiply | Kind::MultiplyAdd | Kind::LongMultiply | Kind::LongMultiplyAdd)
        };
        let is_store = |kind| matches!(kind, Kind::Store { .. });
        let clash = is_product(kind) && is_product(before.kind)
            || is_store(kind) && before.kind.accesses_memory()
            || is_store(before.kind) && kind.accesses_memory();
        let independent = (reads | writes) & before.writes == 0;
        if before.open && !alone && !clash && independent {
            let loaded = before.loaded | loaded;
            self.before = Before { open: false, writes: before.writes | writes, loaded, kind, ..before };
            return 0;
        }
        self.before = Before {
            open: !alone && !matches!(kind, Kind::Branch { .. } | Kind::Call | Kind::Load { to_pc: true }),
            kind,
            writes,
            loaded,
            ..Before::default()
        };
        // What was loaded in the cycle before comes a cycle late.
        insn.cycles + u32::from(before.loaded & reads != 0)
    }
}
