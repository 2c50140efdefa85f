//! Circuit blocks that multipliers are made of: adders, selectors, shifters, leading-one detectors.
//!
//! A number is a slice of wires, the lowest bit first. Every block folds constant inputs away, so a block
//! of fewer bits is the same block with zeros at its inputs.

use super::netlist::{Builder, GateKind, Wire};

/// Bit `i` of `number`, which has only zeros above its highest.
pub(super) fn bit(number: &[Wire], i: usize) -> Wire {
    number.get(i).copied().unwrap_or(Wire::ZERO)
}

impl Builder {
    /// Sum and carry of two bits.
    pub fn half_adder(&mut self, x: Wire, y: Wire) -> (Wire, Wire) {
        (self.gate(GateKind::Xor, x, y), self.gate(GateKind::And, x, y))
    }

    /// Sum and carry of three bits: two XORs and three NANDs, fewer where an input is a constant.
    pub fn full_adder(&mut self, x: Wire, y: Wire, z: Wire) -> (Wire, Wire) {
        for (constant, p, q) in [(x, y, z), (y, x, z), (z, x, y)] {
            if constant == Wire::ZERO {
                return self.half_adder(p, q);
            }
            if constant == Wire::ONE {
                return (self.gate(GateKind::Xnor, p, q), self.gate(GateKind::Or, p, q));
            }
        }
        let half = self.gate(GateKind::Xor, x, y);
        let both = self.gate(GateKind::Nand, x, y);
        let passed = self.gate(GateKind::Nand, half, z);
        (self.gate(GateKind::Xor, half, z), self.gate(GateKind::Nand, both, passed))
    }

    /// The OR of all `bits`, as a balanced tree; 0 if there are none.
    pub fn any(&mut self, bits: &[Wire]) -> Wire {
        match bits {
            [] => Wire::ZERO,
            &[bit] => bit,
            _ => {
                let (low, high) = bits.split_at(bits.len() / 2);
                let (low, high) = (self.any(low), self.any(high));
                self.gate(GateKind::Or, low, high)
            }
        }
    }

    /// The OR of the ANDs of all pairs. Two ANDs and their OR are three NANDs, smaller than those.
    pub fn any_pair(&mut self, pairs: &[(Wire, Wire)]) -> Wire {
        let mut terms = Vec::new();
        let mut possible = pairs.to_vec();
        possible.retain(|&(x, y)| x != Wire::ZERO && y != Wire::ZERO);
        for two in possible.chunks(2) {
            terms.push(match *two {
                [(x, y), (z, v)] => {
                    let (first, second) = (self.gate(GateKind::Nand, x, y), self.gate(GateKind::Nand, z, v));
                    self.gate(GateKind::Nand, first, second)
                }
                _ => self.gate(GateKind::And, two[0].0, two[0].1),
            });
        }
        self.any(&terms)
    }

    /// `one` where `select` is 1, else `zero`.
    pub fn mux(&mut self, select: Wire, zero: Wire, one: Wire) -> Wire {
        if zero == one {
            return zero;
        }
        let unselected = self.not(select);
        self.any_pair(&[(unselected, zero), (select, one)])
    }

    /// `x + y + carry` by a chain of full adders, one bit longer than the longer operand.
    pub fn ripple_add(&mut self, x: &[Wire], y: &[Wire], carry: Wire) -> Vec<Wire> {
        let mut carry = carry;
        let mut sum = Vec::new();
        for i in 0..x.len().max(y.len()) {
            let (s, c) = self.full_adder(bit(x, i), bit(y, i), carry);
            sum.push(s);
            carry = c;
        }
        sum.push(carry);
        sum
    }

