//! Labelled images: calibration, selection and test sets.
//!
//! [`open`] takes a set's name or a folder:
//! - `fashion-mnist`: up to 1,000 test, 512 calibration and 1,000 selection images come with skimp; more
//!   test images (10,000 in all) are read from Debian's package `dataset-fashion-mnist`;
//! - `digits`: 510 test, 1,029 calibration and 258 selection images of handwritten digits come with skimp;
//! - `cifar10`: fetched into the cache folder at first use (see [`cifar`]);
//! - a folder with IDX files: `{test,calibration,selection}-images.idx3-ubyte` and `-labels.idx1-ubyte`, or
//!   `{t10k,train}-images-idx3-ubyte` and `-labels-idx1-ubyte`, each plain or with `.gz` behind the name. Images of
//!   bytes with signs (type 0x09, the names may end in `byte`) are int8 inputs of models in 8 bits, which take them as
//!   they are;
//! - a folder with CIFAR-10 binary files: `cifar10_{train,test}.bin`, or the original `test_batch.bin` and
//!   `data_batch_1.bin` to `data_batch_5.bin`.
//!
//! Where only training images are there, calibration and selection images are drawn from them, always the
//! same ones and never one in both. Test images are always the first ones of the test set.

pub mod cifar;
mod draw;
mod fetch;
pub mod idx;
mod preprocess;
mod sets;

pub use preprocess::Preprocess;
pub use sets::{cache_folder, fetch, open};

use crate::error::{Error, Result};
use crate::network::Shape;

/// Labelled 8-bit images of one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSet {
    /// Where the images come from, for messages and reports.
    pub name: String,
    /// Pixels 0 to 255, or int8 values plus 128: image after image, each height x width x channels.
    pub images: Vec<u8>,
    /// Size of one image.
    pub shape: Shape,
    /// The class of each image, less than `classes`.
    pub labels: Vec<u8>,
    /// Number of classes.
    pub classes: usize,
}

impl DataSet {
    /// A set from its parts.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if pixels and labels are not for the same number of images or a label is out of
    /// range.
    pub fn new(
        name: impl Into<String>,
        images: Vec<u8>,
        shape: Shape,
        labels: Vec<u8>,
        classes: usize,
    ) -> Result<Self> {
        let set = DataSet { name: name.into(), images, shape, labels, classes };
        if !shape.is_sensible() || set.labels.len().checked_mul(shape.elements()) != Some(set.images.len()) {
            return Err(Error::Mismatch(format!(
                "{}: {} pixels are not {} images of {shape}",
                set.name,
                set.images.len(),
                set.labels.len()
            )));
        }
        if let Some(i) = set.labels.iter().position(|&label| usize::from(label) >= classes) {
            let label = set.labels[i];
            return Err(Error::Mismatch(format!(
                "{}: image {i} has label {label}, but there are {classes} classes",
                set.name
            )));
        }
        Ok(set)
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The pixels of image `i`, which must be less than [`len`](Self::len).
    pub fn image(&self, i: usize) -> &[u8] {
        let size = self.shape.elements();
        &self.images[i * size..][..size]
    }

    /// The images at `indices`, in that order. Indices must be less than [`len`](Self::len).
    pub fn pick(&self, indices: &[usize]) -> DataSet {
        DataSet {
            name: self.name.clone(),
            images: indices.iter().flat_map(|&i| self.image(i)).copied().collect(),
            shape: self.shape,
            labels: indices.iter().map(|&i| self.labels[i]).collect(),
            classes: self.classes,
        }
    }

    /// Keeps the first `count` images.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if there are fewer.
    fn first(mut self, count: Count) -> Result<DataSet> {
        let count = count.of(self.len());
        if count > self.len() {
            let (have, name) = (self.len(), &self.name);
            return Err(Error::Mismatch(format!("{name}: has {have} images, {count} were asked for")));
        }
        self.images.truncate(count * self.shape.elements());
        self.labels.truncate(count);
        Ok(self)
    }
}

/// How many images of a split to load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Fewer are an error.
    pub least: usize,
    /// No more than that, even if there are; 0 for none.
    pub most: usize,
}

impl Count {
    /// So many, neither more nor less.
    pub const fn exactly(count: usize) -> Count {
        Count { least: count, most: count }
    }

    /// The number to load of `there_are`.
    fn of(self, there_are: usize) -> usize {
        there_are.clamp(self.least, self.most.max(self.least))
    }
}

/// How many images of each split to load; 0 for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Request {
    /// Test images, which nothing may be fitted to.
    pub test: Count,
    /// Training images that quantization and compensation are fitted to.
    pub calibration: Count,
    /// Training images, none of them in calibration, that candidates are scored on.
    pub selection: Count,
}

/// The three splits of a data set, as long as the [`Request`] said.
#[derive(Debug, Clone)]
pub struct Splits {
    /// For reporting.
    pub test: DataSet,
    /// For fitting.
    pub calibration: DataSet,
    /// For choosing.
    pub selection: DataSet,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_parts_that_do_not_agree() {
        let shape = Shape::new(1, 2, 1);
        let set = DataSet::new("set", vec![1, 2, 3, 4], shape, vec![0, 2], 3).unwrap();
        assert_eq!((set.len(), set.image(1)), (2, &[3, 4][..]));
        assert_eq!(set.pick(&[1, 1]).images, [3, 4, 3, 4]);
        assert!(set.clone().first(Count::exactly(3)).is_err());
        assert_eq!(set.first(Count::exactly(1)).unwrap().images, [1, 2]);
        assert!(DataSet::new("set", vec![1, 2, 3], shape, vec![0, 2], 3).is_err());
        let message = DataSet::new("set", vec![1, 2], shape, vec![3], 3).unwrap_err().to_string();
        assert_eq!(message, "set: image 0 has label 3, but there are 3 classes");
    }
}
