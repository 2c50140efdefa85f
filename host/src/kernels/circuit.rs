//! Circuits of two-input gates on 512 operand pairs at a time, one bit of a word each.

use std::ops::{Deref, DerefMut};

/// One bit of a signal for each of [`LANES`] operand pairs.
///
/// Aligned as a whole register: a value across two cache lines takes twice the time to load.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(align(64))]
pub struct Lanes(pub [u64; WORDS]);

impl Lanes {
    /// All bits set.
    pub const ONES: Lanes = Lanes([u64::MAX; WORDS]);

    /// The words that `word` gives, by their places.
    #[inline(always)]
    pub fn from_fn(word: impl FnMut(usize) -> u64) -> Lanes {
        Lanes(std::array::from_fn(word))
    }
}

impl Deref for Lanes {
    type Target = [u64; WORDS];

    #[inline(always)]
    fn deref(&self) -> &[u64; WORDS] {
        &self.0
    }
}

impl DerefMut for Lanes {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [u64; WORDS] {
        &mut self.0
    }
}

/// Operand pairs simulated at a time.
pub const LANES: usize = 64 * WORDS;

/// Words of as many pairs: the width of one AVX-512 register.
const WORDS: usize = 8;

/// Bits of a product.
pub const PRODUCT_BITS: usize = 16;

/// How many pairs share their second operand's place in a block: see [`add_moments_of_errors`](super::add_moments_of_errors).
pub const BLOCK_WEIGHTS: usize = 32;
/// First operands of a block.
pub const BLOCK_ACTIVATIONS: usize = LANES / BLOCK_WEIGHTS;

/// A gate: which values it reads, which one it writes.
///
/// Its function of `x` and `y` is one of the eight symmetric ones, given by what it adds up modulo 2: the
/// constant 1, `x + y` and `x y`. A table by kind and no branch: the kinds of a circuit's gates follow no
/// pattern that a branch predictor could learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// Positions of `x` and `y`.
    pub inputs: [u16; 2],
    /// Position of the result.
    pub output: u16,
    /// Bit 0: the constant is added; bit 1: `x + y`; bit 2: `x y`.
    pub terms: u16,
    /// Which counter is told how many bits of the result are set; none if there are fewer counters.
    pub counter: u16,
}

impl Instruction {
    /// The counter of what nobody counts.
    pub const UNCOUNTED: u16 = u16::MAX;

    /// All ones or zeros for each of its terms.
    #[inline(always)]
    pub(super) fn masks(&self) -> [u64; 3] {
        TERMS[usize::from(self.terms & 7)]
    }
}

/// All ones or zeros for each of an instruction's terms, by the terms.
static TERMS: [[u64; 3]; 8] = {
    let mut masks = [[0; 3]; 8];
    let mut terms = 0;
    while terms < 8 {
        let mut term = 0;
        while term < 3 {
            if terms >> term & 1 == 1 {
                masks[terms][term] = u64::MAX;
            }
            term += 1;
        }
        terms += 1;
    }
    masks
};

/// How many bits are set, in parts: added up only once, at the end. None of them holds more than 65,535.
pub type Counter = [u16; WORDS];

/// How many bits `counter` has counted.
pub fn ones_counted(counter: &Counter) -> u32 {
    counter.iter().copied().map(u32::from).sum()
}

/// Executes `program` from first to last on `G` blocks side by side, and adds to each instruction's counter how
/// many bits it set.
#[inline(always)]
pub fn simulate<const G: usize>(
    program: &[Instruction],
    values: &mut [[Lanes; G]],
    counters: &mut [Counter],
) {
    for instruction in program {
        let [x, y] = instruction.inputs.map(usize::from);
        let output = usize::from(instruction.output);
        let [constant, sum, product] = instruction.masks();
        // By index: the three values lie in one slice, and building the result whole would copy it.
        #[allow(clippy::needless_range_loop)]
        for block in 0..G {
            let (x, y) = (&values[x][block], &values[y][block]);
            values[output][block] =
                Lanes::from_fn(|i| constant ^ sum & (x[i] ^ y[i]) ^ product & x[i] & y[i]);
        }
        if let Some(counter) = counters.get_mut(usize::from(instruction.counter)) {
            for value in &values[output] {
                *counter = std::array::from_fn(|i| counter[i].wrapping_add(value[i].count_ones() as u16));
            }
        }
    }
}

/// What no product may violate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Whether products are two's complement.
    pub signed: bool,
    /// Largest error, either way.
    pub worst: Option<u16>,
    /// Whether products with zero must be zero.
    pub zero_preserving: bool,
    /// Whether [`ErrorSums::signed`] is wanted.
    pub signed_sum: bool,
}

/// Sums over all pairs seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ErrorSums {
    /// Of the errors' magnitudes.
    pub absolute: u64,
    /// Of the errors.
    pub signed: i64,
}

/// Right products of a block of pairs, and which of them are products with zero.
#[derive(Debug, Clone)]
pub struct ExactLanes {
    /// The products' bits, the lowest first.
    pub bits: [Lanes; PRODUCT_BITS],
    /// Pairs of which an operand is zero.
    pub zero: Lanes,
}

