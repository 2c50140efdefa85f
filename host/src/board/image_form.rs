//! Images for a board: in the fastest form that it has room for.

use super::description::Board;
use crate::error::{Error, Result};
use crate::image::{ByActivation, FlashImage, Footprint, Options, TableForm};
use crate::quantize::QuantizedNetwork;

/// How an image of `network` may be built for `board`, the fastest form first. Tables are copied into RAM where flash is
/// slower, as long as the board has room for them.
pub fn image_forms(network: &QuantizedNetwork, board: &Board) -> [Options; 3] {
    let copy_tables_within_bytes = board.slow_flash.then(|| {
        // Each copy is a layer of its own, with a count.
        let counts = 4 * 2 * network.layers.len();
        let elements = |id: usize| network.tensors[id].shape.elements();
        let beside = elements(network.input) + 4 * elements(network.output) + counts;
        (board.memory_bytes as usize).saturating_sub(beside)
    });
    [TableForm::Fastest, TableForm::Compact, TableForm::Smallest].map(|table_form| Options {
        table_form,
        by_activation: ByActivation::default(),
        tables_only: false,
        copy_tables_within_bytes,
    })
}

/// Refuses an image that a board has no room for.
pub fn check_fit(image: &FlashImage, board: &Board) -> Result<()> {
    let Footprint { flash_bytes, memory_bytes, .. } = Footprint::of(image)?;
    let advice = "`skimp image sizes` lists smaller forms, --max-weight-codes among them";
    for (what, needed, there_is) in
        [("flash", flash_bytes, board.image_capacity_bytes), ("RAM", memory_bytes, board.memory_bytes)]
    {
        if needed > there_is as usize {
            return Err(Error::Mismatch(format!(
                "the image needs {needed} bytes of {what}, the {} has room for {there_is}; {advice}",
                board.name
            )));
        }
    }
    Ok(())
}
