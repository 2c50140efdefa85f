//! From pixels to the network's input codes.

use super::QuantizedTensor;

/// Labelled images as input codes.
#[derive(Debug, Clone)]
pub struct LabelledCodes {
    /// Codes, one image after another.
    pub codes: Vec<u8>,
    /// One label an image.
    pub labels: Vec<u8>,
}

impl LabelledCodes {
    /// The first `count` images and the rest.
    pub fn split(&self, count: usize) -> (LabelledCodes, LabelledCodes) {
        let count = count.min(self.labels.len());
        let each = self.codes.len() / self.labels.len().max(1);
        let (codes, other_codes) = self.codes.split_at(count * each);
        let (labels, other_labels) = self.labels.split_at(count);
        let set =
            |codes: &[u8], labels: &[u8]| LabelledCodes { codes: codes.to_vec(), labels: labels.to_vec() };
        (set(codes, labels), set(other_codes, other_labels))
    }
}

/// The code of every pixel value in every channel.
#[derive(Debug, Clone)]
pub struct InputCoding {
    /// One table a channel.
    codes: Vec<[u8; 256]>,
}

impl InputCoding {
    /// Codes for the `input` tensor; `value(pixel, channel)` is the real value a pixel stands for.
    pub fn new(input: &QuantizedTensor, value: impl Fn(u8, usize) -> f32) -> InputCoding {
        let code = |pixel: usize, channel: usize| {
            let steps = f64::from(value(pixel as u8, channel)) / input.scale + f64::from(input.zero_point);
            steps.round().clamp(0.0, 255.0) as u8
        };
        let codes = (0..input.shape.channels).map(|c| std::array::from_fn(|pixel| code(pixel, c)));
        InputCoding { codes: codes.collect() }
    }

    /// The codes of any number of images of height x width x channels pixels.
    pub fn encode(&self, pixels: &[u8]) -> Vec<u8> {
        pixels
            .chunks_exact(self.codes.len())
            .flat_map(|pixel| pixel.iter().zip(&self.codes).map(|(&p, codes)| codes[usize::from(p)]))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Shape;

    #[test]
    fn each_channel_has_its_own_normalization() {
        let shape = Shape::new(1, 2, 2);
        let input = QuantizedTensor { name: "image".into(), shape, scale: 0.1, zero_point: 128 };
        let coding = InputCoding::new(&input, |pixel, channel| f32::from(pixel) - 100.0 * channel as f32);
        assert_eq!(coding.encode(&[0, 100, 1, 101]), [128, 128, 138, 138]);
        assert_eq!(coding.encode(&[255, 0, 2, 99]), [255, 0, 148, 118]);
    }
}