/// Adds up the errors of a block's products, given by their bits; whether all are within the limits.
#[inline(always)]
pub fn add_errors(
    product: &[&Lanes; PRODUCT_BITS],
    exact: &ExactLanes,
    limits: &Limits,
    sums: &mut ErrorSums,
) -> bool {
    if limits.zero_preserving {
        let mut nonzero = [0; WORDS];
        for bits in product {
            nonzero = std::array::from_fn(|i| nonzero[i] | bits[i]);
        }
        let wrong = (0..WORDS).fold(0, |wrong, i| wrong | nonzero[i] & exact.zero[i]);
        if wrong != 0 {
            return false;
        }
    }
    // product - exact, bit by bit; the last borrow, or what extending the signs makes of it, is the sign.
    let mut difference = [[0; WORDS]; PRODUCT_BITS];
    let mut borrow = [0; WORDS];
    for ((difference, bits), exact) in difference.iter_mut().zip(product).zip(&exact.bits) {
        for i in 0..WORDS {
            let differs = bits[i] ^ exact[i];
            difference[i] = differs ^ borrow[i];
            borrow[i] = exact[i] & differs | borrow[i] & !differs;
        }
    }
    let mut negative = borrow;
    if limits.signed {
        let (top, exact) = (product[PRODUCT_BITS - 1], &exact.bits[PRODUCT_BITS - 1]);
        negative = std::array::from_fn(|i| top[i] ^ exact[i] ^ borrow[i]);
    }
    // The magnitude is `difference ^ negative`, plus one where it is negative.
    let ones = |lanes: &[u64; WORDS]| lanes.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
    let negatives = ones(&negative);
    let mut above = [[0; WORDS]; 2];
    let mut absolute = negatives;
    let mut raw = 0;
    for (bit, difference) in difference.iter().enumerate() {
        let magnitude: [u64; WORDS] = std::array::from_fn(|i| difference[i] ^ negative[i]);
        absolute += ones(&magnitude) << bit;
        if limits.signed_sum {
            raw += ones(difference) << bit;
        }
        if let Some(worst) = limits.worst {
            // Negative magnitudes are one too small: their limit is one less.
            for (above, limit) in above.iter_mut().zip([worst, worst.saturating_sub(1)]) {
                let bound = if limit >> bit & 1 == 1 { u64::MAX } else { 0 };
                *above = std::array::from_fn(|i| magnitude[i] & !bound | above[i] & !(magnitude[i] ^ bound));
            }
        }
    }
    sums.absolute += absolute;
    sums.signed += raw as i64 - ((negatives as i64) << PRODUCT_BITS);
    let Some(worst) = limits.worst else { return true };
    let mut wrong = 0;
    for i in 0..WORDS {
        // With a limit of none, a negative error of one has a magnitude of zero here.
        let negative_above = if worst == 0 { negative[i] } else { negative[i] & above[1][i] };
        wrong |= negative_above | above[0][i] & !negative[i];
    }
    wrong == 0
}

/// Moments of the errors of one weight each, over activations that count `counts` times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moments {
    /// Sum of the errors.
    pub sum: [i64; BLOCK_WEIGHTS],
    /// Sum of their squares.
    pub squares: [i64; BLOCK_WEIGHTS],
    /// Sum of their magnitudes.
    pub absolute: [i64; BLOCK_WEIGHTS],
}

impl Moments {
    /// Of no errors.
    pub const ZERO: Moments =
        Moments { sum: [0; BLOCK_WEIGHTS], squares: [0; BLOCK_WEIGHTS], absolute: [0; BLOCK_WEIGHTS] };
}

/// Right products of a block: `[activation][weight]`.
pub type ExactBlock = [[i32; BLOCK_WEIGHTS]; BLOCK_ACTIVATIONS];

/// Adds up the errors of a block's products, given by their bits, by weight.
///
/// Pair `lane` of a block has the activation `lane % 16` and the weight `lane / 16` of those the block is
/// about; `counts` is how often each activation counts. Sums must fit.
#[inline(always)]
pub fn add_moments_of_errors(
    product: &[&Lanes; PRODUCT_BITS],
    exact: &ExactBlock,
    signed: bool,
    counts: &[i32; BLOCK_ACTIVATIONS],
    moments: &mut Moments,
) {
    let mut bits: [Lanes; PRODUCT_BITS] = product.map(|bits| *bits);
    transpose(&mut bits);
    for ((products, exact), &count) in bits.iter().zip(exact).zip(counts) {
        if count == 0 {
            continue;
        }
        let mut errors = [0i32; BLOCK_WEIGHTS];
        for (word, (products, errors)) in products.iter().zip(errors.as_chunks_mut::<4>().0).enumerate() {
            for (i, error) in errors.iter_mut().enumerate() {
                let product = (products >> (16 * i)) as u16;
                let product = if signed { i32::from(product as i16) } else { i32::from(product) };
                *error = product - exact[4 * word + i];
            }
        }
        for (i, &error) in errors.iter().enumerate() {
            let weighted = i64::from(error) * i64::from(count);
            moments.sum[i] += weighted;
            moments.squares[i] += weighted * i64::from(error);
            moments.absolute[i] += weighted.abs();
        }
    }
}

/// Turns each 16 x 16 square of bits (word `i` of all planes, by sixteen bits) about its diagonal: plane
/// `p`, bit `l` becomes plane `l`, bit `p`. After Knuth, "The Art of Computer Programming" 4A, section
/// 7.1.3: swap halves of the square, then halves of the halves.
#[inline(always)]
pub fn transpose(planes: &mut [Lanes; PRODUCT_BITS]) {
    const LOW_HALVES: [u64; 4] =
        [0x00ff_00ff_00ff_00ff, 0x0f0f_0f0f_0f0f_0f0f, 0x3333_3333_3333_3333, 0x5555_5555_5555_5555];
    for (step, low) in LOW_HALVES.into_iter().enumerate() {
        let half = 8 >> step;
        for p in (0..PRODUCT_BITS).filter(|p| p & half == 0) {
            let (before, after) = planes.split_at_mut(p + half);
            for (x, y) in before[p].iter_mut().zip(after[0].iter_mut()) {
                let exchanged = (*x >> half ^ *y) & low;
                *y ^= exchanged;
                *x ^= exchanged << half;
            }
        }
    }
}
