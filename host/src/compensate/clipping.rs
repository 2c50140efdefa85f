//! Which results of a layer the exact network sees, and which it clips.
//!
//! Behind a ReLU a result far below zero may be wrong by much and do no harm, and mostly more than half of a layer's
//! results are of that kind. Fits let the others count for more, as Zhang et al. do who fit responses behind the
//! nonlinearity ("Accelerating Very Deep Convolutional Networks for Classification and Detection", TPAMI 2016). Not
//! at all would be too little: a result that an error lifts above zero is seen.

use crate::emulate::{ApproximateConv, requantize_codes};
use crate::quantize::{QuantizedConv, QuantizedNetwork, QuantizedOp};
use skimp_runtime::arithmetic::CodeRange;
use skimp_runtime::image::{Op, OutputKind};

/// For exact accumulators of the layer at place `layer`, `[row][output channel]`, whether their codes lie within the
/// range that they are clipped to; where the result is added to another branch, whether the codes of the sum do.
/// `branch` holds that branch's codes. Nothing for layers that write logits: those are not clipped.
pub(super) fn seen(
    network: &QuantizedNetwork,
    (layer, conv): (usize, &QuantizedConv),
    exact: &ApproximateConv,
    acc: &[i32],
    branch: Option<&[u8]>,
) -> Vec<bool> {
    let OutputKind::Codes(range) = conv.output_kind else { return Vec::new() };
    let mut codes = vec![0; acc.len()];
    requantize_codes(conv, exact, acc, &vec![0; conv.outputs()], &mut codes);
    let output = network.layers[layer].output;
    let mut readers = network.layers.iter().filter(|reader| reader.inputs.contains(&output));
    match (branch, readers.next().map(|reader| (&reader.op, reader.inputs[0] == output))) {
        (Some(branch), Some((QuantizedOp::Fixed(Op::Add(add)), comes_first))) => {
            let sum = |(&code, &other): (&u8, &u8)| {
                let (a, b) = if comes_first { (code, other) } else { (other, code) };
                add.range.code(add.rescale.sum(a, b).into())
            };
            codes.iter().zip(branch).map(|codes| is_within(add.range, sum(codes))).collect()
        }
        _ => codes.iter().map(|&code| is_within(range, code)).collect(),
    }
}

fn is_within(range: CodeRange, code: u8) -> bool {
    range.min < code && code < range.max
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compensate::exact_run::branch_of;
    use crate::compensate::testing::{conv, network, products};
    use crate::multiplier::Scheme;
    use crate::network::Shape;
    use skimp_runtime::arithmetic::AddRescale;
    use skimp_runtime::image::{Add, Tensor};
    use std::sync::Arc;

    /// A convolution whose codes are its accumulators, alone or added to the network's input.
    fn seen_of(acc: &[i32], branch: Option<(&[u8], bool)>, output_kind: OutputKind) -> Vec<bool> {
        let mut conv = conv(1, 1, 1, 1, 1);
        (conv.input_scale, conv.weight_scales, conv.output_scale) = (1.0, vec![1.0], 1.0);
        conv.output_kind = output_kind;
        let mut layers = vec![(QuantizedOp::Conv2d(Box::new(conv.clone())), vec![0], 1)];
        if let Some((_, comes_first)) = branch {
            let add = Add {
                inputs: [Tensor { offset: 0, height: 1, width: 1, channels: 1 }; 2],
                output: conv.output,
                // The second operand counts twice.
                rescale: AddRescale { zero_points: [100; 2], factors: [1, 2], shift: 1 },
                range: CodeRange { zero_point: 0, min: 0, max: 255 },
            };
            let inputs = if comes_first { vec![1, 0] } else { vec![0, 1] };
            layers.push((QuantizedOp::Fixed(Op::Add(add)), inputs, 2));
        }
        let network = network(Shape::new(1, 1, 1), layers);
        assert_eq!(branch_of(&network, 0), branch.map(|_| 0));
        let exact = Arc::new(products(Scheme::Unsigned, |a, w| a * w));
        let exact = ApproximateConv::uncompensated(&conv, Scheme::Unsigned, exact);
        seen(&network, (0, &conv), &exact, acc, branch.map(|branch| branch.0))
    }

    #[test]
    fn results_at_either_end_are_not_seen() {
        let codes = OutputKind::Codes(CodeRange { zero_point: 10, min: 10, max: 200 });
        let seen = seen_of(&[-5, 0, 1, 100, 189, 190, 500], None, codes);
        assert_eq!(seen, [false, false, true, true, true, false, false]);
        assert!(seen_of(&[-5, 0, 1], None, OutputKind::Logits).is_empty());
    }

    #[test]
    fn of_a_sum_it_is_the_sum_that_counts() {
        let codes = OutputKind::Codes(CodeRange { zero_point: 100, min: 0, max: 255 });
        // As first operand a half, as second one a whole is added to what the branch has.
        let acc = [-100, -50, 50, -50];
        let branch = [150, 120, 80, 180];
        assert_eq!(seen_of(&acc, Some((&branch, true)), codes), [false, false, true, true]);
        assert_eq!(seen_of(&acc, Some((&branch, false)), codes), [false, false, true, false]);
    }
}
