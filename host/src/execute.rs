//! Running a flash image: by the runtime on the host, or by a board.

use crate::board::device::{Device, Inference};
use crate::board::link::Link;
use crate::error::{Error, Result};
use rayon::prelude::*;
use skimp_runtime::{Network, Silent};

/// An image at an address the runtime accepts, with the operating point it is to run at.
#[derive(Debug, Clone)]
pub struct AlignedImage {
    words: Vec<u32>,
    bytes: usize,
    point: u16,
}

impl AlignedImage {
    /// A copy of `image` at a 4-byte aligned address.
    pub fn new(image: &[u8]) -> AlignedImage {
        let word = |chunk: &[u8]| {
            let mut word = [0; 4];
            word[..chunk.len()].copy_from_slice(chunk);
            u32::from_ne_bytes(word)
        };
        AlignedImage { words: image.chunks(4).map(word).collect(), bytes: image.len(), point: 0 }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.bytes]
    }

    /// The image at the operating point of that name or, counted from 0, number.
    pub fn at_point(mut self, wanted: &str) -> Result<AlignedImage> {
        let network = self.load()?;
        let points = point_names(&network);
        let named = points.iter().position(|&name| !name.is_empty() && name == wanted);
        let numbered = || wanted.parse().ok().filter(|&index: &usize| index < points.len());
        let index = named.or_else(numbered).ok_or_else(|| {
            let names: Vec<String> =
                points.iter().enumerate().map(|(i, name)| format!("{i} {name}").trim_end().into()).collect();
            Error::Argument(format!(
                "the image has no operating point \"{wanted}\", but these: {}",
                names.join(", ")
            ))
        })?;
        // An image counts its points in 16 bits.
        self.point = index as u16;
        Ok(self)
    }

    /// The network in the image, at its operating point.
    pub fn load(&self) -> Result<Network<'_>> {
        Network::load(self.bytes())
            .and_then(|network| network.at_point(self.point.into()))
            .map_err(|e| Error::Mismatch(format!("the image can't be used: {e}")))
    }
}

/// The names of a network's operating points, in their order; some may be empty.
pub fn point_names<'a>(network: &Network<'a>) -> Vec<&'a str> {
    let points = (0..network.point_count()).filter_map(|index| network.at_point(index).ok());
    points.map(|point| point.point_name()).collect()
}

/// Logits of any number of inputs, one after another, computed by the runtime on the host.
pub fn on_host(image: &AlignedImage, inputs: &[u8]) -> Result<Vec<i32>> {
    let network = image.load()?;
    check_inputs(&network, inputs)?;
    let logits: Result<Vec<Vec<i32>>, skimp_runtime::Error> = inputs
        .par_chunks_exact(network.input_bytes())
        .map_init(
            || vec![0u32; network.arena_bytes().div_ceil(4)],
            |arena, input| {
                let arena = bytemuck::cast_slice_mut(arena);
                let mut logits = vec![0; network.output_len()];
                network.infer(arena, input, &mut logits, &mut Silent)?;
                Ok(logits)
            },
        )
        .collect();
    Ok(logits.map_err(|e| Error::Mismatch(format!("the runtime: {e}")))?.concat())
}

fn check_inputs(network: &Network, inputs: &[u8]) -> Result<()> {
    let each = network.input_bytes();
    if inputs.len().is_multiple_of(each) {
        return Ok(());
    }
    Err(Error::Mismatch(format!(
        "{} bytes of input are no whole number of inputs of {each} bytes",
        inputs.len()
    )))
}

/// What a board made of a series of inputs.
#[derive(Debug, Clone)]
pub struct BoardRun {
    /// Logits of all inputs, one after another.
    pub logits: Vec<i32>,
    /// Mean ticks of the board's counter for an inference.
    pub ticks_per_inference: u64,
    /// Ticks of each layer in the last inference.
    pub layer_ticks: Vec<u32>,
}

/// Streams inputs through a board that holds `image`; `done` is told the number of finished ones.
pub fn on_board<L: Link>(
    device: &mut Device<L>,
    image: &AlignedImage,
    inputs: &[u8],
    mut done: impl FnMut(usize),
) -> Result<BoardRun> {
    check_inputs(&image.load()?, inputs)?;
    let network = device.load()?;
    if !device.holds_image(image.bytes())? {
        return Err(Error::tool(
            device.info().board.as_str(),
            "the image in its flash is another one; write this one with `skimp flash` first",
        ));
    }
    if image.point > 0 {
        device.select(image.point)?;
    }
    let mut logits = Vec::new();
    let mut ticks = 0;
    for (i, input) in inputs.chunks_exact(network.input_bytes as usize).enumerate() {
        let Inference { logits: one, ticks: taken } = device.infer(input)?;
        logits.extend(one);
        ticks += taken;
        done(i + 1);
    }
    let count = (inputs.len() / network.input_bytes.max(1) as usize).max(1) as u64;
    Ok(BoardRun { logits, ticks_per_inference: ticks / count, layer_ticks: device.layer_ticks()? })
}

/// Images whose logits differ anywhere between two series.
pub fn images_differing(a: &[i32], b: &[i32], outputs: usize) -> usize {
    let (a, b) = (a.chunks(outputs), b.chunks(outputs));
    let missing = a.len().abs_diff(b.len());
    a.zip(b).filter(|(a, b)| a != b).count() + missing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differing_images_are_counted_once_and_missing_ones_too() {
        assert_eq!(images_differing(&[1, 2, 3, 4], &[1, 2, 3, 4], 2), 0);
        assert_eq!(images_differing(&[1, 2, 3, 4], &[0, 0, 3, 4], 2), 1);
        assert_eq!(images_differing(&[1, 2, 3, 4], &[1, 2], 2), 1);
    }

    #[test]
    fn what_is_no_image_is_refused_with_the_reason() {
        let error = on_host(&AlignedImage::new(b"GIF89a"), &[]).unwrap_err().to_string();
        assert!(error.contains("not a skimp image"), "{error}");
    }
}
