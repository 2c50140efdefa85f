//! From a compensated network to a flash image.
//!
//! The format is the runtime's ([`skimp_runtime::image`]); this module decides what goes into it: how each
//! layer multiplies ([`lowering`], `layer`), which table rows are stored ([`tables`]), where tensors live in
//! the arena ([`arena`], `placement`), and the order of the sections.

pub mod arena;
mod build;
mod by_activation;
pub mod contents;
mod flash_model;
mod footprint;
mod layer;
mod lines;
pub mod lowering;
mod placement;
mod sections;
mod shared_tables;
pub mod tables;

pub use build::{FlashImage, OperatingPoint, Options, build, build_points};
pub use by_activation::ByActivation;
pub use flash_model::FlashModel;
pub use footprint::Footprint;
pub(crate) use layer::lone_record;
pub use tables::TableForm;
