//! Underdesigned multipliers: of 2x2-bit blocks, some of which give 7 for 3 * 3.

use super::FinalAdder;
use super::heap::Heap;
use crate::multiplier::netlist::{Builder, GateKind, OUTPUTS, Wire};

/// The product of two unsigned numbers of 8 bits. The block of activation bits `2p` and `2p + 1` and weight
/// bits `2q` and `2q + 1` is approximate where `p + q < diagonals`.
///
/// The blocks' products are added by a Dadda tree, exactly; the order of the additions, pairwise from small
/// to large blocks in the paper, makes no difference to the result.
pub(super) fn underdesigned(
    builder: &mut Builder,
    a: &[Wire],
    w: &[Wire],
    diagonals: usize,
) -> [Wire; OUTPUTS] {
    let mut heap = Heap::new();
    for (p, a) in a.chunks(2).enumerate() {
        for (q, w) in w.chunks(2).enumerate() {
            let (a, w) = ([a[0], a[1]], [w[0], w[1]]);
            let block = if p + q < diagonals { approximate(builder, a, w) } else { exact(builder, a, w) };
            for (k, bit) in block.into_iter().enumerate() {
                heap.add(2 * (p + q) + k, bit);
            }
        }
    }
    heap.dadda(builder, FinalAdder::Ripple)
}

/// Five gates and no more than three bits: right but for 3 * 3.
fn approximate(builder: &mut Builder, a: [Wire; 2], w: [Wire; 2]) -> [Wire; 4] {
    let low = builder.gate(GateKind::And, a[0], w[0]);
    let middle = builder.any_pair(&[(a[1], w[0]), (a[0], w[1])]);
    let high = builder.gate(GateKind::And, a[1], w[1]);
    [low, middle, high, Wire::ZERO]
}

fn exact(builder: &mut Builder, a: [Wire; 2], w: [Wire; 2]) -> [Wire; 4] {
    let low = builder.gate(GateKind::And, a[0], w[0]);
    let crossed = [builder.gate(GateKind::And, a[1], w[0]), builder.gate(GateKind::And, a[0], w[1])];
    let high = builder.gate(GateKind::And, a[1], w[1]);
    let (middle, carry) = builder.half_adder(crossed[0], crossed[1]);
    let third = builder.gate(GateKind::Xor, high, carry);
    [low, middle, third, carry]
}

#[cfg(test)]
mod tests {
    use crate::multiplier::families::tests::{equals, on_magnitudes};
    use crate::multiplier::{Design, Statistics};

    fn model(a: i32, w: i32, diagonals: i32) -> i32 {
        let digit = |x: i32, p: i32| x >> (2 * p) & 3;
        let mut sum = 0;
        for (p, q) in (0..4).flat_map(|p| (0..4).map(move |q| (p, q))) {
            let product = match (digit(a, p), digit(w, q)) {
                (3, 3) if p + q < diagonals => 7,
                (x, y) => x * y,
            };
            sum += product << (2 * (p + q));
        }
        sum
    }

    #[test]
    fn blocks_err_on_three_times_three_alone() {
        for diagonals in 0..=7 {
            let design = Design::Underdesigned { diagonals };
            equals(design, false, |a, w| model(a, w, diagonals as i32));
            equals(design, true, |a, w| on_magnitudes(a, w, |a, w| model(a, w, diagonals as i32)));
        }
    }

    #[test]
    fn errors_are_those_published() {
        let table = Design::Underdesigned { diagonals: 7 }.netlist(false).simulate().table;
        let worst = (1..=255).flat_map(|a| (1..=255).map(move |w| (a, w))).map(|(a, w)| {
            let exact = f64::from(a) * f64::from(w);
            (exact - f64::from(table.product(a as u8, w as u8))) / exact
        });
        let worst = worst.fold(0.0, f64::max);
        // The paper: 2/9 at most, and 1.39 % (of 2x2 bits) to 3.3 % (of wide ones) on average.
        assert!((worst - 2.0 / 9.0).abs() < 1e-12, "{worst}");
        let mre = Statistics::of(&table).mre_pct;
        assert!((3.2..3.35).contains(&mre), "{mre}");
    }
}
