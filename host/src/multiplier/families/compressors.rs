//! Trees of 4:2 compressors, approximate in the lower columns.

use super::FinalAdder;
use super::heap::{Heap, add_two, height, push};
use crate::multiplier::netlist::{Builder, GateKind, Netlist, OUTPUTS, Wire};

/// An approximate 4:2 compressor: four bits of a column as one there and one of the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compressor {
    /// Momeni et al. (2015), design 1: takes a carry in, which it passes on as the carry, and gives a
    /// carry-out for its neighbour. Wrong for 12 of 32 inputs, among them none set, which count as one.
    Momeni1,
    /// Momeni et al. (2015), design 2: design 1 without carry-in and carry-out. Wrong, by one, for 4 of 16
    /// inputs, among them none set, which count as one.
    Momeni2,
    /// The compressor of Venkatachalam and Ko, "Design of Power and Area Efficient Approximate Multipliers",
    /// IEEE Transactions on VLSI Systems 25(5), 2017. Counts one too few for 5 of 16 inputs: four set bits,
    /// and one of the first pair with one of the second.
    Venkatachalam,
    /// Counts four as three and is right otherwise: the first of Yang, Han and Lombardi, "Approximate
    /// Compressors for Error-Resilient Multiplier Design", DFTS 2015. Of all compressors with two outputs
    /// none errs less; Strollo et al., "Comparison and Extension of Approximate 4-2 Compressors for
    /// Low-Power Approximate Multipliers", IEEE TCAS-I 67(9), 2020, compare.
    Yang,
}

impl Compressor {
    /// What stands for it in names of multipliers.
    pub(super) fn name(self) -> &'static str {
        match self {
            Compressor::Momeni1 => "momeni1",
            Compressor::Momeni2 => "momeni2",
            Compressor::Venkatachalam => "venkatachalam",
            Compressor::Yang => "yang",
        }
    }

    /// Sum, carry and carry-out; the latter two count for the next column.
    fn build(self, builder: &mut Builder, x: [Wire; 4], carry_in: Wire) -> (Wire, Wire, Wire) {
        use GateKind::*;
        let pairs = [[x[0], x[1]], [x[2], x[3]]];
        let mut of_pairs = |kind: GateKind| pairs.map(|[x, y]| builder.gate(kind, x, y));
        match self {
            Compressor::Momeni1 | Compressor::Momeni2 => {
                let [odd1, odd2] = of_pairs(Xor);
                let [some1, some2] = of_pairs(Nor);
                let across = builder.gate(Nor, some1, some2);
                let sum = builder.gate(Nand, odd1, odd2);
                match self {
                    Compressor::Momeni1 => {
                        let none = builder.not(carry_in);
                        (builder.gate(And, sum, none), carry_in, across)
                    }
                    _ => (sum, across, Wire::ZERO),
                }
            }
            Compressor::Venkatachalam => {
                let [odd1, odd2] = of_pairs(Xor);
                let [not_both1, not_both2] = of_pairs(Nand);
                let carry = builder.gate(Nand, not_both1, not_both2);
                let odd = builder.gate(Or, odd1, odd2);
                let all = builder.gate(Nor, not_both1, not_both2);
                (builder.gate(Or, odd, all), carry, Wire::ZERO)
            }
            Compressor::Yang => {
                let [odd1, odd2] = of_pairs(Xor);
                let [not_both1, not_both2] = of_pairs(Nand);
                let [none1, none2] = of_pairs(Nor);
                let odd = builder.gate(Xor, odd1, odd2);
                let all = builder.gate(Nor, not_both1, not_both2);
                let pair = builder.gate(Nand, not_both1, not_both2);
                let across = builder.gate(Nor, none1, none2);
                (builder.gate(Or, odd, all), builder.gate(Or, pair, across), Wire::ZERO)
            }
        }
    }
}

/// The tree: 8 rows to 4 to 2, with `compressor` in the `approximate` lowest columns and exact ones above.
pub(super) fn compressor_tree(signed: bool, compressor: Compressor, approximate: usize) -> Netlist {
    let mut builder = Builder::new();
    let mut columns = Heap::of_partial_products(&mut builder, signed).into_columns();
    let mut target = 4;
    while height(&columns) > 2 {
        let mut compress = |builder: &mut Builder, c: usize, x: [Wire; 4], carry_in: Wire| {
            if c < approximate {
                compressor.build(builder, x, carry_in)
            } else {
                builder.compressor(x, carry_in)
            }
        };
        columns = stage(&mut builder, columns, target, &mut compress);
        target = 2;
    }
    let product = add_two(&mut builder, &columns, FinalAdder::Ripple);
    builder.finish(signed, product)
}