    /// `x + y` with all carries in a number of levels that grows with the logarithm of the length, one bit
    /// longer than the longer operand (Kogge and Stone, "A Parallel Algorithm for the Efficient Solution of
    /// a General Class of Recurrence Equations", IEEE Transactions on Computers C-22(8), 1973).
    pub fn prefix_add(&mut self, x: &[Wire], y: &[Wire]) -> Vec<Wire> {
        let length = x.len().max(y.len());
        let halves: Vec<(Wire, Wire)> = (0..length).map(|i| self.half_adder(bit(x, i), bit(y, i))).collect();
        // Of the bits from some lower one up to `i`: whether they make a carry, whether they pass one on.
        let mut generates: Vec<Wire> = halves.iter().map(|half| half.1).collect();
        let mut propagates: Vec<Wire> = halves.iter().map(|half| half.0).collect();
        let mut reach = 1;
        while reach < length {
            for i in (reach..length).rev() {
                let passed = self.gate(GateKind::And, propagates[i], generates[i - reach]);
                generates[i] = self.gate(GateKind::Or, generates[i], passed);
                propagates[i] = self.gate(GateKind::And, propagates[i], propagates[i - reach]);
            }
            reach *= 2;
        }
        let mut sum = Vec::new();
        for i in 0..length {
            let carry = if i == 0 { Wire::ZERO } else { generates[i - 1] };
            sum.push(self.gate(GateKind::Xor, halves[i].0, carry));
        }
        sum.extend(generates.last());
        sum
    }

    /// `-x` where `negative` is 1, else `x`; in two's complement, of the same length.
    pub fn negate_if(&mut self, negative: Wire, x: &[Wire]) -> Vec<Wire> {
        let flipped: Vec<Wire> = x.iter().map(|&x| self.gate(GateKind::Xor, x, negative)).collect();
        let mut negated = self.ripple_add(&flipped, &[], negative);
        negated.truncate(x.len());
        // The lowest bit of a number and of its negative are the same.
        if let (Some(lowest), Some(&x)) = (negated.first_mut(), x.first()) {
            *lowest = x;
        }
        negated
    }

    /// For every bit of `x`, whether it is the highest that is 1.
    pub fn leading_one(&mut self, x: &[Wire]) -> Vec<Wire> {
        let mut above = Wire::ZERO;
        let mut hot = vec![Wire::ZERO; x.len()];
        for (&bit, hot) in x.iter().zip(&mut hot).rev() {
            let zero = self.not(bit);
            *hot = self.gate(GateKind::Nor, zero, above);
            above = self.gate(GateKind::Or, above, bit);
        }
        hot
    }

    /// The number of the bit that is 1, if at most one is.
    pub fn encode(&mut self, hot: &[Wire]) -> Vec<Wire> {
        let bits = hot.len().next_power_of_two().trailing_zeros();
        let with = |bit: u32| hot.iter().enumerate().filter(move |(i, _)| i >> bit & 1 == 1).map(|(_, &h)| h);
        (0..bits).map(|bit| self.any(&with(bit).collect::<Vec<Wire>>())).collect()
    }

    /// `x * 2^amount`, `length` bits of it, by one row of selectors a bit of `amount`.
    pub fn shift_left(&mut self, x: &[Wire], amount: &[Wire], length: usize) -> Vec<Wire> {
        let mut shifted: Vec<Wire> = (0..length).map(|i| bit(x, i)).collect();
        for (stage, &select) in amount.iter().enumerate() {
            let places = 1 << stage;
            let below = |i: usize| i.checked_sub(places).map_or(Wire::ZERO, |i| shifted[i]);
            shifted = (0..length).map(|i| self.mux(select, shifted[i], below(i))).collect();
        }
        shifted
    }

    /// The sum over `j` of `x * 2^j` where bit `j` of `hot` is 1, if at most one is: `length` bits of it.
    pub fn shift_left_by_one_of(&mut self, x: &[Wire], hot: &[Wire], length: usize) -> Vec<Wire> {
        let output = |c: usize| {
            let reaching = hot.iter().enumerate().filter(move |&(j, _)| j <= c);
            reaching.map(|(j, &hot)| (hot, bit(x, c - j))).collect::<Vec<_>>()
        };
        (0..length).map(|c| self.any_pair(&output(c))).collect()
    }

