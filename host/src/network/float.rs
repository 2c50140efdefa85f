//! Running the float network: the reference that quantization is calibrated on and compared with.

use super::kernels::{self, ConvPlan};
use super::{Network, Op, Shape, TensorId};
use crate::error::{Error, Result};
use rayon::prelude::*;

/// A network made ready to run in 32-bit floats.
///
/// Every image is computed on its own and in one thread, so results do not depend on the number of threads
/// or on how images are batched. They may differ in the last bits between processors, since the matrix
/// product uses fused multiply-add where there is one.
pub struct FloatNetwork<'n> {
    network: &'n Network,
    /// One for every node that is a convolution.
    plans: Vec<Option<ConvPlan>>,
}

/// What one thread needs to run images: every tensor's values and scratch space.
struct Workspace {
    tensors: Vec<Vec<f32>>,
    scratch: Vec<f32>,
}

impl<'n> FloatNetwork<'n> {
    /// Checks `network` and lays its weights out for the matrix product.
    ///
    /// # Errors
    /// Whatever [`Network::check`] finds.
    pub fn new(network: &'n Network) -> Result<Self> {
        network.check()?;
        let plan = |node: &super::Node| match &node.op {
            Op::Conv2d(conv) => Some(ConvPlan::new(
                conv,
                network.tensors[node.inputs[0]].shape,
                network.tensors[node.output].shape,
            )),
            _ => None,
        };
        Ok(FloatNetwork { network, plans: network.nodes.iter().map(plan).collect() })
    }

    /// The network that runs.
    pub fn network(&self) -> &'n Network {
        self.network
    }

    /// Shape of an input image.
    pub fn input(&self) -> Shape {
        self.network.tensors[self.network.input].shape
    }

    /// Number of logits an image gives.
    pub fn outputs(&self) -> usize {
        self.network.tensors[self.network.output].shape.elements()
    }

    /// The logits of one image, given as height x width x channels of preprocessed values.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if `image` has not the input's size.
    pub fn run(&self, image: &[f32]) -> Result<Vec<f32>> {
        self.forward(image, &mut |_, _| {})
    }

    /// Runs one image and shows every tensor to `visit` as soon as it is computed: the input first, then
    /// each node's output in the order of the nodes. Returns the logits.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if `image` has not the input's size.
    pub fn forward(&self, image: &[f32], visit: &mut dyn FnMut(TensorId, &[f32])) -> Result<Vec<f32>> {
        if image.len() != self.input().elements() {
            return Err(self.mismatch(image.len()));
        }
        let mut workspace = self.workspace();
        self.execute(image, &mut workspace, visit);
        Ok(std::mem::take(&mut workspace.tensors[self.network.output]))
    }

    /// The logits of any number of images stored one after another, [`outputs`](Self::outputs) of them an
    /// image, computed in parallel.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if `images` is not a whole number of images.
    pub fn run_all(&self, images: &[f32]) -> Result<Vec<f32>> {
        let size = self.input().elements();
        if !images.len().is_multiple_of(size) {
            return Err(self.mismatch(images.len()));
        }
        self.run_each(images.len() / size, |i, image| image.copy_from_slice(&images[i * size..][..size]))
    }

    /// The logits of `count` images in parallel, each written by `fill` (index, destination) just before it
    /// runs, so that a large set need not be held as floats.
    ///
    /// # Errors
    /// None at present; a `Result` to match the other entries.
    pub fn run_each(&self, count: usize, fill: impl Fn(usize, &mut [f32]) + Sync) -> Result<Vec<f32>> {
        let mut logits = vec![0.0; count * self.outputs()];
        let fresh = || (self.workspace(), vec![0.0; self.input().elements()]);
        logits.par_chunks_mut(self.outputs()).enumerate().for_each_init(
            fresh,
            |(workspace, image), (i, logits)| {
                fill(i, image);
                self.execute(image, workspace, &mut |_, _| {});
                logits.copy_from_slice(&workspace.tensors[self.network.output]);
            },
        );
        Ok(logits)
    }

    fn mismatch(&self, values: usize) -> Error {
        let (input, name) = (self.input(), &self.network.name);
        let size = input.elements();
        Error::Mismatch(format!("{name}: {values} values are no image of {input} ({size} values)"))
    }

    fn workspace(&self) -> Workspace {
        let tensors = self.network.tensors.iter().map(|tensor| vec![0.0; tensor.shape.elements()]).collect();
        Workspace { tensors, scratch: Vec::new() }
    }

    /// Computes all tensors of one image in `workspace`.
    fn execute(&self, image: &[f32], workspace: &mut Workspace, visit: &mut dyn FnMut(TensorId, &[f32])) {
        let Workspace { tensors, scratch } = workspace;
        tensors[self.network.input].copy_from_slice(image);
        visit(self.network.input, image);
        for (node, plan) in self.network.nodes.iter().zip(&self.plans) {
            // Taken out so that the inputs can be borrowed beside it; `check` made sure they are others.
            let mut output = std::mem::take(&mut tensors[node.output]);
            let input = tensors[node.inputs[0]].as_slice();
            let from = self.network.tensors[node.inputs[0]].shape;
            let to = self.network.tensors[node.output].shape;
            match &node.op {
                Op::Conv2d(_) => {
                    if let Some(plan) = plan {
                        plan.run(input, &mut output, scratch);
                    }
                }
                Op::Add(activation) => {
                    let other = &tensors[node.inputs[1]];
                    for ((out, a), b) in output.iter_mut().zip(input).zip(other) {
                        *out = activation.apply(a + b);
                    }
                }
                Op::MaxPool(window) => kernels::max_pool(window, input, from, &mut output, to),
                Op::AveragePool(window) => kernels::average_pool(window, input, from, &mut output, to),
                Op::Slice { start, step } => kernels::slice(*start, *step, input, from, &mut output, to),
                Op::Pad { before } => kernels::pad(*before, input, from, &mut output, to),
                Op::Activation(activation) => {
                    for (out, x) in output.iter_mut().zip(input) {
                        *out = activation.apply(*x);
                    }
                }
                Op::Flatten => output.copy_from_slice(input),
            }
            visit(node.output, &output);
            tensors[node.output] = output;
        }
    }
}