/// Brings every column down to `target` bits, by as few adders and compressors as do it.
fn stage(
    builder: &mut Builder,
    columns: [Vec<Wire>; OUTPUTS],
    target: usize,
    compress: &mut impl FnMut(&mut Builder, usize, [Wire; 4], Wire) -> (Wire, Wire, Wire),
) -> [Vec<Wire>; OUTPUTS] {
    let mut reduced: [Vec<Wire>; OUTPUTS] = Default::default();
    // Carry-outs of the column before, to go into this column's compressors.
    let mut passed: Vec<Wire> = Vec::new();
    for (c, mut bits) in columns.into_iter().enumerate() {
        let mut passing = Vec::new();
        loop {
            let excess = (bits.len() + passed.len() + reduced[c].len()).saturating_sub(target);
            if excess >= 3 && bits.len() >= 4 {
                let x: Vec<Wire> = bits.drain(..4).collect();
                let carry_in = passed.pop().unwrap_or(Wire::ZERO);
                let (sum, carry, carry_out) = compress(builder, c, [x[0], x[1], x[2], x[3]], carry_in);
                push(&mut reduced, c, sum);
                push(&mut reduced, c + 1, carry);
                passing.extend(Some(carry_out).filter(|&wire| wire != Wire::ZERO));
                continue;
            }
            bits.append(&mut passed);
            let group = (excess + 1).min(3);
            if excess == 0 || bits.len() < group {
                break;
            }
            let taken: Vec<Wire> = bits.drain(..group).collect();
            let (sum, carry) = match *taken {
                [x, y, z] => builder.full_adder(x, y, z),
                _ => builder.half_adder(taken[0], taken[1]),
            };
            push(&mut reduced, c, sum);
            push(&mut reduced, c + 1, carry);
        }
        reduced[c].append(&mut bits);
        passed = passing;
    }
    reduced
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiplier::families::tests::equals;
    use crate::multiplier::{Design, Statistics};

    const ALL: [Compressor; 4] =
        [Compressor::Momeni1, Compressor::Momeni2, Compressor::Venkatachalam, Compressor::Yang];

    /// What the compressor of bits `x` and `carry_in` gives, as sum, carry and carry-out.
    fn model(compressor: Compressor, x: [bool; 4], carry_in: bool) -> (bool, bool, bool) {
        let count = x.iter().filter(|&&x| x).count();
        let (pairs, across) = ([x[0] != x[1], x[2] != x[3]], (x[0] || x[1]) && (x[2] || x[3]));
        match compressor {
            Compressor::Momeni1 => (!carry_in && pairs != [true, true], carry_in, across),
            Compressor::Momeni2 => (pairs != [true, true], across, false),
            Compressor::Venkatachalam => {
                let value = count - usize::from(pairs == [true, true] || count == 4);
                (value & 1 == 1, value & 2 == 2, false)
            }
            Compressor::Yang => (count.min(3) & 1 == 1, count.min(3) & 2 == 2, false),
        }
    }

    /// Errors of a compressor by its five inputs; without a carry-in, of the sixteen without one.
    fn errors(compressor: Compressor) -> Vec<i32> {
        let inputs = if compressor == Compressor::Momeni1 { 32 } else { 16 };
        let error = |input: i32| {
            let bit = |i: i32| input >> i & 1 == 1;
            let (sum, carry, out) = model(compressor, [bit(0), bit(1), bit(2), bit(3)], bit(4));
            i32::from(sum) + 2 * (i32::from(carry) + i32::from(out)) - input.count_ones() as i32
        };
        (0..inputs).map(error).filter(|&error| error != 0).collect()
    }

    #[test]
    fn compressors_equal_their_truth_tables() {
        for compressor in ALL {
            let mut builder = Builder::new();
            let (sum, carry, out) =
                compressor.build(&mut builder, [Wire::a(0), Wire::a(1), Wire::a(2), Wire::a(3)], Wire::a(4));
            let mut outputs = [Wire::ZERO; OUTPUTS];
            outputs[..3].copy_from_slice(&[sum, carry, out]);
            let table = builder.finish(false, outputs).simulate().table;
            for input in 0..32u8 {
                let bit = |i: u8| input >> i & 1 == 1;
                let (sum, carry, out) = model(compressor, [bit(0), bit(1), bit(2), bit(3)], bit(4));
                let expected = i32::from(sum) + 2 * i32::from(carry) + 4 * i32::from(out);
                assert_eq!(table.product(input, 0), expected, "{compressor:?} {input:05b}");
            }
        }
    }

    #[test]
    fn compressors_err_as_often_as_published() {
        // Momeni et al.: error rates of 37.5 % and 25 %.
        assert_eq!(errors(Compressor::Momeni1).len(), 12);
        assert_eq!(errors(Compressor::Momeni2).len(), 4);
        assert_eq!(errors(Compressor::Venkatachalam), [-1; 5]);
        assert_eq!(errors(Compressor::Yang), [-1]);
    }

    #[test]
    fn trees_without_approximate_columns_are_exact() {
        for signed in [false, true] {
            for compressor in ALL {
                equals(Design::Compressors { compressor, columns: 0 }, signed, |a, w| a * w);
            }
        }
    }

    /// The tree again, on bits of one operand pair.
    fn tree(signed: bool, a: i32, w: i32, compressor: Compressor, approximate: usize) -> i32 {
        let mut columns: Vec<Vec<bool>> = vec![Vec::new(); 17];
        if signed {
            columns[8].push(true);
            columns[15].push(true);
        }
        for (i, j) in (0..8).flat_map(|j| (0..8).map(move |i| (i, j))) {
            columns[i + j].push((a >> i & w >> j & 1 == 1) != (signed && (i == 7) != (j == 7)));
        }
        let mut targets = [4].into_iter().chain(std::iter::repeat(2));
        while columns.iter().any(|bits| bits.len() > 2) {
            let target = targets.next().unwrap();
            let mut next: Vec<Vec<bool>> = vec![Vec::new(); 17];
            let mut carried: Vec<bool> = Vec::new();
            for c in 0..16 {
                let mut bits = std::mem::take(&mut columns[c]);
                let mut carrying = Vec::new();
                // Outside the middle columns there are fewer bits than compressors need.
                while bits.len() + carried.len() + next[c].len() >= target + 3 && bits.len() >= 4 {
                    let x: [bool; 4] = bits.drain(..4).collect::<Vec<_>>().try_into().unwrap();
                    let (has_carry, carry_in) = (!carried.is_empty(), carried.pop().unwrap_or(false));
                    let (sum, carry, out) = if c < approximate {
                        model(compressor, x, carry_in)
                    } else {
                        let three = x[..3].iter().filter(|&&x| x).count();
                        let rest = (three & 1) + usize::from(x[3]) + usize::from(carry_in);
                        (rest & 1 == 1, rest >= 2, three >= 2)
                    };
                    next[c].push(sum);
                    let momeni1 = c < approximate && compressor == Compressor::Momeni1;
                    if !momeni1 || has_carry {
                        next[c + 1].push(carry);
                    }
                    if c >= approximate || momeni1 {
                        carrying.push(out);
                    }
                }
                bits.append(&mut carried);
                while bits.len() + next[c].len() > target {
                    let group = if bits.len() + next[c].len() > target + 1 { 3 } else { 2 };
                    if bits.len() < group {
                        // Too many carries have come from below: another stage takes them.
                        break;
                    }
                    let count = bits.drain(..group).filter(|&bit| bit).count();
                    next[c].push(count & 1 == 1);
                    next[c + 1].push(count >= 2);
                }
                next[c].append(&mut bits);
                carried = carrying;
            }
            columns = next;
        }
        let value = |(c, bits): (usize, &Vec<bool>)| bits.iter().filter(|&&bit| bit).count() << c;
        let sum = columns.iter().enumerate().map(value).sum::<usize>() as u16;
        if signed { i32::from(sum as i16) } else { i32::from(sum) }
    }

    #[test]
    fn trees_equal_their_models() {
        for compressor in ALL {
            for (signed, columns) in [(false, 16), (true, 9)] {
                let design = Design::Compressors { compressor, columns };
                equals(design, signed, |a, w| tree(signed, a, w, compressor, columns));
            }
        }
    }

    #[test]
    fn saturating_compressors_err_least() {
        let mse = |compressor, columns| {
            let table = Design::Compressors { compressor, columns }.netlist(false).simulate().table;
            Statistics::of(&table).mse
        };
        for columns in 6..=16 {
            let others = [Compressor::Momeni1, Compressor::Momeni2, Compressor::Venkatachalam];
            let yang = mse(Compressor::Yang, columns);
            assert!(others.into_iter().all(|other| yang < mse(other, columns)), "{columns}");
        }
    }
}