    /// The exact 4:2 compressor: five bits of a column as a sum there and two bits, carry and carry-out, of
    /// the next. The carry-out does not depend on `carry_in`, so a row of them is no chain (Weinberger, "4-2
    /// Carry-Save Adder Module", IBM Technical Disclosure Bulletin 23, 1981).
    pub fn compressor(&mut self, x: [Wire; 4], carry_in: Wire) -> (Wire, Wire, Wire) {
        let (three, carry_out) = self.full_adder(x[0], x[1], x[2]);
        let (sum, carry) = self.full_adder(three, x[3], carry_in);
        (sum, carry, carry_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::TruthTable;
    use crate::multiplier::netlist::OUTPUTS;

    fn operand(bit: fn(usize) -> Wire, bits: usize) -> Vec<Wire> {
        (0..bits).map(bit).collect()
    }

    /// Checks that the circuit of `build` computes `model` for all operand pairs.
    fn computes(build: impl Fn(&mut Builder) -> Vec<Wire>, model: impl Fn(i32, i32) -> i32) {
        let mut builder = Builder::new();
        let number = build(&mut builder);
        assert!(number.len() <= OUTPUTS);
        let outputs = std::array::from_fn(|c| bit(&number, c));
        let table = builder.finish(false, outputs).simulate().table;
        assert_eq!(table, TruthTable::from_fn(false, model).unwrap());
    }

    #[test]
    fn both_adders_add() {
        let (a, w) = (operand(Wire::a, 8), operand(Wire::w, 8));
        computes(|b| b.ripple_add(&a, &w, Wire::ZERO), |a, w| a + w);
        computes(|b| b.ripple_add(&a, &w[..3], Wire::w(7)), |a, w| a + (w & 7) + (w >> 7));
        for bits in 0..=8 {
            computes(|b| b.prefix_add(&a[..bits], &w), |a, w| (a & ((1 << bits) - 1)) + w);
        }
    }

    #[test]
    fn both_shifters_shift() {
        let (a, w) = (operand(Wire::a, 8), operand(Wire::w, 3));
        for length in [5, 8, 16] {
            let mask = (1 << length) - 1;
            computes(|b| b.shift_left(&a, &w, length), |a, w| (a << (w & 7)) & mask);
        }
        let w = operand(Wire::w, 8);
        let highest = |w: i32| if w == 0 { 0 } else { 1 << w.ilog2() };
        let shift = |b: &mut Builder| {
            let leading = b.leading_one(&w);
            b.shift_left_by_one_of(&a, &leading, 16)
        };
        computes(shift, |a, w| a * highest(w));
    }

    #[test]
    fn leading_ones_are_found_and_numbered() {
        let a = operand(Wire::a, 7);
        let find = |b: &mut Builder| {
            let leading = b.leading_one(&a);
            b.encode(&leading)
        };
        computes(find, |a, _| if a & 127 == 0 { 0 } else { (a & 127).ilog2() as i32 });
    }

    #[test]
    fn negation_and_selection_depend_on_their_bit() {
        let a = operand(Wire::a, 8);
        computes(|b| b.negate_if(Wire::w(2), &a), |a, w| if w & 4 == 4 { -a & 255 } else { a });
        computes(|b| vec![b.mux(Wire::a(0), Wire::w(0), Wire::w(1))], |a, w| w >> (a & 1) & 1);
        computes(|b| vec![b.any(&a)], |a, _| i32::from(a != 0));
        let pairs: Vec<_> = (0..5).map(|i| (Wire::a(i), Wire::w(i))).collect();
        computes(|b| vec![b.any_pair(&pairs)], |a, w| i32::from(a & w & 31 != 0));
    }

    #[test]
    fn compressors_count_to_five() {
        let a = [0, 1, 2, 3].map(Wire::a);
        let count = |b: &mut Builder| {
            let (sum, carry, carry_out) = b.compressor(a, Wire::w(0));
            let high = b.half_adder(carry, carry_out);
            vec![sum, high.0, high.1]
        };
        computes(count, |a, w| (a & 15).count_ones() as i32 + (w & 1));
    }
}