/// Index of the largest logit, the first one where several are equal; a NaN never wins over a number.
pub fn argmax(logits: &[f32]) -> usize {
    let mut best = 0;
    for (i, x) in logits.iter().enumerate() {
        if *x > logits[best] || logits[best].is_nan() && !x.is_nan() {
            best = i;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Activation, Conv2d, Node, Tensor, Window};

    /// Two convolutions on the same input, added: enough to have several tensors alive.
    fn diamond() -> Network {
        let conv = |scale: f32, activation| {
            let window = Window { padding_before: [1, 1], ..Window::global(2, 2) };
            let weights = (0..2 * 4 * 3).map(|i| scale * (i as f32 - 11.0) / 12.0).collect();
            Op::Conv2d(Conv2d { window, groups: 1, weights, bias: vec![scale, -0.25], activation })
        };
        let tensor = |name: &str, shape| Tensor { name: name.into(), shape };
        let out = Shape::new(5, 5, 2);
        let node = |name: &str, op, inputs: &[usize], output| Node {
            name: name.into(),
            op,
            inputs: inputs.to_vec(),
            output,
        };
        Network {
            name: "diamond".into(),
            tensors: vec![
                tensor("in", Shape::new(5, 5, 3)),
                tensor("a", out),
                tensor("b", out),
                tensor("sum", out),
                tensor("logits", Shape::new(1, 1, 2)),
            ],
            nodes: vec![
                node("a", conv(1.0, Activation::Relu), &[0], 1),
                node("b", conv(-0.5, Activation::Identity), &[0], 2),
                node("sum", Op::Add(Activation::Clip { min: -1.0, max: 2.0 }), &[1, 2], 3),
                node("mean", Op::AveragePool(Window::global(5, 5)), &[3], 4),
            ],
            input: 0,
            output: 4,
            own_codes: None,
        }
    }

    fn images(count: usize) -> Vec<f32> {
        (0..count * 75).map(|i| ((i * 7919) % 101) as f32 / 50.0 - 1.0).collect()
    }

    #[test]
    fn visits_every_tensor_once_and_in_order() {
        let network = diamond();
        let float = FloatNetwork::new(&network).unwrap();
        let mut seen = Vec::new();
        let logits = float.forward(&images(1), &mut |id, values| {
            assert_eq!(values.len(), network.tensors[id].shape.elements());
            seen.push(id);
        });
        assert_eq!(seen, [0, 1, 2, 3, 4]);
        assert_eq!(logits.unwrap(), float.run(&images(1)).unwrap());
    }

    #[test]
    fn threads_and_batches_do_not_change_results() {
        let network = diamond();
        let float = FloatNetwork::new(&network).unwrap();
        let images = images(9);
        let one_by_one: Vec<f32> = images.chunks(75).flat_map(|image| float.run(image).unwrap()).collect();
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(pool.install(|| float.run_all(&images)).unwrap(), one_by_one);
        }
        assert!(float.run_all(&[]).unwrap().is_empty());
    }

    #[test]
    fn refuses_images_of_another_size() {
        let network = diamond();
        let float = FloatNetwork::new(&network).unwrap();
        assert!(float.run(&[0.0; 74]).is_err());
        assert!(float.run_all(&[0.0; 76]).unwrap_err().to_string().contains("5x5x3"));
    }

    #[test]
    fn argmax_takes_the_first_of_equals() {
        assert_eq!(argmax(&[1.0, 3.0, 3.0]), 1);
        assert_eq!(argmax(&[f32::NAN, -1.0]), 1);
    }
}
