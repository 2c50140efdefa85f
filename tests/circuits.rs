//! The loops that evolution spends its time in, for every instruction set, against sums taken one operand
//! pair at a time.

use proptest::prelude::*;
use skimp::kernels::{
    self, BLOCK_ACTIVATIONS, BLOCK_WEIGHTS, ErrorSums, ExactBlock, ExactLanes, Instruction, Isa, LANES,
    Lanes, Limits, Moments, PRODUCT_BITS,
};

/// 512 products of 16 bits as planes of bits.
fn planes(products: &[i32]) -> [Lanes; PRODUCT_BITS] {
    std::array::from_fn(|bit| {
        Lanes::from_fn(|word| {
            (0..64).fold(0, |bits, i| bits | u64::from(products[64 * word + i] >> bit & 1 == 1) << i)
        })
    })
}

/// Pairs of a right product and one that errs a little, a lot or not at all.
fn products(signed: bool) -> impl Strategy<Value = Vec<(i32, i32)>> {
    let range = if signed { -32768..=32767 } else { 0..=65535 };
    let ends = (*range.start(), *range.end());
    let errs = prop_oneof![4 => Just(0), 4 => -400..=400, 1 => -65535..=65535];
    let pair = (range, errs)
        .prop_map(move |(exact, error): (i32, i32)| (exact, (exact + error).clamp(ends.0, ends.1)));
    prop::collection::vec(pair, LANES)
}

proptest! {
    #[test]
    fn error_sums_and_limits_are_those_of_the_products(
        (signed, pairs) in any::<bool>().prop_flat_map(|signed| (Just(signed), products(signed))),
        worst in prop_oneof![Just(None), (0u16..=500).prop_map(Some), any::<u16>().prop_map(Some), Just(Some(0)), Just(Some(u16::MAX))],
        quiet in any::<bool>(),
        zero_preserving in any::<bool>(),
        zero in prop::collection::vec(any::<u8>(), LANES),
    ) {
        // Mostly none that would end every case at once.
        let pairs: Vec<(i32, i32)> = pairs
            .into_iter()
            .map(|(exact, product)| (exact, if quiet { product.clamp(exact - 3, exact + 3) } else { product }))
            .collect();
        let zero: Vec<bool> = zero.iter().zip(&pairs).map(|(&z, (_, p))| z < 3 || z < 128 && *p == 0).collect();
        let exact: Vec<i32> = pairs.iter().map(|pair| pair.0).collect();
        let made: Vec<i32> = pairs.iter().map(|pair| pair.1).collect();
        let mask = Lanes::from_fn(|word| {
            (0..64).fold(0, |bits, i| bits | u64::from(zero[64 * word + i]) << i)
        });
        let exact_lanes = ExactLanes { bits: planes(&exact), zero: mask };
        let limits = Limits { signed, worst, zero_preserving, signed_sum: true };
        let errors = || made.iter().zip(&exact).map(|(p, e)| i64::from(p - e));
        let within = errors().all(|error| worst.is_none_or(|worst| error.abs() <= i64::from(worst)));
        let kept = !zero_preserving || made.iter().zip(&zero).all(|(&p, &zero)| !zero || p == 0);
        let planes = planes(&made);
        for isa in Isa::available() {
            let mut sums = ErrorSums::default();
            let ok = kernels::add_errors(isa, &planes.each_ref(), &exact_lanes, &limits, &mut sums);
            prop_assert_eq!(ok, within && kept, "{} {:?}", isa, limits);
            if ok {
                let absolute = errors().map(i64::unsigned_abs).sum::<u64>();
                prop_assert_eq!(sums, ErrorSums { absolute, signed: errors().sum() }, "{}", isa);
            }
        }
    }

    #[test]
    fn moments_are_those_of_each_weight(
        (signed, pairs) in any::<bool>().prop_flat_map(|signed| (Just(signed), products(signed))),
        counts in prop::array::uniform16(prop_oneof![Just(0), 0..=65536i32]),
    ) {
        let made: Vec<i32> = pairs.iter().map(|pair| pair.1).collect();
        let at = |activation: usize, weight: usize| &pairs[weight * BLOCK_ACTIVATIONS + activation];
        let exact: ExactBlock = std::array::from_fn(|a| std::array::from_fn(|w| at(a, w).0));
        let mut expected = Moments::ZERO;
        for w in 0..BLOCK_WEIGHTS {
            for (a, &count) in counts.iter().enumerate() {
                let error = i64::from(at(a, w).1 - at(a, w).0);
                expected.sum[w] += i64::from(count) * error;
                expected.squares[w] += i64::from(count) * error * error;
                expected.absolute[w] += i64::from(count) * error.abs();
            }
        }
        let planes = planes(&made);
        for isa in Isa::available() {
            let mut moments = Moments::ZERO;
            let of = (&exact, signed);
            kernels::add_moments_of_errors(isa, &planes.each_ref(), of, &counts, &mut moments);
            prop_assert_eq!(moments, expected, "{}", isa);
        }
    }

    #[test]
    fn circuits_compute_their_gates(
        inputs in prop::collection::vec(prop::array::uniform4(prop::array::uniform8(any::<u64>()).prop_map(Lanes)), 4),
        gates in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0u16..8, any::<bool>()),
            1..40,
        ),
    ) {
        let mut program: Vec<Instruction> = Vec::new();
        let mut counters = 0;
        for (x, y, terms, counted) in gates {
            let output = inputs.len() + program.len();
            let inputs = [x.index(output) as u16, y.index(output) as u16];
            let counter = if counted { counters } else { Instruction::UNCOUNTED };
            counters += u16::from(counted);
            program.push(Instruction { inputs, output: output as u16, terms, counter });
        }
        let mut expected = inputs.clone();
        let mut ones = vec![8; usize::from(counters)];
        for instruction in &program {
            let [x, y] = instruction.inputs.map(|i| expected[usize::from(i)]);
            let term = |bit: u16, value: u64| if instruction.terms >> bit & 1 == 1 { value } else { 0 };
            let value: [Lanes; 4] = std::array::from_fn(|block| {
                let (x, y) = (x[block], y[block]);
                Lanes::from_fn(|i| term(0, u64::MAX) ^ term(1, x[i] ^ y[i]) ^ term(2, x[i] & y[i]))
            });
            if let Some(ones) = ones.get_mut(usize::from(instruction.counter)) {
                *ones += value.iter().flat_map(|lanes| lanes.iter()).map(|word| word.count_ones()).sum::<u32>();
            }
            expected.push(value);
        }
        for isa in Isa::available() {
            let mut values = inputs.clone();
            values.resize(expected.len(), Default::default());
            let mut counters = vec![[1; 8]; ones.len()];
            kernels::simulate(isa, &program, &mut values, &mut counters);
            prop_assert_eq!(&values, &expected, "{}", isa);
            let counted: Vec<u32> =
                counters.iter().map(kernels::ones_counted).collect();
            prop_assert_eq!(&counted, &ones, "{}", isa);
            // One block alone, nobody counting.
            for block in 0..4 {
                let mut alone = vec![Lanes::default(); expected.len()];
                for (alone, input) in alone.iter_mut().zip(&inputs) {
                    *alone = input[block];
                }
                kernels::simulate(isa, &program, alone.as_chunks_mut::<1>().0, &mut []);
                prop_assert!(alone.iter().zip(&expected).all(|(one, all)| *one == all[block]), "{}", isa);
            }
        }
    }
}
